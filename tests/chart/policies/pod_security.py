"""The restricted Pod Security Standard of Kubernetes 1.34, as its documentation states it, and what we add."""

from collections.abc import Iterator, Mapping
from typing import Any

from chart.rendered import RELEASE, Rendered
from etebar_deploy.workloads import PodTemplate

VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
SELINUX_TYPES = {"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}
SYSCTLS = {
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
}
OPERATOR = "operator"
KEPT = {"list", "watch", "patch"}
# at most; Secrets one by one, by name
RIGHTS = {
    "merchants": KEPT,
    "merchants/status": {"patch"},
    "pooltopups": KEPT,
    "pooltopups/status": {"patch"},
    "creditpools": {"get", "create", "patch"},
    "creditpools/status": {"patch"},
    "secrets": {"get", "create", "patch"},
    "events": {"create"},
}
Security = Mapping[str, Any]


def restricted(rendered: Rendered) -> Iterator[str]:
    """Every pod would be admitted to a namespace that enforces `restricted`."""
    for pod in rendered.pods:
        yield from (f"{pod.name}: {problem}" for problem in _pod(pod))
        for container in pod.containers:
            for problem in _container(container, pod.spec.get("securityContext") or {}):
                yield f"{pod.name}: {container['name']}: {problem}"


def own_user(rendered: Rendered) -> Iterator[str]:
    """Every pod says by itself that it runs as 10001: an image's word is not relied on."""
    for pod in rendered.pods:
        own = pod.spec.get("securityContext") or {}
        if (own.get("runAsUser"), own.get("runAsGroup"), own.get("fsGroup")) != (10001, 10001, 10001):
            yield f"{pod.name}: does not run as 10001:10001"


def read_only_root(rendered: Rendered) -> Iterator[str]:
    """No container can write to its own root file system."""
    for pod in rendered.pods:
        for container in pod.containers:
            if not (container.get("securityContext") or {}).get("readOnlyRootFilesystem"):
                yield f"{pod.name}: {container['name']}: the root file system can be written"


def no_token(rendered: Rendered) -> Iterator[str]:
    """No pod but the operator's can speak to the Kubernetes API: neither its account nor a volume brings a token."""
    for pod in rendered.pods:
        if pod.spec.get("automountServiceAccountToken") is not (pod.component == OPERATOR):
            yield f"{pod.name}: mounts a token of its service account"
        for volume in pod.spec.get("volumes") or []:
            if any("serviceAccountToken" in source for source in volume.get("projected", {}).get("sources", [])):
                yield f"{pod.name}: volume {volume['name']} is a token"
    for account in rendered.of_kind("ServiceAccount"):
        if account.get("automountServiceAccountToken") is not False:
            yield f"ServiceAccount/{account['metadata']['name']}: gives pods a token"


def rights(rendered: Rendered) -> Iterator[str]:
    """They are the operator's, each named, and no more than its work needs."""
    for binding in rendered.of_kind("RoleBinding", "ClusterRoleBinding"):
        account = {"kind": "ServiceAccount", "name": OPERATOR, "namespace": RELEASE}
        if binding["subjects"] != [account]:
            yield f"{binding['kind']}/{binding['metadata']['name']}: gives rights to {binding['subjects']}"
    for role in rendered.of_kind("Role", "ClusterRole"):
        for rule in role["rules"]:
            for resource in rule["resources"]:
                for verb in set(rule["verbs"]) - RIGHTS.get(resource, set()):
                    yield f"{role['kind']}/{role['metadata']['name']}: may {verb} {resource}"


def _pod(pod: PodTemplate) -> Iterator[str]:
    spec = pod.spec
    yield from (f"{field} is on" for field in ("hostNetwork", "hostPID", "hostIPC") if spec.get(field))
    for volume in spec.get("volumes") or []:
        yield from (f"volume {volume['name']} is a {kind}" for kind in volume.keys() - VOLUMES - {"name"})
    own = spec.get("securityContext") or {}
    for sysctl in own.get("sysctls") or []:
        if sysctl["name"] not in SYSCTLS:
            yield f"sysctl {sysctl['name']} is not safe"
    yield from _either(own)


def _container(container: Security, of_pod: Security) -> Iterator[str]:
    own = container.get("securityContext") or {}
    effective = {**of_pod, **own}
    if own.get("privileged"):
        yield "is privileged"
    if own.get("allowPrivilegeEscalation") is not False:
        yield "allowPrivilegeEscalation is not false"
    if own.get("procMount", "Default") != "Default":
        yield "procMount is not the default"
    if effective.get("runAsNonRoot") is not True:
        yield "runAsNonRoot is not true"
    if effective.get("seccompProfile", {}).get("type") not in {"RuntimeDefault", "Localhost"}:
        yield "has no seccomp profile"
    yield from _capabilities(own.get("capabilities") or {})
    yield from (f"hostPort {port['hostPort']}" for port in container.get("ports") or [] if port.get("hostPort"))
    yield from _either(own)


def _capabilities(own: Security) -> Iterator[str]:
    if "ALL" not in (own.get("drop") or []):
        yield "does not drop all capabilities"
    yield from (f"adds the capability {name}" for name in own.get("add") or [] if name != "NET_BIND_SERVICE")


def _either(own: Security) -> Iterator[str]:
    """What a pod and a container can say wrong alike."""
    if own.get("runAsUser") == 0:
        yield "runs as root"
    selinux = own.get("seLinuxOptions") or {}
    if selinux.get("type", "") not in SELINUX_TYPES or selinux.get("user") or selinux.get("role"):
        yield "has SELinux options"
    if own.get("appArmorProfile", {}).get("type") == "Unconfined":
        yield "is not confined by AppArmor"
    if (own.get("windowsOptions") or {}).get("hostProcess"):
        yield "is a Windows host process"


POLICIES = (restricted, own_user, read_only_root, no_token, rights)
