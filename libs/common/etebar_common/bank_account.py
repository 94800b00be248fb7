"""Which account numbers are accepted: IBANs everywhere, IRTEST accounts in the sandbox and test profiles."""

import re

from stdnum import iban
from stdnum.exceptions import ValidationError

from etebar_common.environment import Profile
from etebar_common.fingerprint import normalize_account

TEST_ACCOUNT = re.compile(r"IRTEST[0-9A-Z]{1,28}\Z", re.ASCII)


def parse_bank_account(value: str, profile: Profile) -> str:
    """The normalized account number; raises ValueError saying what was expected."""
    account = normalize_account(value)
    if profile.is_sandboxed and TEST_ACCOUNT.match(account):
        return account
    try:
        return str(iban.validate(account))
    except ValidationError as error:
        expected = "an IBAN" + (" or IRTEST and up to 28 digits or letters" if profile.is_sandboxed else "")
        message = f"is not an account number that we can pay; expected {expected}"
        raise ValueError(message) from error
