"""What the API server takes of our objects and what it refuses, with the words that it must refuse it with."""

from typing import Any

SECRET = {"name": "account"}
MERCHANT = {"username": "shop", "bankAccountSecretRef": SECRET, "creditLimit": "100.00"}
TOP_UP = {"amount": "100.00", "reference": "a-1"}
GONE = object()
AMOUNTS = {
    "number": (100, 'must be of type string: "integer"'),
    "three-places": ("1.001", "should match"),
    "sign": ("-1.00", "should match"),
    "exponent": ("1e3", "should match"),
    "leading-zero": ("01.00", "should match"),
    "letters": ("much", "should match"),
    "empty": ("", "should match"),
    "19-digits": ("1" * 19, "should match"),
    "suffix": ("1k", "should match"),
}

Case = tuple[str, dict[str, Any]]


def _with(spec: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {name: value for name, value in (spec | changes).items() if value is not GONE}


ACCEPTED: dict[str, Case] = {
    "least": ("Merchant", MERCHANT),
    "all": (
        "Merchant",
        _with(
            MERCHANT,
            requestedCredit="1.5",
            approved=True,
            suspended=True,
            credentialsSecretName="shop",
            deletionPolicy="Close",
            driftPolicy="Report",
        ),
    ),
    "account-in-a-sandbox": ("Merchant", _with(MERCHANT, bankAccountSecretRef=GONE, bankAccount="IRTEST1")),
    "limit-of-zero": ("Merchant", _with(MERCHANT, creditLimit="0")),
    "greatest-limit": ("Merchant", _with(MERCHANT, creditLimit="999999999999999999.99")),
    "top-up": ("PoolTopUp", TOP_UP),
    "least-top-up": ("PoolTopUp", _with(TOP_UP, amount="0.01")),
    "longest-reference": ("PoolTopUp", _with(TOP_UP, reference="r" * 128)),
}
REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "no-username": ("Merchant", _with(MERCHANT, username=GONE), "spec.username: Required value"),
    "no-limit": ("Merchant", _with(MERCHANT, creditLimit=GONE), "spec.creditLimit: Required value"),
    "username-with-space": ("Merchant", _with(MERCHANT, username="a shop"), "spec.username in body should match"),
    "long-username": ("Merchant", _with(MERCHANT, username="s" * 151), "spec.username: Too long"),
    "two-accounts": (
        "Merchant",
        _with(MERCHANT, bankAccount="IRTEST1"),
        "name one of bankAccountSecretRef and bankAccount",
    ),
    "no-account": (
        "Merchant",
        _with(MERCHANT, bankAccountSecretRef=GONE),
        "name one of bankAccountSecretRef and bankAccount",
    ),
    "unnamed-secret": (
        "Merchant",
        _with(MERCHANT, bankAccountSecretRef={}),
        "spec.bankAccountSecretRef.name: Required value",
    ),
    "unknown-policy": (
        "Merchant",
        _with(MERCHANT, deletionPolicy="Forget"),
        'Unsupported value: "Forget": supported values: "Retain", "Close"',
    ),
    "unknown-drift-policy": (
        "Merchant",
        _with(MERCHANT, driftPolicy="Ignore"),
        'Unsupported value: "Ignore": supported values: "Correct", "Report"',
    ),
    "unknown-field": ("Merchant", _with(MERCHANT, limit="1.00"), 'unknown field "spec.limit"'),
    "approved-by-text": ("Merchant", _with(MERCHANT, approved="yes"), "must be of type boolean"),
    **{
        f"limit-{name}": ("Merchant", _with(MERCHANT, creditLimit=value), f"spec.creditLimit in body {said}")
        for name, (value, said) in AMOUNTS.items()
    },
    **{
        f"requested-{name}": (
            "Merchant",
            _with(MERCHANT, requestedCredit=value),
            f"spec.requestedCredit in body {said}",
        )
        for name, (value, said) in AMOUNTS.items()
    },
    **{
        f"top-up-{name}": ("PoolTopUp", _with(TOP_UP, amount=value), f"spec.amount in body {said}")
        for name, (value, said) in AMOUNTS.items()
    },
    "long-limit": (
        "Merchant",
        _with(MERCHANT, creditLimit="1" * 22),
        "spec.creditLimit: Too long: may not be more than 21",
    ),
    **{
        f"credentials-secret-{name}": (
            "Merchant",
            _with(MERCHANT, credentialsSecretName=value),
            "spec.credentialsSecretName in body should match",
        )
        for name, value in {"capitals": "Shop", "slash": "a/b", "dash-first": "-a", "space": "a b"}.items()
    },
    "top-up-of-nothing": ("PoolTopUp", _with(TOP_UP, amount="0.00"), "expected a decimal string above zero"),
    "top-up-without-reference": ("PoolTopUp", _with(TOP_UP, reference=GONE), "spec.reference: Required value"),
    "reference-with-slash": ("PoolTopUp", _with(TOP_UP, reference="a/b"), "spec.reference in body should match"),
    "long-reference": ("PoolTopUp", _with(TOP_UP, reference="r" * 129), "spec.reference: Too long"),
}
# refused by rules in CEL, which nothing but an API server knows
BY_RULES = {"two-accounts", "no-account", "top-up-of-nothing"}
# of a Merchant where the profile is production: what is refused, and with which words
PRODUCTION_REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "account-in-object": (
        _with(MERCHANT, bankAccountSecretRef=GONE, bankAccount="IRTEST1"),
        'unknown field "spec.bankAccount"',
    ),
    "two-accounts": (_with(MERCHANT, bankAccount="IRTEST1"), 'unknown field "spec.bankAccount"'),
    "no-account": (
        _with(MERCHANT, bankAccountSecretRef=GONE),
        "bankAccountSecretRef: name the Secret that holds the account number",
    ),
}
# changes of objects that are there: a merchant as above but approved and with credentialsSecretName, and a top-up
UNCHANGEABLE: dict[str, tuple[str, dict[str, Any], str]] = {
    "username": ("Merchant", {"username": "other"}, "username: cannot change; make another Merchant"),
    "approval": ("Merchant", {"approved": False}, "approved: cannot be taken back; set suspended: true"),
    "secret-name": ("Merchant", {"credentialsSecretName": "other"}, "credentialsSecretName: cannot change"),
    "secret-name-taken-away": ("Merchant", {"credentialsSecretName": None}, "credentialsSecretName: cannot change"),
    "top-up-amount": ("PoolTopUp", {"amount": "200.00"}, "a top-up cannot change; make another one"),
    "top-up-reference": ("PoolTopUp", {"reference": "a-2"}, "a top-up cannot change; make another one"),
}
