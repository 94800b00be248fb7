"""A stage: what waits becomes the next list, in order, and nobody's outcome is lost."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence

import pytest

from payments.withdrawals.stage import Stage


class Member:
    def __init__(self, number: int) -> None:
        self.number = number
        self.error: Exception | None = None
        self.done = threading.Event()
        self.size = 1

    def fail(self, error: Exception) -> None:
        self.error = error
        self.done.set()


class Recorder:
    """Acts on lists: notes them, and waits while it is held."""

    def __init__(self) -> None:
        self.lists: list[list[int]] = []
        self.leaves_early = False
        self.free = threading.Event()
        self.free.set()
        self.begun = threading.Semaphore(0)

    def __call__(self, members: Sequence[Member], leave_gate: Callable[[], None]) -> None:
        self.lists.append([member.number for member in members])
        self.begun.release()
        if self.leaves_early:
            leave_gate()
        assert self.free.wait(10)
        for member in members:
            if member.number < 0:
                raise ValueError(f"{member.number} is wrong")
        for member in members:
            member.done.set()


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def stage(recorder: Recorder, db: None) -> Iterator[Stage[Member]]:
    stage: Stage[Member] = Stage("test", recorder, workers=1, largest_list=5)
    yield stage
    recorder.free.set()
    stage.close()


def wait_for(members: Sequence[Member]) -> None:
    assert all(member.done.wait(10) for member in members)


class TestAStage:
    def test_takes_a_lone_member_at_once(self, stage: Stage[Member], recorder: Recorder) -> None:
        member = Member(1)
        stage.put([member])
        wait_for([member])
        assert recorder.lists == [[1]]

    def test_combines_what_waits_while_it_is_busy_in_order_of_arrival(
        self, stage: Stage[Member], recorder: Recorder
    ) -> None:
        recorder.free.clear()
        members = [Member(number) for number in range(1, 10)]
        stage.put(members[:1])
        recorder.begun.acquire()
        stage.put(members[1:4])
        stage.put(members[4:])
        recorder.free.set()
        wait_for(members)
        assert recorder.lists == [[1], [2, 3, 4, 5, 6], [7, 8, 9]]

    def test_with_more_workers_works_on_several_lists_at_once(self, recorder: Recorder, db: None) -> None:
        wide: Stage[Member] = Stage("wide", recorder, workers=2, largest_list=5)
        recorder.free.clear()
        members = [Member(1), Member(2)]
        for member in members:
            wide.put([member])
            recorder.begun.acquire()
        recorder.free.set()
        wait_for(members)
        wide.close()
        assert sorted(recorder.lists) == [[1], [2]]

    def test_lets_the_next_list_in_when_the_one_before_only_waits(self, recorder: Recorder, db: None) -> None:
        gated: Stage[Member] = Stage("gated", recorder, workers=2, largest_list=5, at_once=1)
        recorder.free.clear()
        recorder.leaves_early = True
        members = [Member(1), Member(2)]
        for member in members:
            gated.put([member])
            assert recorder.begun.acquire(timeout=10)
        recorder.free.set()
        wait_for(members)
        gated.close()

    def test_is_not_held_up_by_one_that_stays_in_the_gate(self, recorder: Recorder, db: None) -> None:
        gated: Stage[Member] = Stage("gated", recorder, workers=3, largest_list=5, at_once=1)
        recorder.free.clear()
        members = [Member(number) for number in range(3)]
        for member in members:
            gated.put([member])
            assert recorder.begun.acquire(timeout=10)
        recorder.free.set()
        wait_for(members)
        gated.close()

    def test_tells_every_member_when_a_list_cannot_be_worked_on_and_goes_on(
        self, stage: Stage[Member], recorder: Recorder
    ) -> None:
        wrong, beside, later = Member(-1), Member(2), Member(3)
        stage.put([wrong, beside])
        wait_for([wrong, beside])
        assert str(wrong.error) == str(beside.error) == "-1 is wrong"
        stage.put([later])
        wait_for([later])
        assert later.error is None

    def test_works_off_what_waits_before_it_ends(self, recorder: Recorder, db: None) -> None:
        ending: Stage[Member] = Stage("ending", recorder, workers=1, largest_list=1)
        members = [Member(number) for number in range(20)]
        ending.put(members)
        ending.close()
        wait_for(members)
        assert len(recorder.lists) == 20

    def test_goes_on_when_a_member_cannot_be_told(self, stage: Stage[Member], recorder: Recorder) -> None:
        deaf, beside, later = Member(-1), Member(2), Member(3)
        deaf.fail = lambda _: 1 / 0  # type: ignore[assignment,method-assign,return-value]
        stage.put([deaf, beside])
        wait_for([beside])
        stage.put([later])
        wait_for([later])

    def test_takes_what_is_put_back_before_all_others(self, stage: Stage[Member], recorder: Recorder) -> None:
        recorder.free.clear()
        members = [Member(number) for number in range(1, 5)]
        stage.put(members[:1])
        recorder.begun.acquire()
        stage.put(members[3:])
        stage.put_back(members[1:3])
        recorder.free.set()
        wait_for(members)
        assert recorder.lists == [[1], [2, 3, 4]]

    def test_costs_a_lone_member_no_timer(self, stage: Stage[Member]) -> None:
        seconds = []
        for number in range(50):
            member = Member(number)
            started = time.monotonic()
            stage.put([member])
            wait_for([member])
            seconds.append(time.monotonic() - started)
        # the fastest of fifty: a timer would be in each of them
        assert min(seconds) < 0.001
