"""Each policy of pod_security.py broken: its name, a word that it must say, and how."""

from chart.doctored.helpers import Doctor, container, job_pod, mount, pod

BROKEN: list[tuple[str, str, Doctor]] = [
    ("pod_security.restricted", "hostNetwork", lambda r: pod(r).update(hostNetwork=True)),
    (
        "pod_security.restricted",
        "hostPath",
        lambda r: pod(r)["volumes"].append({"name": "host", "hostPath": {"path": "/"}}),
    ),
    (
        "pod_security.restricted",
        "sysctl",
        lambda r: pod(r)["securityContext"].update(sysctls=[{"name": "kernel.msgmax"}]),
    ),
    ("pod_security.restricted", "as root", lambda r: pod(r)["securityContext"].update(runAsUser=0)),
    ("pod_security.restricted", "runAsNonRoot", lambda r: pod(r)["securityContext"].pop("runAsNonRoot")),
    ("pod_security.restricted", "seccomp", lambda r: job_pod(r)["securityContext"].pop("seccompProfile")),
    (
        "pod_security.restricted",
        "SELinux",
        lambda r: pod(r)["securityContext"].update(seLinuxOptions={"type": "spc_t"}),
    ),
    (
        "pod_security.restricted",
        "AppArmor",
        lambda r: container(r)["securityContext"].update(appArmorProfile={"type": "Unconfined"}),
    ),
    (
        "pod_security.restricted",
        "host process",
        lambda r: pod(r)["securityContext"].update(windowsOptions={"hostProcess": True}),
    ),
    ("pod_security.restricted", "privileged", lambda r: container(r)["securityContext"].update(privileged=True)),
    ("pod_security.restricted", "Escalation", lambda r: job_pod(r)["initContainers"][0].pop("securityContext")),
    ("pod_security.restricted", "procMount", lambda r: container(r)["securityContext"].update(procMount="Unmasked")),
    ("pod_security.restricted", "does not drop", lambda r: container(r)["securityContext"].pop("capabilities")),
    (
        "pod_security.restricted",
        "NET_ADMIN",
        lambda r: container(r)["securityContext"]["capabilities"].update(add=["NET_ADMIN"]),
    ),
    ("pod_security.restricted", "hostPort", lambda r: container(r)["ports"][0].update(hostPort=80)),
    ("pod_security.own_user", "10001", lambda r: pod(r)["securityContext"].pop("runAsUser")),
    (
        "pod_security.read_only_root",
        "can be written",
        lambda r: r.one("Pod", "test-story")["spec"]["containers"][0].pop("securityContext"),
    ),
    ("pod_security.no_token", "mounts a token", lambda r: job_pod(r).pop("automountServiceAccountToken")),
    (
        "pod_security.no_token",
        "is a token",
        lambda r: mount(r, "redis", {"projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}),
    ),
    (
        "pod_security.no_token",
        "gives pods",
        lambda r: r.one("ServiceAccount", "redis").pop("automountServiceAccountToken"),
    ),
    (
        "pod_security.rights",
        "operator: may list secrets",
        lambda r: r.one("Role", "etebar-operator")["rules"].append({"resources": ["secrets"], "verbs": ["list"]}),
    ),
    (
        "pod_security.rights",
        "gives rights to",
        lambda r: r.one("RoleBinding", "etebar-operator")["subjects"][0].update(name="core-web"),
    ),
]
