"""Ways to break a rendered chart, each for one policy, with a word that the policy must say of it."""

from chart.doctored import network, objects, pod_security, pods, secrets, workloads
from chart.doctored.helpers import Doctor

DOCTORED: list[tuple[str, str, Doctor]] = [
    broken for module in (pod_security, pods, workloads, objects, network, secrets) for broken in module.BROKEN
]
