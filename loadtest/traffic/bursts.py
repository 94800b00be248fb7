"""Quiet, a spike, quiet again: how long answers take once the spike is over is what to look at."""

import os

from locust import LoadTestShape

from traffic.mixed import MixedUser

QUIET_USERS = int(os.environ.get("QUIET_USERS", "20"))
BURST_USERS = int(os.environ.get("BURST_USERS", "300"))
BURST_SECONDS = float(os.environ.get("BURST_SECONDS", "20"))


class Bursts(LoadTestShape):
    """Three parts of BURST_SECONDS each; everybody comes and goes at once. Instead of --users and --run-time."""

    def tick(self) -> tuple[int, float] | None:
        """Users and spawn rate now; None ends the run."""
        parts = (QUIET_USERS, BURST_USERS, QUIET_USERS)
        part = int(self.get_run_time() // BURST_SECONDS)
        return (parts[part], float(BURST_USERS)) if part < len(parts) else None


EXPOSED = (MixedUser, Bursts)
