"""Who may do what: one row for each method of each address of core's two listeners and of settlement.

A row's statuses are in the order of ROLES. Bodies are empty objects: 422 means that somebody was let in and the content
was looked at, so that no row changes anything.
"""

from collections.abc import Iterator
from dataclasses import dataclass

ROLES = ("nobody", "merchant", "stranger", "staff", "superuser", "operator")
"""`merchant` owns what the paths name; `stranger` is another merchant; `operator` shows the onboarding operator's token
and `superuser` is the only one with every permission of the admin."""


@dataclass(frozen=True, slots=True)
class Row:
    """A method at an address (its template, as Django or FastAPI has it) and what each role is answered.

    `path` is what is sent, with the names of `Objects` in braces; empty for the template itself.
    """

    method: str
    route: str
    statuses: tuple[int, ...]
    path: str = ""
    query: str = ""

    @property
    def key(self) -> tuple[str, str]:
        return self.method, self.route

    @property
    def sent(self) -> str:
        return (self.path or self.route) + self.query


def _everybody(status: int) -> tuple[int, ...]:
    return (status,) * len(ROLES)


def _merchants(status: int, stranger: int | None = None) -> tuple[int, ...]:
    return (401, status, status if stranger is None else stranger, 403, 403, 401)


def _signed_in(status: int) -> tuple[int, ...]:
    return (401, status, status, status, status, 401)


def _staff(status: int) -> tuple[int, ...]:
    return (401, 403, 403, status, status, 401)


API = "api/v1"
PUBLIC_API = (
    Row("GET", "healthz", _everybody(200)),
    Row("GET", "readyz", _everybody(200)),
    # public, but a token that is not ours is refused wherever one is read
    Row("GET", "api/openapi.json", (200, 200, 200, 200, 200, 401)),
    Row("GET", "api/docs", (200, 200, 200, 200, 200, 401)),
    Row("POST", f"{API}/auth/token", _everybody(422)),
    Row("POST", f"{API}/auth/token/refresh", _everybody(422)),
    Row("POST", f"{API}/auth/token/verify", _everybody(422)),
    Row("POST", f"{API}/auth/register", _everybody(422)),
    Row("GET", f"{API}/me", _merchants(200)),
    Row("GET", f"{API}/withdrawals", _merchants(200)),
    Row("POST", f"{API}/withdrawals", _merchants(422)),
    Row("POST", f"{API}/withdrawals/bulk", _merchants(422)),
    Row("GET", f"{API}/withdrawals/totals", _merchants(200)),
    Row(
        "GET",
        f"{API}/withdrawals/<uuid:withdrawal_id>",
        _merchants(200, stranger=404),
        f"{API}/withdrawals/{{withdrawal}}",
    ),
    Row("GET", f"{API}/api-keys", _merchants(200)),
    Row("POST", f"{API}/api-keys", _merchants(422)),
    Row("DELETE", f"{API}/api-keys/<str:key_id>", _merchants(404), f"{API}/api-keys/none"),
    Row("POST", f"{API}/api-keys/<str:key_id>/rotate", _merchants(404), f"{API}/api-keys/none/rotate"),
    Row("GET", f"{API}/webhooks", _merchants(200)),
    Row("POST", f"{API}/webhooks", _merchants(422)),
    # of a webhook that is not there: whose they are is for test_webhook_api.py
    *(
        Row(method, f"{API}/webhooks/<uuid:endpoint_id>{rest}", _merchants(404), f"{API}/webhooks/{{withdrawal}}{sent}")
        for method, rest, sent in (
            ("GET", "", ""),
            ("PATCH", "", ""),
            ("DELETE", "", ""),
            ("GET", "/secret", "/secret"),
            ("POST", "/secret/rotate", "/secret/rotate"),
            ("POST", "/test", "/test"),
            ("POST", "/replay", "/replay"),
            ("GET", "/deliveries", "/deliveries"),
            ("GET", "/deliveries/<int:delivery_id>", "/deliveries/1"),
            ("POST", "/deliveries/<int:delivery_id>/replay", "/deliveries/1/replay"),
        )
    ),
    Row("GET", f"{API}/repayments", _merchants(200)),
    Row("GET", f"{API}/statements", _merchants(422)),
    Row("GET", f"{API}/statements/<int:year>-<int:month>", _merchants(200), f"{API}/statements/2026-01"),
    Row(
        "GET",
        f"{API}/admin/merchants/<int:merchant_id>/statements",
        _staff(422),
        f"{API}/admin/merchants/{{merchant}}/statements",
    ),
    Row("GET", f"{API}/admin/repayments", _staff(200)),
    Row("POST", f"{API}/admin/repayments", _staff(422)),
    Row(
        "GET",
        f"{API}/admin/repayments/<uuid:repayment_id>",
        _staff(404),
        f"{API}/admin/repayments/{{withdrawal}}",
    ),
    Row(
        "POST",
        f"{API}/admin/repayments/<uuid:repayment_id>/reverse",
        _staff(422),
        f"{API}/admin/repayments/{{withdrawal}}/reverse",
    ),
    Row("GET", f"{API}/ledger", _merchants(200)),
    Row("GET", f"{API}/idempotency-keys", (401, 200, 404, 404, 404, 401), query="?key={key}"),
    Row("GET", f"{API}/admin/merchants", _staff(200)),
    Row("GET", f"{API}/admin/merchants/<int:merchant_id>", _staff(200), f"{API}/admin/merchants/{{merchant}}"),
    Row(
        "GET",
        f"{API}/admin/merchants/<int:merchant_id>/ledger",
        _staff(200),
        f"{API}/admin/merchants/{{merchant}}/ledger",
    ),
    *(
        Row("POST", f"{API}/admin/{act}", _staff(422))
        for act in (
            "approve",
            "refuse",
            "suspend",
            "reinstate",
            "credit-limit",
            "approvals/approve",
            "approvals/refuse",
            "pool/topup",
            "pool/adjustments",
            "bank-statements",
        )
    ),
    Row(
        "POST",
        f"{API}/admin/withdrawals/<uuid:withdrawal_id>/outcome",
        _staff(422),
        f"{API}/admin/withdrawals/{{withdrawal}}/outcome",
    ),
    Row("GET", f"{API}/admin/bank-statements", _staff(200)),
    # there is no statement of that id
    *(
        Row(
            method,
            f"{API}/admin/bank-statements/<uuid:statement_id>{below}",
            _staff(status),
            f"{API}/admin/bank-statements/{{withdrawal}}{below}",
        )
        for method, below, status in (("GET", "", 404), ("GET", "/differences", 404), ("POST", "/resolutions", 422))
    ),
    Row("GET", f"{API}/admin/approvals", _staff(200)),
    Row("GET", f"{API}/admin/pool", _staff(200)),
    Row("GET", f"{API}/admin/withdrawals", _staff(200)),
)

