"""The recorder as a process beside a test."""

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from integration.api import Merchant
from integration.waiting import wait_until

from etebar_verify.history import Event, read
from etebar_verify.orders import Caller

END_SECONDS = 60.0


@dataclass(frozen=True)
class Recording:
    """The recorder's process and its file."""

    process: subprocess.Popen[bytes]
    path: Path

    def events(self) -> list[Event]:
        return list(read(self.path))

    def answers(self) -> int:
        """How many answers are on disk."""
        return self.path.read_bytes().count(b'"event": "told"')

    def wait_for_answers(self, count: int) -> None:
        """Until so many more answers are on disk."""
        before = self.answers()
        wait_until(f"{count} more answers", lambda: self._goes_on() and self.answers() >= before + count)

    def wait_for_told(self, status: int, count: int) -> None:
        """Until so many answers have this status."""
        told = f'"status": {status},'.encode()
        wait_until(f"{count} x {status}", lambda: self._goes_on() and self.path.read_bytes().count(told) >= count)

    def _goes_on(self) -> bool:
        assert self.process.poll() is None, f"the recorder ended with {self.process.returncode}"
        return True

    def end(self) -> int:
        """Lets every client have its last answer; 0 if each had it."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(END_SECONDS)


def caller_of(merchant: Merchant, *, is_bulk: bool = False, is_patient: bool = True) -> Caller:
    """A client that acts for a merchant."""
    token = merchant.token["Authorization"].removeprefix("Bearer ")
    return Caller(merchant.number, token, is_bulk=is_bulk, is_patient=is_patient)


@contextlib.contextmanager
def record(address: tuple[str, int], callers: Sequence[Caller], directory: Path, seed: int) -> Iterator[Recording]:
    """The clients are at work, on core at `address`; their files are in `directory`."""
    orders, history = directory / "orders.json", directory / "history.jsonl"
    chosen = [vars(each) for each in callers]
    orders.write_text(json.dumps({"address": address, "seed": seed, "callers": chosen}))
    history.touch()
    process = subprocess.Popen([sys.executable, "-m", "etebar_verify", "record", str(orders), str(history)])
    try:
        yield Recording(process, history)
    finally:
        process.kill()
        process.wait()
