"""The operator: its connections and kopf's settings."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import AsyncExitStack

import kopf
from prometheus_client import start_http_server

from onboarding import cluster, core_client
from onboarding.backoffs import Endless
from onboarding.cluster import COMPONENT, Cluster
from onboarding.core_client import CoreClient
from onboarding.environment import OperatorEnvironment
from onboarding.handlers import PREFIX, Handlers
from onboarding.merchants import MerchantReconciler
from onboarding.namespaces import NamespaceKeeper
from onboarding.pool_keeper import PoolKeeper

# A watch ends after so long and begins anew; the client's is longer, for a connection that died without a word.
SERVER_SECONDS, CLIENT_SECONDS = 240, 260
CONNECT_SECONDS, REQUEST_SECONDS = 10.0, 30.0
KINDS_TRIES, KINDS_PAUSE_SECONDS = 15, 2.0


class KindsMissing(Exception):  # noqa: N818 - a fact
    """The API server does not know our objects."""


async def serve(settings: OperatorEnvironment) -> None:
    """Keeps objects until it is told to end. Raises KindsMissing and ClusterUnavailable, at the start only."""
    async with AsyncExitStack() as stack:
        kubernetes = await stack.enter_async_context(cluster.connected())
        token = settings.operator_token.get_secret_value()
        core = await stack.enter_async_context(
            core_client.connected(settings.core_url, token, settings.core_timeout_seconds)
        )
        await _require_kinds(kubernetes)
        if settings.metrics_port:
            server, _ = start_http_server(settings.metrics_port)
            stack.callback(server.shutdown)
        # a defect in one ends all, and the kubelet starts them anew
        group = await stack.enter_async_context(asyncio.TaskGroup())
        keepers = [group.create_task(each) for each in _keepers(settings, core, kubernetes)]
        registry = kopf.OperatorRegistry()
        reconciler = MerchantReconciler(core, kubernetes, settings.etebar_profile.is_sandboxed)
        Handlers(settings, core, reconciler).add_to(registry)
        await _run(settings, registry)
        for keeper in keepers:
            keeper.cancel()


def _keepers(
    settings: OperatorEnvironment, core: CoreClient, kubernetes: Cluster
) -> Iterator[Coroutine[None, None, None]]:
    """What runs beside kopf."""
    yield PoolKeeper(settings, core, kubernetes).keep()
    if not settings.watches_all:
        yield NamespaceKeeper(kubernetes, settings.namespaces, settings.resync_seconds).keep()


async def _run(settings: OperatorEnvironment, registry: kopf.OperatorRegistry) -> None:
    await kopf.operator(
        registry=registry,
        settings=kopf_settings(),
        standalone=True,
        clusterwide=settings.watches_all,
        namespaces=() if settings.watches_all else settings.namespaces,
        liveness_endpoint=f"http://0.0.0.0:{settings.liveness_port}/healthz" if settings.liveness_port else None,
    )


def kopf_settings() -> kopf.OperatorSettings:
    """What kopf leaves open, and what it would do that needs more rights than we have."""
    settings = kopf.OperatorSettings()
    settings.persistence.finalizer = f"{PREFIX}/finalizer"
    settings.persistence.progress_storage = kopf.AnnotationsProgressStorage(prefix=PREFIX)
    settings.persistence.diffbase_storage = kopf.AnnotationsDiffBaseStorage(prefix=PREFIX)
    settings.watching.server_timeout, settings.watching.client_timeout = SERVER_SECONDS, CLIENT_SECONDS
    settings.watching.connect_timeout = settings.networking.connect_timeout = CONNECT_SECONDS
    settings.networking.request_timeout = REQUEST_SECONDS
    settings.networking.error_backoffs = Endless()
    # neither namespaces nor definitions are listed: no right in the whole cluster is needed
    settings.scanning.disabled = True
    # events tell of transitions, not of log lines
    settings.posting.loggers = False
    settings.posting.reporting_component = COMPONENT
    settings.posting.event_name_prefix = "onboarding-"
    return settings


async def _require_kinds(kubernetes: Cluster) -> None:
    for _ in range(KINDS_TRIES):
        if await kubernetes.has_kinds():
            return
        # definitions that were made just now are not served at once
        await asyncio.sleep(KINDS_PAUSE_SECONDS)
    raise KindsMissing("the API server does not know etebar.dev/v1alpha1; install the chart with crds.install=true")
