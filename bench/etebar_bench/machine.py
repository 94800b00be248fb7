"""What the numbers were measured on."""

import os
import platform
import subprocess
from pathlib import Path

import psutil

from etebar_quickstart import paths


def facts() -> dict[str, str | int]:
    """CPU, cores, memory in bytes, file system of the data, kernel, Python, commit of the repository."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count() or 0,
        "memory_bytes": psutil.virtual_memory().total,
        "file_system": _file_system(paths.state_directory()),
        "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "commit": _commit(),
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _file_system(path: Path) -> str:
    """That of the longest mount point above `path`."""
    mounts = [part for part in psutil.disk_partitions(all=True) if path.is_relative_to(part.mountpoint)]
    return max(mounts, key=lambda part: len(part.mountpoint)).fstype if mounts else "unknown"


def _commit() -> str:
    """`1a2b3c4`, with `+` when there is something that is not committed; `unknown` outside a repository."""
    command = ["git", "-C", str(paths.REPOSITORY), "describe", "--always", "--exclude", "*", "--dirty=+"]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True)
    except OSError:
        return "unknown"
    return done.stdout.strip() or "unknown"
