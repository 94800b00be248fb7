"""What the operator asks the API server beside kopf: single Secrets, the CreditPool, and whether it may look.

Raises ClusterUnavailable.
"""

import os
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

import aiohttp
from kubernetes_asyncio import client, config
from kubernetes_asyncio.client.exceptions import ApiException

from onboarding.conditions import rfc3339
from onboarding.desired import GROUP, MERCHANTS, VERSION
from onboarding.errors import ClusterUnavailable
from onboarding.status import Event

FORBIDDEN, NOT_FOUND = 403, 404
COMPONENT = "etebar-onboarding"
TIMEOUT = {"_request_timeout": 10}
MERGE = {"_content_type": "application/merge-patch+json"}
T = TypeVar("T")


class Cluster:
    """`connected` makes one."""

    def __init__(self, api: client.ApiClient) -> None:
        self._api = api
        # generated: they take mappings where they name models
        self._core: Any = client.CoreV1Api(api)
        self._objects: Any = client.CustomObjectsApi(api)

    async def has_kinds(self) -> bool:
        """Whether the API server knows our group and version."""
        return await _found(self._objects.get_api_resources(GROUP, VERSION, **TIMEOUT)) is not None

    async def may_list(self, namespace: str) -> bool:
        """Whether Merchants of the namespace can be read."""
        where = (GROUP, VERSION, namespace, MERCHANTS)
        try:
            await _asked(self._objects.list_namespaced_custom_object(*where, limit=1, **TIMEOUT))
        except ApiException as error:
            if error.status in {FORBIDDEN, NOT_FOUND}:
                return False
            raise _unavailable(error) from error
        return True

    async def find(self, namespace: str, name: str) -> Mapping[str, Any] | None:
        """The Secret as it is; None when there is none."""
        found = await _found(self._core.read_namespaced_secret(name, namespace, **TIMEOUT))
        return None if found is None else dict(self._api.sanitize_for_serialization(found))

    async def write(self, manifest: Mapping[str, Any]) -> None:
        """Creates the Secret, or changes the version of it that the manifest names."""
        metadata = manifest["metadata"]
        name, namespace = metadata["name"], metadata["namespace"]
        if "resourceVersion" in metadata:
            await _done(self._core.patch_namespaced_secret(name, namespace, dict(manifest), **MERGE, **TIMEOUT))
        else:
            await _done(self._core.create_namespaced_secret(namespace, dict(manifest), **TIMEOUT))

    async def ensure(self, plural: str, manifest: Mapping[str, Any]) -> Mapping[str, Any]:
        """The object of our group as it is; made, or given this spec, if need be."""
        where = (*_place(plural, manifest["metadata"]), manifest["metadata"]["name"])
        found = await self._object(where)
        if found is None:
            await _done(self._objects.create_namespaced_custom_object(*where[:-1], dict(manifest), **TIMEOUT))
        elif found["spec"] != manifest["spec"]:
            change = {"spec": manifest["spec"]}
            await _done(self._objects.patch_namespaced_custom_object(*where, change, **MERGE, **TIMEOUT))
        else:
            return found
        made = await self._object(where)
        if made is None:
            raise ClusterUnavailable(f"{plural} {where[-1]} was deleted meanwhile")
        return made

    async def _object(self, where: tuple[str, ...]) -> dict[str, Any] | None:
        return await _found(self._objects.get_namespaced_custom_object(*where, **TIMEOUT))

    async def show(self, plural: str, body: Mapping[str, Any], status: Mapping[str, Any]) -> None:
        """Changes these members of an object's status."""
        if status:
            where = (*_place(plural, body["metadata"]), body["metadata"]["name"])
            change = {"status": dict(status)}
            await _done(self._objects.patch_namespaced_custom_object_status(*where, change, **MERGE, **TIMEOUT))

    async def tell(self, body: Mapping[str, Any], event: Event) -> None:
        """Makes an event about an object."""
        metadata, now = body["metadata"], rfc3339(datetime.now(UTC))
        about = {name: body[name] for name in ("apiVersion", "kind")}
        about |= {name: metadata[name] for name in ("namespace", "name", "uid")}
        made = {
            "metadata": {"generateName": "onboarding-", "namespace": metadata["namespace"]},
            "involvedObject": about,
            "source": {"component": COMPONENT},
            "reportingComponent": COMPONENT,
            "type": event.type,
            "reason": event.reason,
            "message": event.message,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
        await _done(self._core.create_namespaced_event(metadata["namespace"], made, **TIMEOUT))


def _place(plural: str, metadata: Mapping[str, Any]) -> tuple[str, str, str, str]:
    return GROUP, VERSION, metadata["namespace"], plural


async def _found(call: Awaitable[T]) -> T | None:
    try:
        return await _asked(call)
    except ApiException as error:
        if error.status == NOT_FOUND:
            return None
        raise _unavailable(error) from error


async def _done(call: Awaitable[T]) -> T:
    try:
        return await _asked(call)
    except ApiException as error:
        # a conflict, too: somebody else wrote meanwhile, and the next round reads it
        raise _unavailable(error) from error


async def _asked(call: Awaitable[T]) -> T:
    try:
        return await call
    except (aiohttp.ClientError, TimeoutError) as error:
        raise ClusterUnavailable(f"the API server does not answer: {error or type(error).__name__}") from error


def _unavailable(error: ApiException) -> ClusterUnavailable:
    return ClusterUnavailable(f"the API server answered {error.status}: {error.reason}")


@asynccontextmanager
async def connected() -> AsyncIterator[Cluster]:
    """As the pod's service account; outside of a cluster as the kubeconfig says."""
    configuration = client.Configuration()
    try:
        config.load_incluster_config(  # type: ignore[no-untyped-call]
            client_configuration=configuration
        )
    except config.ConfigException:
        # named, for the library reads the variable when it is imported only
        file = os.environ.get("KUBECONFIG")
        await config.load_kube_config(config_file=file, client_configuration=configuration)
    async with client.ApiClient(configuration) as api:
        yield Cluster(api)
