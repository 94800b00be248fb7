"""A namespace that cannot be read any more waits alone: deleted by its team, or without its Role."""

import itertools

import kmock
import pytest
from emulated_kubernetes import MERCHANTS, Emulator, Kubernetes, change, impatient, operating, ready
from onboarding_helpers import Core, body, settings, until
from prometheus_client import REGISTRY

from onboarding import operator
from onboarding.backoffs import Endless
from onboarding.errors import ClusterUnavailable
from onboarding.namespaces import NamespaceKeeper
from onboarding.operator import kopf_settings

# more than kopf takes by its own settings before it ends
REFUSALS = 60


def unreachable() -> float | None:
    return REGISTRY.get_sample_value("etebar_onboarding_namespaces_unreachable")


class TestTheWaits:
    def test_double_and_never_end(self) -> None:
        waits = kopf_settings().networking.error_backoffs
        assert not isinstance(waits, float)
        for _ in range(2):
            begun = list(itertools.islice(waits, 2000))
            assert begun[:6] == [1.0, 2.0, 4.0, 8.0, 15.0, 15.0]
            assert begun[-1] == 15.0


class Cluster:
    def __init__(self) -> None:
        self.answers: dict[str, bool | ClusterUnavailable] = {}

    async def may_list(self, namespace: str) -> bool:
        answer = self.answers[namespace]
        if isinstance(answer, ClusterUnavailable):
            raise answer
        return answer


class TestALook:
    async def test_is_told_when_something_changed_only(self, caplog: pytest.LogCaptureFixture) -> None:
        cluster = Cluster()
        keeper = NamespaceKeeper(cluster, ["team-a", "team-b"], 60.0)
        caplog.set_level("INFO")
        for answer in (True, False, False, ClusterUnavailable("away"), True, True):
            cluster.answers = {"team-a": True, "team-b": answer}
            for namespace in keeper.namespaces:
                await keeper._look(namespace)
        told = [(record.levelname, record.getMessage()) for record in caplog.records]
        assert told == [
            ("ERROR", "the namespace team-b cannot be read: was it deleted, or its Role? Its objects wait"),
            ("INFO", "the namespace team-b can be read again"),
        ]


@pytest.mark.kmock(cls=Emulator)
class TestANamespaceThatIsForbidden:
    @pytest.fixture(autouse=True)
    def impatient(self, kubernetes: Kubernetes, monkeypatch: pytest.MonkeyPatch) -> None:
        """The operator's own settings, with waits that are as endless, but short."""
        waits = impatient()
        waits.networking.error_backoffs = Endless(0.05, 0.05)
        monkeypatch.setattr(operator, "kopf_settings", lambda: waits)

    async def test_leaves_the_others_objects_kept_and_is_kept_again(self, kubernetes: Kubernetes, core: Core) -> None:
        asked = kubernetes.server["get /apis/etebar.dev/v1alpha1/namespaces/closed/merchants"]
        asked[:REFUSALS] << kmock.KubernetesError(status=403)
        kubernetes.put(MERCHANTS, body())
        theirs = body(name="theirs", uid="theirs", username="theirs")
        theirs["metadata"]["namespace"] = "closed"
        kubernetes.server.objects[MERCHANTS, "closed", "theirs"] = theirs
        async with operating(settings(core.url, watch_namespaces=["shops", "closed"], resync_seconds=0.2)):
            await until("it is counted", lambda: unreachable() == 1)
            await ready(kubernetes)
            await change(kubernetes, creditLimit="250.00")
            await until("the change is kept", lambda: kubernetes.shown()["status"]["creditLimit"] == "250.00")
            assert "/internal/v1/merchants/closed/theirs" not in core.merchants
            await until("theirs is kept, too", lambda: "/internal/v1/merchants/closed/theirs" in core.merchants)
            await until("it is counted no more", lambda: unreachable() == 0)
        assert len(asked) > REFUSALS
