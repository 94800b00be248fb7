"""Commands as people type them."""

import subprocess
from pathlib import Path

from etebar_quickstart import paths
from etebar_quickstart.stack import Stack


def shell(stack: Stack, command: str, directory: Path = paths.CORE) -> subprocess.CompletedProcess[str]:
    """A command as a person types it, with what `etebar_quickstart env` exports."""
    return subprocess.run(
        ["sh", "-c", command],
        check=False,
        cwd=directory,
        env=stack.environments.shell(),
        capture_output=True,
        text=True,
        timeout=120,
    )
