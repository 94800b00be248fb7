"""One reconcile of a Merchant, whatever it was that called for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from etebar_common.crash import CrashPoint, crash_point
from onboarding.conditions import Condition, is_so
from onboarding.core_answers import KeptMerchant
from onboarding.credentials import Credentials, credentials, text
from onboarding.desired import DeletionPolicy, MerchantObject
from onboarding.errors import ClusterUnavailable, CoreRefused, CoreUnavailable, SecretNotOwned
from onboarding.merchant_status import CREDENTIALS_ISSUED, READY, REGISTERED, conditions, figures, letting_go, refused
from onboarding.result import Result

STALE, CREDENTIALS_STALE = "version_stale", "credentials_stale"
# what core says of a wish that it never took
NEVER_TAKEN = frozenset({"username_taken", "validation_failed"})


class Core(Protocol):
    """What of core's client is needed here; raises CoreUnavailable and CoreRefused."""

    async def keep_merchant(self, namespace: str, name: str, wish: Mapping[str, Any]) -> KeptMerchant: ...


class Secrets(Protocol):
    """The Secrets of the cluster; raises ClusterUnavailable."""

    async def find(self, namespace: str, name: str) -> Mapping[str, Any] | None: ...

    async def write(self, manifest: Mapping[str, Any]) -> None: ...


class NotReady(Exception):  # noqa: N818 - a fact
    """Core cannot be told yet, and why."""

    def __init__(self, *found: Condition) -> None:
        super().__init__(found[0].message)
        self.conditions = list(found)


@dataclass(frozen=True, slots=True)
class MerchantReconciler:
    """Brings core and the credentials Secret to what an object wishes."""

    core: Core
    secrets: Secrets
    is_sandboxed: bool

    async def reconcile(self, wished: MerchantObject, *, is_registered: bool) -> Result:
        """Does everything that is missing. `is_registered`: the object's status has a merchant's id."""
        try:
            return await (self._let_go(wished) if wished.is_deleted else self._keep(wished, is_registered))
        except NotReady as not_ready:
            return Result(not_ready.conditions, retry=True)
        except CoreUnavailable as error:
            return _waits("CoreUnavailable", str(error))
        except ClusterUnavailable as error:
            return _waits("ClusterUnavailable", str(error))
        except CoreRefused as error:
            return _refused(wished, error, is_registered)

    async def _keep(self, wished: MerchantObject, is_registered: bool) -> Result:  # noqa: FBT001 - private
        account = await self._account(wished, is_registered)
        try:
            kept = await self._tell(wished, account, await self._credentials(wished))
        except CoreRefused as error:
            if error.code != CREDENTIALS_STALE:
                raise
            # the Secret was restored from a backup, or lost while a clock was behind
            in_force = int(error.members["credentials_version"])
            kept = await self._tell(wished, account, await self._credentials(wished, in_force))
        return Result(conditions(wished, kept), figures(kept))

    async def _tell(self, wished: MerchantObject, account: str | None, issued: Credentials) -> KeptMerchant:
        wish = wished.wish(bank_account=account, password=issued.password, credentials_version=issued.version)
        return await self.core.keep_merchant(wished.namespace, wished.name, wish)

    async def _let_go(self, wished: MerchantObject) -> Result:
        wish = wished.wish(bank_account=None, password=None, credentials_version=None)
        kept = await self.core.keep_merchant(wished.namespace, wished.name, wish)
        return Result(letting_go(wished, kept), figures(kept), retry=not kept.released)

    async def _account(self, wished: MerchantObject, is_registered: bool) -> str | None:  # noqa: FBT001 - private
        if wished.bank_account is not None:
            if not self.is_sandboxed:
                message = "spec.bankAccount is for sandboxes; name a Secret in spec.bankAccountSecretRef"
                raise NotReady(*_unregistered("BankAccountInObject", message))
            return wished.bank_account
        reference = wished.bank_account_secret
        found = text(await self.secrets.find(wished.namespace, reference.name), reference.key) if reference else None
        if found is None and not is_registered:
            where = f"the Secret {reference.name} with the key {reference.key}" if reference else "a bank account"
            message = f"expected {where} in the namespace {wished.namespace}"
            raise NotReady(*_unregistered("BankAccountMissing", message))
        return found

    async def _credentials(self, wished: MerchantObject, at_least: int = 0) -> Credentials:
        found = await self.secrets.find(wished.namespace, wished.credentials_secret)
        try:
            issued = credentials(wished, found, at_least)
        except SecretNotOwned as error:
            said = str(error)
            raise NotReady(
                is_so(CREDENTIALS_ISSUED, value=False, reason="SecretNotOwned", message=said),
                is_so(READY, value=False, reason="SecretNotOwned", message=said),
            ) from error
        if issued.manifest is not None:
            # first the Secret: a password that only core knew would be lost with this process
            await self.secrets.write(issued.manifest)
            crash_point(CrashPoint.OPERATOR_SECRET_WRITTEN)
        return issued


def _refused(wished: MerchantObject, error: CoreRefused, is_registered: bool) -> Result:  # noqa: FBT001 - private
    if wished.is_deleted:
        nothing_to_do = wished.deletion_policy is DeletionPolicy.RETAIN and error.code == STALE
        never_there = not is_registered and error.code in NEVER_TAKEN
        if nothing_to_do or never_there:
            return Result()
    if error.code == STALE:
        # a newer version is on its way here, too
        return Result(is_stale=True, retry=wished.is_deleted)
    return Result(refused(error), retry=True)


def _waits(reason: str, message: str) -> Result:
    return Result([is_so(READY, value=False, reason=reason, message=message)], retry=True)


def _unregistered(reason: str, message: str) -> tuple[Condition, Condition]:
    return (
        is_so(REGISTERED, value=False, reason=reason, message=message),
        is_so(READY, value=False, reason=reason, message=message),
    )
