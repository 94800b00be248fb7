"""The operator on an emulated API server, with a core that can misbehave."""

from collections.abc import AsyncIterator
from pathlib import Path

import kmock
import pytest
from emulated_kubernetes import Kubernetes, found_by_the_operator
from onboarding_helpers import Core, serving

from onboarding import core_client


@pytest.fixture
async def core() -> AsyncIterator[Core]:
    async with serving(Core()) as core:
        yield core


@pytest.fixture
async def kubernetes(kmock: kmock.KubernetesEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kubernetes:
    monkeypatch.setattr(core_client, "AWAY_SECONDS", 0.1)
    return found_by_the_operator(kmock, tmp_path, monkeypatch)
