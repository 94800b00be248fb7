"""Each policy of pods.py broken: its name, a word that it must say, and how."""

from chart.doctored.helpers import Doctor, container, job_pod, pod

BROKEN: list[tuple[str, str, Doctor]] = [
    ("pods.pinned_images", "no version", lambda r: container(r).update(image="etebar-core:latest")),
    (
        "pods.pinned_images",
        "no version",
        lambda r: job_pod(r)["initContainers"][0].update(image="registry:5000/etebar-core"),
    ),
    ("pods.our_images", "is not from", lambda r: container(r).update(image="docker.io/library/busybox:1.37")),
    ("pods.resources", "limits.memory", lambda r: job_pod(r)["containers"][0]["resources"].pop("limits")),
    ("pods.resources", "requests.cpu", lambda r: container(r)["resources"]["requests"].pop("cpu")),
    ("pods.probes", "livenessProbe", lambda r: container(r, "settlement").pop("livenessProbe")),
    ("pods.probes", "startupProbe", lambda r: pod(r)["initContainers"][0].pop("startupProbe")),
    ("pods.waits", "restartPolicy", lambda r: job_pod(r).update(restartPolicy="OnFailure")),
    ("pods.time_to_end", "killed", lambda r: pod(r).update(terminationGracePeriodSeconds=8)),
    ("pods.nothing_unused", "mounted nowhere", lambda r: pod(r)["volumes"].append({"name": "spare", "emptyDir": {}})),
    (
        "pods.nothing_unused",
        "no volume",
        lambda r: container(r)["volumeMounts"].append({"name": "gone", "mountPath": "/gone"}),
    ),
]
