"""Which account numbers are accepted: IBANs everywhere, IRTEST accounts in the sandbox and test profiles."""

import re

from stdnum import iban
from stdnum.exceptions import ValidationError
from stdnum.iso7064 import mod_97_10

from etebar_common.environment import Profile
from etebar_common.fingerprint import normalize_account

# Iran's IBANs (Sheba) are not in the registry that the library carries: 24 digits, check digits first
IRANIAN = re.compile(r"IR[0-9]{24}\Z", re.ASCII)
TEST_ACCOUNT = re.compile(r"IRTEST[0-9A-Z]{1,28}\Z", re.ASCII)


SHOWN_DIGITS = 4
FEWEST_STARS = 4


def mask_account(account: str) -> str:
    """The country and the last four characters: all that lists, answers, logs and the admin show."""
    return f"{account[:2]}{'*' * max(len(account) - SHOWN_DIGITS - 2, FEWEST_STARS)}{account[-SHOWN_DIGITS:]}"


def parse_bank_account(value: str, profile: Profile) -> str:
    """The normalized account number; raises ValueError saying what was expected."""
    account = normalize_account(value)
    if profile.is_sandboxed and TEST_ACCOUNT.match(account):
        return account
    try:
        if IRANIAN.match(account):
            mod_97_10.validate(account[4:] + account[:4])
            return account
        return str(iban.validate(account))
    except ValidationError as error:
        expected = "an IBAN (IR and 24 digits)" + (
            " or IRTEST and up to 28 digits or letters" if profile.is_sandboxed else ""
        )
        message = f"is not an account number that we can pay; expected {expected}"
        raise ValueError(message) from error
