"""Groups of staff, and what each may view and do (docs/adr/0034). Migrations make them of this table.

A permission is `<action>_<model>`, Django's way; who is in several groups may do what any of them may.
"""

from typing import Any, Final

VIEWER, APPROVER, TREASURER, AUDITOR = "viewer", "approver", "treasurer", "auditor"

_MONEY = ("merchant", "merchantcredit", "creditpool", "withdrawal", "ledgerentry", "bookscheck")
_DECISIONS = (
    "approvalrequest",
    "outcomedecision",
    "pooltopup",
    "pooladjustment",
    "repayment",
    "repaymentreversal",
)
_BANK = ("bankstatement", "bankstatementline", "statementresolution")
_RECORDS = (
    "auditentry",
    "apirequestlog",
    "managedmerchant",
    "apikey",
    "webhookendpoint",
    "webhookdelivery",
    "webhookattempt",
)


def _views(*models: str) -> frozenset[str]:
    return frozenset(f"view_{model}" for model in models)


# what staff could do before there were groups
DEFAULT: Final = (APPROVER, TREASURER)
GROUPS: Final[dict[str, frozenset[str]]] = {
    VIEWER: _views(*_MONEY),
    APPROVER: _views(*_MONEY, *_DECISIONS) | {"decide_merchant", "ask_approvalrequest", "decide_approvalrequest"},
    TREASURER: _views(*_MONEY, *_DECISIONS, *_BANK)
    | {"fund_creditpool", "import_bankstatement", "record_repayment", "ask_approvalrequest", "decide_approvalrequest"},
    AUDITOR: _views(*_MONEY, *_DECISIONS, *_BANK, *_RECORDS),
}


def groups_write(groups: Any, permissions: Any) -> None:
    """Makes each group what the table says, whatever it was; by the models Group and Permission of now, or then."""
    ours = permissions.objects.filter(content_type__app_label="payments")
    known = {each.codename: each for each in ours}
    for name, codenames in GROUPS.items():
        group, _ = groups.objects.get_or_create(name=name)
        # those of a model that a later migration makes come with it
        group.permissions.set([known[codename] for codename in sorted(codenames) if codename in known])
