"""The credentials Secret: kept, issued, rotated, never taken from somebody else."""

import base64
import time
from typing import Any

import pytest
from onboarding_helpers import UID, body, wished

from onboarding.credentials import credentials, text
from onboarding.desired import ROTATE_ANNOTATION, MerchantObject
from onboarding.errors import SecretNotOwned


def found(**data: str) -> dict[str, Any]:
    """A Secret of the object's own as the API server shows it."""
    issued = credentials(wished(), None).manifest
    assert issued is not None
    encoded = {name: base64.b64encode(value.encode()).decode() for name, value in data.items()}
    metadata = {**issued["metadata"], "resourceVersion": "41"}
    return {**issued, "metadata": metadata, "data": issued["data"] | encoded}


class TestTheFirst:
    def test_is_owned_by_the_object_and_nobody_waits_for_it(self) -> None:
        manifest = credentials(wished(), None).manifest
        assert manifest is not None
        (owner,) = manifest["metadata"]["ownerReferences"]
        assert (owner["uid"], owner["controller"], owner["blockOwnerDeletion"]) == (UID, True, False)
        assert "resourceVersion" not in manifest["metadata"]

    def test_holds_the_password_that_core_is_told(self) -> None:
        issued = credentials(wished(), None)
        assert text(issued.manifest, "password") == issued.password
        assert text(issued.manifest, "username") == "shop"
        assert len(issued.password) >= 32

    def test_is_another_each_time(self) -> None:
        assert credentials(wished(), None).password != credentials(wished(), None).password


class TestOneThatIsThere:
    def test_is_kept(self) -> None:
        kept = credentials(wished(), found(password="kept", version="41"))
        assert (kept.password, kept.version, kept.manifest) == ("kept", 41, None)

    @pytest.mark.parametrize("lost", [{"password": ""}, {"username": "another"}, {"version": ""}, {"version": "-1"}])
    def test_without_its_content_is_issued_anew(self, lost: dict[str, str]) -> None:
        issued = credentials(wished(), found(**lost))
        assert issued.manifest is not None
        assert issued.manifest["metadata"]["resourceVersion"] == "41"

    def test_is_rotated_when_the_annotation_is_another_one(self) -> None:
        asked = body()
        asked["metadata"]["annotations"] = {ROTATE_ANNOTATION: "2026-11"}
        issued = credentials(MerchantObject.of(asked), found(password="old"))
        assert issued.password != "old"
        assert issued.manifest is not None
        assert issued.manifest["metadata"]["annotations"] == {ROTATE_ANNOTATION: "2026-11"}
        again = credentials(MerchantObject.of(asked), {**issued.manifest, "metadata": {**issued.manifest["metadata"]}})
        assert (again.password, again.manifest) == (issued.password, None)

    def test_below_the_version_in_force_is_issued_anew_above_it(self) -> None:
        late = found(password="restored", version="41")
        assert credentials(wished(), late, 41).password == "restored"
        issued = credentials(wished(), late, 9_000_000_000_000_000)
        assert (issued.password != "restored", issued.version) == (True, 9_000_000_000_000_001)

    @pytest.mark.parametrize("owners", [[], [{"uid": "another"}]])
    def test_of_somebody_else_is_left_alone(self, owners: list[dict[str, str]]) -> None:
        theirs = found()
        theirs["metadata"]["ownerReferences"] = owners
        with pytest.raises(SecretNotOwned, match="shop-credentials is there and does not belong"):
            credentials(wished(), theirs)


class TestTheVersion:
    def test_rises_with_each_password_and_is_in_the_secret(self) -> None:
        issued = credentials(wished(), found(password="", version="9000000000000000"))
        assert issued.version == 9_000_000_000_000_001
        assert text(issued.manifest, "version") == "9000000000000001"

    def test_rises_when_the_secret_is_lost(self) -> None:
        first = credentials(wished(), None).version
        time.sleep(0.002)
        assert credentials(wished(), None).version > first > 1_700_000_000_000


class TestText:
    @pytest.mark.parametrize(("encoded", "expected"), [
        ("aGVsbG8K", "hello"), ("", None), ("%%%", None), ("/w==", None), (None, None),
    ])  # fmt: skip
    def test_is_what_the_key_holds_or_nothing(self, encoded: str | None, expected: str | None) -> None:
        assert text({"data": {"account": encoded}}, "account") == expected

    def test_of_no_secret_is_nothing(self) -> None:
        assert text(None, "account") is None
        assert text({}, "account") is None
