"""Keys are rotated as their runbooks say, under load: nobody is signed out before the end, and everybody is paid."""

from pathlib import Path

from integration.api import Api, Merchant
from integration.waiting import wait_until

from e2e.cluster import Cluster, follow
from e2e.load import assert_true, steady_load
from e2e.test_9_webhooks import PORT, RECEIVERS, place

__all__ = ["place"]


def is_signed_in(api: Api, merchant: Merchant) -> bool:
    return api.send("GET", "/me", headers=merchant.token).status_code == 200


class TestTheKeyOfAccounts:
    def test_is_rotated_while_merchants_are_paid_and_told(
        self, cluster: Cluster, api: Api, place: Cluster, tmp_path: Path
    ) -> None:
        merchant = api.merchant()
        url = f"http://receiver.{RECEIVERS}:{PORT}/hook"
        webhook = api.must("POST", "/webhooks", {"url": url}, merchant.token)["id"]
        before = cluster.secret("etebar-account-key")["account-encryption-key"]
        with steady_load(api, tmp_path) as load:
            printed = []
            for step in follow("rotate-account-key.md"):
                printed.append(step)
                load.go_on()
        assert load.faults == {}, load.summary
        after = cluster.secret("etebar-account-key")
        assert after["account-encryption-key"] != before
        assert after["account-encryption-keys-previous"] == ""
        # nothing of the old key is left, which is gone
        command = ("python", "manage.py", "reencrypt_accounts")
        again = cluster.execute("deploy/core-web", *command, container="web")
        assert "encrypted: 0" in again
        assert "secrets of webhooks: 0" in again
        paid = merchant.withdraw().json()
        assert paid["state"] == "settled"
        path = f"/webhooks/{webhook}/deliveries?state=delivered"

        def delivered() -> bool:
            found = api.must("GET", path, headers=merchant.token)["results"]
            return f"wd_{paid['id']}_settled" in {each["event_id"] for each in found}

        wait_until("its webhook is told", delivered, 120)
        assert_true(cluster, load)


class TestTheKeyOfTokens:
    """The last: whoever was signed in is not any more."""

    def test_is_rotated_and_ends_old_tokens_with_its_last_step(
        self, cluster: Cluster, api: Api, tmp_path: Path
    ) -> None:
        merchant = api.merchant()
        steps = follow("rotate-jwt-key.md")
        with steady_load(api, tmp_path) as load:
            for _ in ("every pod knows the new key", "it signs"):
                next(steps)
                load.go_on()
        assert load.faults == {}, load.summary
        assert_true(cluster, load)
        assert is_signed_in(api, merchant)
        with cluster.api() as anew:
            later = anew.merchant()
            next(steps)
            # pods that end still serve for a while
            wait_until("the old key is not believed", lambda: not is_signed_in(api, merchant), 60)
            assert is_signed_in(anew, later)
            assert later.withdraw().json()["state"] == "settled"