ADMINS_TABLES = (
    "auth/user",
    "payments/apikey",
    "payments/apirequestlog",
    "payments/approvalrequest",
    "payments/auditentry",
    "payments/bankstatement",
    "payments/bankstatementline",
    "payments/bookscheck",
    "payments/creditpool",
    "payments/ledgerentry",
    "payments/managedmerchant",
    "payments/merchant",
    "payments/merchantcredit",
    "payments/outcomedecision",
    "payments/pooladjustment",
    "payments/pooltopup",
    "payments/repayment",
    "payments/repaymentreversal",
    "payments/statementresolution",
    "payments/webhookattempt",
    "payments/webhookdelivery",
    "payments/webhookendpoint",
    "payments/withdrawal",
)


# what takes a group that `manage.py staff add` does not give
AUDITORS_TABLES = frozenset(
    {
        "auth/user",
        "payments/apikey",
        "payments/apirequestlog",
        "payments/auditentry",
        "payments/managedmerchant",
        "payments/webhookattempt",
        "payments/webhookdelivery",
        "payments/webhookendpoint",
    }
)
ACTS = {
    "merchant": ("approve", "refuse", "limit", "repayment", "suspend", "reinstate"),
    "creditpool": ("top-up", "adjust"),
    "withdrawal": ("outcome",),
    "approvalrequest": ("approve", "refuse"),
    "repayment": ("reverse",),
}


def _admin(staff: int, superuser: int) -> tuple[int, ...]:
    """The admin knows sessions only: whoever shows a token is sent to the log-in page."""
    return (302, 302, 302, staff, superuser, 302)


