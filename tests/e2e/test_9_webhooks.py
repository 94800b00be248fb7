"""A receiver in the cluster hears of withdrawals, whatever becomes of the pods that tell it."""

import json
from collections.abc import Iterator

import pytest
from integration.api import Api
from integration.waiting import wait_until

from etebar_client import Etebar
from etebar_client.webhooks import verify

from .cluster import ADDRESS, Cluster

RECEIVERS = "receivers"
PORT = 8080
SENDS = "app.kubernetes.io/component=core-webhooks"
# a line of its log for each request: headers and body
RECEIVER = f"""
import http.server, json, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        line = json.dumps({{"headers": {{k.lower(): v for k, v in self.headers.items()}}, "body": body}})
        sys.stdout.write(line + chr(10))
        self.send_response(204)
        self.end_headers()
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("", {PORT}), Handler).serve_forever()
"""


def receiver(tag: str) -> str:
    """A pod that takes everything, and its Service."""
    container = {
        "name": "receiver",
        "image": f"etebar-core:{tag}",
        "command": ["python3", "-uc", RECEIVER],
        "ports": [{"containerPort": PORT}],
    }
    labels = {"app": "receiver"}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "receiver", "labels": labels},
        "spec": {"terminationGracePeriodSeconds": 1, "containers": [container]},
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "receiver"},
        "spec": {"selector": labels, "ports": [{"port": PORT}]},
    }
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": [pod, service]})


@pytest.fixture
def place(cluster: Cluster) -> Iterator[Cluster]:
    place = Cluster(cluster.tag, RECEIVERS)
    cluster.kubectl("create", "namespace", RECEIVERS)
    place.kubectl("apply", "-f", "-", text=receiver(cluster.tag))
    place.kubectl("wait", "--for=condition=Ready", "pod/receiver", "--timeout=2m")
    yield place
    cluster.kubectl("delete", "namespace", RECEIVERS, "--wait=false")


class TestAReceiver:
    def test_hears_of_each_withdrawal_once_signed_while_pods_are_killed(
        self, cluster: Cluster, api: Api, place: Cluster
    ) -> None:
        merchant, made = api.merchant(), set[str]()
        body = {"name": "e2e", "scopes": ["withdrawals:write", "webhooks:manage"]}
        key = api.must("POST", "/api-keys", body, merchant.token)["key"]
        with Etebar("http://{}:{}".format(*ADDRESS), api_key=key) as etebar:
            webhook = etebar.webhook_create(f"http://receiver.{RECEIVERS}:{PORT}/hook")
            secrets = etebar.webhook_secrets(webhook.id)
            for number in range(12):
                made.add(etebar.withdraw("1.00").id)
                if number == 6:
                    cluster.kubectl("delete", "pod", f"--selector={SENDS}", "--wait=false")
        path = f"/webhooks/{webhook.id}"
        expected = {f"wd_{each}_{state}" for each in made for state in ("pending", "settled")}

        def told() -> list[dict[str, object]]:
            return [json.loads(line) for line in place.kubectl("logs", "receiver").splitlines()]

        # a pod that was killed before it could record leaves its claim for a minute
        wait_until("all is told", lambda: expected <= {each["headers"]["webhook-id"] for each in told()}, 120)
        for each in told():
            verify(each["body"], each["headers"], secrets)
        log = api.must("GET", f"{path}/deliveries?limit=200", headers=merchant.token)["results"]
        assert {each["event_id"] for each in log} == expected
        wait_until(
            "all is recorded",
            lambda: not api.must("GET", f"{path}/deliveries?state=pending", headers=merchant.token)["results"],
            120,
        )

    def test_inside_the_release_is_not_told(self, cluster: Cluster, api: Api) -> None:
        """The address is in an allowed network here, so that the NetworkPolicy alone is what holds."""
        merchant = api.merchant()
        settlement = cluster.pods("settlement")[0]["status"]["podIP"]
        endpoint = api.must("POST", "/webhooks", {"url": f"http://{settlement}:9000/"}, merchant.token)
        delivery = api.must("POST", f"/webhooks/{endpoint['id']}/test", {}, merchant.token)
        path = f"/webhooks/{endpoint['id']}/deliveries/{delivery['id']}"

        def attempts() -> list[dict[str, object]]:
            return list(api.must("GET", path, headers=merchant.token)["log"])

        wait_until("it was tried", attempts, 60)
        assert attempts()[0]["status"] is None
