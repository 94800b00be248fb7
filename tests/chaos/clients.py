"""The clients of a chaos run: of merchants of each kind, single and bulk, patient and not."""

from integration.api import Api, Merchant

from etebar_verify.orders import Caller

from .recording import caller_of

ORDINARY, LIMIT, SMALL_LIMIT = 8, "100000.00", "3.00"
BULK_CLIENTS, IMPATIENT_CLIENTS = 6, 6


def callers(api: Api, count: int) -> list[Caller]:
    """Clients of merchants of each kind.

    Ordinary ones, a slow bank's, a refusing bank's, one whose bank's answers are lost, and one with a small limit.
    """
    merchants = [
        *(api.merchant(limit=LIMIT) for _ in range(ORDINARY)),
        api.merchant(limit=LIMIT, account="IRTESTSLOW0000000001"),
        api.merchant(limit=LIMIT, account="IRTESTREFUSED0000001"),
        api.merchant(limit=LIMIT, account="IRTESTTIMEOUT0000001"),
        api.merchant(limit=SMALL_LIMIT),
    ]
    return [_caller(merchants[number % len(merchants)], number) for number in range(count)]


def _caller(merchant: Merchant, number: int) -> Caller:
    is_impatient = BULK_CLIENTS <= number < BULK_CLIENTS + IMPATIENT_CLIENTS
    return caller_of(merchant, is_bulk=number < BULK_CLIENTS, is_patient=not is_impatient)
