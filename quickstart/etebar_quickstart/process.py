"""One child process: in a session of its own, with a log file, ended by the id that we started it under."""

import contextlib
import dataclasses
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil

from etebar_quickstart.account import Account
from etebar_quickstart.errors import QuickstartError
from etebar_quickstart.record import ProcessRecord, Started

STOP_TIMEOUT_SECONDS = 10.0
READY_TIMEOUT_SECONDS = 60.0
LARGEST_LOG_BYTES = 5_000_000
POLL_SECONDS = 0.03


@dataclasses.dataclass(frozen=True)
class Program:
    """What to run: `ready` is asked until it is true; `stop_signal` asks it to end."""

    name: str
    arguments: Sequence[str]
    directory: Path
    environment: Mapping[str, str]
    ready: Callable[[], bool]
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    input_text: str | None = None


class ManagedProcess:
    """Starts, watches and ends one program."""

    def __init__(self, program: Program, *, logs: Path, record: ProcessRecord) -> None:
        self.program = program
        self.log = logs / f"{program.name}.log"
        self._record = record
        self._popen: subprocess.Popen[str] | None = None
        self._log_offset = 0
        self._reaping = threading.Lock()
        self._is_watched = False

    @property
    def name(self) -> str:
        return self.program.name

    @property
    def pid(self) -> int:
        """The id of the process that runs, or ran last."""
        if self._popen is None:
            raise QuickstartError(f"{self.name} was not started")
        return self._popen.pid

    @property
    def is_running(self) -> bool:
        return self._popen is not None and not self._has_exited()

    @property
    def has_died(self) -> bool:
        """Whether it ended after it had been ready, although nobody here told it to."""
        return self._is_watched and not self.is_running

    def start(self) -> None:
        """Starts it; it is not ready yet."""
        if self.is_running:
            return
        with self._open_log() as log:
            self._popen = self._spawn(log)
        with contextlib.suppress(psutil.NoSuchProcess):
            self._record.add(Started.of(self.name, self._popen.pid))
        self._give_input()

    def wait_ready(self, timeout_seconds: float = READY_TIMEOUT_SECONDS) -> None:
        """Waits until it is ready; raises QuickstartError when it ends first or the time is over."""
        deadline = time.monotonic() + timeout_seconds
        while not self.program.ready():
            if not self.is_running:
                raise QuickstartError(f"{self.name} {self.how_it_ended()} while it started ({self.log})", self.tail())
            if time.monotonic() > deadline:
                message = f"{self.name} was not ready within {timeout_seconds:.0f} s ({self.log})"
                raise QuickstartError(message, self.tail())
            time.sleep(POLL_SECONDS)
        self._is_watched = True

    def stop(self, timeout_seconds: float = STOP_TIMEOUT_SECONDS) -> None:
        """Asks it to end, then makes it; what it left in its process group is ended too."""
        self._end(self.program.stop_signal, timeout_seconds)

    def kill9(self) -> None:
        """SIGKILL to the whole process group, as when a container is killed."""
        self._end(signal.SIGKILL, STOP_TIMEOUT_SECONDS)

    def detach(self) -> None:
        """Lets it outlive this process: whoever ends it finds it in the record."""
        if self._popen is not None:
            self._is_watched = False
            self._popen.returncode = 0  # one that nobody waited for complains when it is collected
            self._popen = None

    def how_it_ended(self) -> str:
        """'ended with code 1' or 'was ended by SIGKILL'."""
        code = self._reap()
        if code is None:
            return "still runs"
        return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"

    def tail(self, lines: int = 8) -> list[str]:
        """The last lines that it wrote to its log since it was started."""
        if not self.log.exists():
            return []
        with self.log.open("rb") as log:
            log.seek(self._log_offset)
            text = log.read().decode(errors="replace")
        return [line for line in text.splitlines() if line.strip()][-lines:]

    def _spawn(self, log: object) -> subprocess.Popen[str]:
        program = self.program
        return subprocess.Popen(  # type: ignore[no-any-return,call-overload]
            list(program.arguments),
            cwd=program.directory,
            env=dict(program.environment),
            stdin=subprocess.PIPE if program.input_text is not None else subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            text=True,
            **(program.account.popen_arguments() if program.account else {}),
        )

    def _open_log(self) -> "contextlib.AbstractContextManager[object]":
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LARGEST_LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        log = self.log.open("ab")
        self._log_offset = log.tell()
        return log

    def _give_input(self) -> None:
        if self._popen is not None and self._popen.stdin is not None:
            # A program that ended at once has closed its input; wait_ready tells about it.
            with contextlib.suppress(BrokenPipeError), self._popen.stdin as stdin:
                stdin.write(self.program.input_text or "")

    def _has_exited(self) -> bool:
        """Looks without reaping: until then neither the id nor the group's id can go to a stranger."""
        with self._reaping:
            if self._popen is None or self._popen.returncode is not None:
                return True
            options = os.WEXITED | os.WNOHANG | os.WNOWAIT
            try:
                return os.waitid(os.P_PID, self._popen.pid, options) is not None
            except ChildProcessError:  # psutil waited for it elsewhere
                return True

    def _end(self, first_signal: signal.Signals, timeout_seconds: float) -> None:
        self._is_watched = False
        if self._popen is None or self._popen.returncode is not None:
            return
        if not self._has_exited():
            self._send(first_signal)
            self._wait_for_exit(timeout_seconds)
        self._reap()

    def _send(self, number: signal.Signals) -> None:
        if number is signal.SIGKILL:
            os.killpg(self.pid, number)
        else:
            os.kill(self.pid, number)

    def _wait_for_exit(self, timeout_seconds: float) -> None:
        deadline = time.monotonic() + timeout_seconds
        while not self._has_exited():
            if time.monotonic() > deadline:
                os.killpg(self.pid, signal.SIGKILL)
                deadline = time.monotonic() + timeout_seconds
            time.sleep(POLL_SECONDS)

    def _reap(self) -> int | None:
        """The exit code once it has exited; ends the rest of the group before the group's id is given back."""
        if not self._has_exited():
            return None
        with self._reaping:
            if self._popen is None or self._popen.returncode is not None:
                return None if self._popen is None else self._popen.returncode
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._popen.pid, signal.SIGKILL)
            code = self._popen.wait()
        self._record.remove(self.name)
        return code
