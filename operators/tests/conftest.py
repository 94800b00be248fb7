"""The operator on an emulated API server, with a core that can misbehave."""

from collections.abc import AsyncIterator

import pytest
from onboarding_helpers import Core, serving


@pytest.fixture
async def core() -> AsyncIterator[Core]:
    async with serving(Core()) as core:
        yield core