def _table(name: str) -> Iterator[Row]:
    """One table's pages: who may view it reads, and nobody adds, changes or deletes."""
    seen = 403 if name in AUDITORS_TABLES else 200
    base, one = f"admin/{name}/", f"admin/{name}/<path:object_id>/"
    sent = f"{base}{{{name}}}/"
    yield Row("GET", base, _admin(seen, 200))
    yield Row("GET", f"{base}export.csv", _admin(seen, 200))
    yield Row("GET", f"{base}add/", _admin(403, 403))
    yield Row("GET", one, _admin(302, 302), sent)
    yield Row("GET", f"{one}history/", _admin(seen, 200), f"{sent}history/")
    yield Row("GET", f"{one}delete/", _admin(403, 403), f"{sent}delete/")
    yield Row("GET", f"{one}change/", _admin(seen, 200), f"{sent}change/")
    yield Row("POST", f"{base}add/", _admin(403, 403))
    yield Row("POST", f"{one}delete/", _admin(403, 403), f"{sent}delete/")
    yield Row("POST", f"{one}change/", _admin(403, 403), f"{sent}change/")


def _acts() -> Iterator[Row]:
    """A form that nothing was filled in in is shown again."""
    for model, acts in ACTS.items():
        for act in acts:
            route, sent = (
                f"admin/payments/{model}/<path:object_id>/{act}/",
                f"admin/payments/{model}/{{payments/{model}}}",
            )
            yield Row("GET", route, _admin(200, 200), f"{sent}/{act}/")
            yield Row("POST", route, _admin(200, 200), f"{sent}/{act}/")


ADMIN = (
    # the staff's and the superuser's are redirected: they are signed in
    Row("GET", "admin/login/", (200, 200, 200, 302, 302, 200)),
    Row("GET", "admin/language", _everybody(302)),
    Row("GET", "admin/", _admin(200, 200)),
    Row("GET", "admin/logout/", _admin(405, 405)),
    Row("GET", "admin/password_change/", _admin(200, 200)),
    Row("GET", "admin/password_change/done/", _admin(200, 200)),
    Row("GET", "admin/autocomplete/", _admin(403, 403)),
    Row("GET", "admin/jsi18n/", _admin(200, 200)),
    Row("GET", "admin/r/<path:content_type_id>/<path:object_id>/", _admin(404, 404), "admin/r/0/0/"),
    Row("GET", "admin/^(?P<app_label>payments|auth)/$", _admin(200, 200), "admin/payments/"),
    Row("GET", "admin/(?P<url>.*)$", _admin(404, 404), "admin/nothing/"),
    *(row for name in ADMINS_TABLES for row in _table(name)),
    *_acts(),
)

_OPERATOR_ONLY_NAMESPACE = "(?P<namespace>[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?)"
INTERNAL = (
    Row("GET", "healthz", _everybody(200)),
    Row("GET", "readyz", _everybody(200)),
    Row(
        "PUT",
        rf"internal/v1/^merchants/{_OPERATOR_ONLY_NAMESPACE}/(?P<name>[a-z0-9](?:[-.a-z0-9]{{0,251}}[a-z0-9])?)\Z",
        (401, 401, 401, 401, 401, 422),
        "internal/v1/merchants/team-a/shop-1",
    ),
    Row(
        "PUT",
        rf"internal/v1/^pool-top-ups/{_OPERATOR_ONLY_NAMESPACE}/(?P<reference>[A-Za-z0-9][A-Za-z0-9._-]{{0,127}})\Z",
        (401, 401, 401, 401, 401, 422),
        "internal/v1/pool-top-ups/team-a/reference-1",
    ),
    Row("GET", "internal/v1/pool", (401, 401, 401, 401, 401, 200)),
)

SETTLEMENTS_ROLES = ("nobody", "operator", "core")
"""Who calls settlement: without X-Internal-Token, with the operator's token in it, and with the one core has."""


def _core(status: int) -> tuple[int, ...]:
    return (401, 403, status)


SETTLEMENT = (
    Row("GET", "healthz", (200, 200, 200)),
    Row("GET", "readyz", (200, 200, 200)),
    Row("GET", "openapi.json", (200, 200, 200)),
    Row("POST", "api/settlement/withdraw", _core(422)),
    Row("POST", "api/settlement/withdraw/batch", _core(422)),
    Row("POST", "api/settlement/payouts/lookup", _core(422)),
    Row(
        "GET",
        "api/settlement/payouts/{withdrawal_id:uuid}",
        _core(200),
        "api/settlement/payouts/{withdrawal}",
    ),
    Row(
        "POST",
        "api/settlement/payouts/{withdrawal_id:uuid}/outcome",
        _core(422),
        "api/settlement/payouts/{withdrawal}/outcome",
    ),
    Row("GET", "api/settlement/payouts", _core(200)),
    # last: it clears what the rows before it read
    Row("POST", "api/settlement/sandbox/clear", _core(200)),
)
