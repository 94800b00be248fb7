"""The platform as real processes, people of staff, and a browser for each."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from integration.platform import Platform, databases

from .chromium import browser
from .console import Console


@dataclass(frozen=True)
class Person:
    """Of staff."""

    name: str
    password: str


@pytest.fixture(scope="session")
def platform() -> Iterator[Platform]:
    with databases() as stack, Platform.started(stack) as platform:
        yield platform


@pytest.fixture(scope="session")
def person(platform: Platform) -> Callable[..., Person]:
    """Makes one of these groups."""

    def make(*groups: str) -> Person:
        name = f"{'-'.join(groups)}-{uuid.uuid4().hex[:6]}"
        chosen = [word for group in groups for word in ("--group", group)]
        made = platform.stack.manage("staff", "add", name, *chosen)
        assert made.returncode == 0, made.stderr
        return Person(name, made.stdout.split()[-1])

    return make


@pytest.fixture
def console(platform: Platform, tmp_path: Path) -> Iterator[Callable[..., Console]]:
    """Opens a browser; each is another person's."""
    with ExitStack() as opened:

        def make(person: Person | None = None, language: str = "en", scheme: str = "light") -> Console:
            place = tmp_path / uuid.uuid4().hex
            place.mkdir()
            driver = opened.enter_context(browser(place, language, scheme))
            made = Console(driver, platform.stack.environments.core_url)
            if person is not None:
                made.sign_in(person.name, person.password)
            return made

        yield make
