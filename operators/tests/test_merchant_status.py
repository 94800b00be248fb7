"""What core's answer makes of an object's status."""

from typing import Any

import pytest
from onboarding_helpers import drift, kept, wished

from onboarding.errors import CoreRefused
from onboarding.merchant_status import conditions, figures, refused

REQUEST = {"approval_id": "a-1", "credit_limit": "900.00", "created_at": "2026-01-01T00:00:00Z"}


def found(spec: dict[str, Any] | None = None, **members: Any) -> dict[str, tuple[str, str]]:
    """Status and reason by type."""
    return {each.type: (each.status, each.reason) for each in conditions(wished(**spec or {}), kept(**members))}


class TestAMerchantAsWished:
    def test_is_ready(self) -> None:
        assert found() == {
            "Registered": ("True", "Registered"),
            "Approved": ("True", "Approved"),
            "CredentialsIssued": ("True", "Issued"),
            "LimitInSync": ("True", "InSync"),
            "Drifted": ("False", "InSync"),
            "PendingApproval": ("False", "NothingWaits"),
            "Ready": ("True", "Ready"),
        }

    @pytest.mark.parametrize("limit", ["100", "100.0", "100.00"])
    def test_has_its_limit_however_it_is_written(self, limit: str) -> None:
        assert found({"creditLimit": limit})["LimitInSync"] == ("True", "InSync")

    def test_shows_its_figures(self) -> None:
        assert figures(kept()) == {
            "merchantId": 7,
            "state": "approved",
            "creditLimit": "100.00",
            "utilized": "30.00",
            "available": "70.00",
        }


@pytest.mark.parametrize(("spec", "members", "expected"), [
    ({"approved": False}, {"state": "pending", "credit_limit": None},
     {"Approved": ("False", "NotApproved"), "LimitInSync": ("False", "NoLimit"), "Ready": ("False", "NotApproved")}),
    ({"creditLimit": "900.00"}, {"state": "pending", "credit_limit": None, "approval_request": REQUEST},
     {"Approved": ("False", "WaitsForStaff"), "PendingApproval": ("True", "WaitsForStaff"),
      "Ready": ("False", "WaitsForStaff")}),
    ({"creditLimit": "900.00"}, {"approval_request": REQUEST},
     {"Approved": ("True", "Approved"), "LimitInSync": ("False", "WaitsForStaff"),
      "Ready": ("False", "WaitsForStaff")}),
    ({"creditLimit": "900.00"}, {"state": "pending", "credit_limit": None, "drift": [drift("credit_limit")]},
     {"Approved": ("False", "Refused"), "Drifted": ("True", "Differs"), "Ready": ("False", "Refused")}),
    ({}, {"state": "refused", "credit_limit": None},
     {"Approved": ("False", "Refused"), "Ready": ("False", "Refused")}),
    ({}, {"state": "closed"}, {"Approved": ("False", "Closed"), "Ready": ("False", "Closed")}),
    ({"suspended": True}, {"state": "suspended"}, {"Approved": ("True", "Approved"), "Ready": ("False", "Suspended")}),
    ({}, {"state": "suspended", "drift": [drift("suspended", expected="False", actual="True")]},
     {"Drifted": ("True", "SuspendedByStaff"), "Ready": ("False", "Suspended")}),
    ({"suspended": True}, {"drift": [drift("suspended", expected="True", actual="False")]},
     {"Drifted": ("True", "Differs")}),
    ({}, {"drift": [drift("credit_limit", corrected=True)]},
     {"Drifted": ("False", "Corrected"), "Ready": ("True", "Ready")}),
    ({}, {"credit_limit": "70.00", "drift": [drift("credit_limit")]},
     {"Drifted": ("True", "Differs"), "LimitInSync": ("False", "Differs"), "Ready": ("False", "Differs")}),
    ({}, {"drift": [drift("bank_account")]}, {"Drifted": ("True", "Differs"), "Ready": ("True", "Ready")}),
    ({}, {"has_credentials": False}, {"CredentialsIssued": ("False", "NotIssued"), "Ready": ("False", "NotIssued")}),
])  # fmt: skip
def test_what_is_not_as_wished_is_told(spec: dict[str, Any], members: dict[str, Any], expected: dict[str, Any]) -> None:
    assert expected.items() <= found(spec, **members).items()


def test_a_waiting_limit_names_its_approval() -> None:
    (pending,) = [
        each for each in conditions(wished(), kept(approval_request=REQUEST)) if each.type == "PendingApproval"
    ]
    assert pending.message == "the limit 900.00 waits for staff (approval a-1)"


class TestARefusal:
    @pytest.mark.parametrize(("code", "expected"), [
        ("username_taken", {"Registered": "UsernameTaken", "Ready": "UsernameTaken"}),
        ("validation_failed", {"Registered": "Invalid", "Ready": "Invalid"}),
        ("operator_token_wrong", {"Ready": "TokenRefused"}),
        ("merchant_closed", {"Ready": "MerchantClosed"}),
        ("anything_else", {"Ready": "Refused"}),
    ])  # fmt: skip
    def test_has_its_reason(self, code: str, expected: dict[str, str]) -> None:
        assert {each.type: each.reason for each in refused(CoreRefused(409, code, "no"))} == expected

    def test_names_each_field_that_is_wrong(self) -> None:
        errors = [{"field": "bank_account", "detail": "is no IBAN"}, {"field": "username", "detail": "is too long"}]
        error = CoreRefused(422, "validation_failed", "not right", {"errors": errors})
        assert refused(error)[0].message == "bank_account: is no IBAN; username: is too long"
