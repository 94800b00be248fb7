"""kill -9 of core under load, ten times, with 64 clients: nobody was told what is not so, and no money went astray.

What clients were told is written down by a process of its own (recorder.py) and
compared with both databases (judge.py).
CHAOS_SEED repeats a run's random choices, as far as the machine lets them be repeated.
"""

import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from integration import books
from integration.platform import Platform, databases

from . import judge
from .evidence import read_books
from .history import Event, Told
from .killing import CLIENTS, kill_again_and_again, recording, wait_none_pending

KILLS = 10
# Clients are many and merchants few; a worker that was killed is followed by another one at once, not after seconds.
CORE = {"RATE_LIMIT_MERCHANT": "off", "GRANIAN_RESPAWN_INTERVAL": "0.1"}


@dataclass(frozen=True)
class Story:
    """What is left when all has ended."""

    platform: Platform
    seed: int
    events: list[Event]
    recorder_code: int

    def __repr__(self) -> str:
        told = Counter((each.status, each.code) for each in self.events if isinstance(each, Told))
        return f"CHAOS_SEED={self.seed}, told: {dict(told)}"


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    seed = int(os.environ.get("CHAOS_SEED", time.time_ns() % 1_000_000))
    with databases() as stack, Platform.started(stack, CORE) as platform:
        with recording(platform, tmp_path_factory.mktemp("chaos"), seed) as recorded:
            kill_again_and_again(platform, recorded, random.Random(seed), KILLS)  # noqa: S311 - may be repeated
            code = recorded.end()
        wait_none_pending(platform)
        yield Story(platform, seed, recorded.events(), code)


class TestCoreKilledTenTimesUnderLoad:
    def test_what_clients_were_told_is_what_both_databases_say(self, story: Story) -> None:
        assert judge.lies(story.events, read_books(story.platform.stack)) == [], story

    def test_the_books_agree(self, story: Story) -> None:
        books.assert_books_agree(story.platform.stack)

    def test_every_client_had_its_last_answer(self, story: Story) -> None:
        assert story.recorder_code == 0, story

    def test_requests_were_under_way_at_each_kill(self, story: Story) -> None:
        # those that found nobody listening were sent later
        cut = [each for each in judge.broken(story.events) if "refused" not in each.error]
        assert len(cut) > KILLS * CLIENTS / 4, story

    def test_each_kind_of_answer_was_among_them(self, story: Story) -> None:
        told = {(each.status, each.code) for each in story.events if isinstance(each, Told)}
        assert told >= {(201, None), (202, None), (409, "payout_failed"), (409, "insufficient_credit")}, story
        assert len({each.key for each in story.events if isinstance(each, Told)}) > KILLS * CLIENTS
