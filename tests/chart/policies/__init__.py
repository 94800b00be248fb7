"""What we say of every rendered chart. A policy tells what breaks it; test_policies_can_fail.py breaks each."""

from collections.abc import Callable, Iterator

from chart.policies import network, objects, pod_security, pods, secrets, workloads
from chart.rendered import Rendered

Policy = Callable[[Rendered], Iterator[str]]

POLICIES: dict[str, Policy] = {
    f"{module.__name__.rpartition('.')[2]}.{policy.__name__}": policy
    for module in (pod_security, pods, workloads, objects, network, secrets)
    for policy in module.POLICIES
}
