"""The password that an object's Secret holds."""

import hmac

from core.environment import ENVIRONMENT
from etebar_common.problems import CredentialsStale
from payments.audit.services import Actor, record
from payments.models import ManagedMerchant

_KEY = ENVIRONMENT.account_fingerprint_key.get_secret_value().encode()


def password_digest(password: str) -> str:
    """Tells a password apart from the last one without the cost of its hash; keyed, and of random passwords only."""
    return hmac.digest(_KEY, f"operator password\0{password}".encode(), "sha256").hex()


def password_set(link: ManagedMerchant, password: str, version: int, by: Actor) -> None:
    """Sets the password unless it is in force already; refresh tokens of the old one are spent then.

    Raises CredentialsStale for a version below the one in force: a wish that was late would bring back a password that
    was rotated away, perhaps because it had leaked.
    """
    if version < link.credentials_version:
        raise CredentialsStale(
            f"version {version} of {link}'s credentials was replaced by {link.credentials_version}",
            extensions={"credentials_version": link.credentials_version},
        )
    link.credentials_version = version
    user, digest = link.merchant.user, password_digest(password)
    if (digest, user.password) == (link.password_digest, link.password_hash):
        return
    user.set_password(password)
    user.save(update_fields=["password"])
    record(by, "credentials_set", merchant_id=link.merchant_id)
    link.password_digest, link.password_hash = digest, user.password
