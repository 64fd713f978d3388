"""What all tests share: the bench, started when the first test asks for it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from bench.execution import Bench


@pytest.fixture(scope="session")
def bench() -> Iterator[Bench]:
    """Workers for the pinned SQLAlchemy versions; skips where processes cannot fork."""
    if not hasattr(os, "fork"):
        pytest.skip("the bench forks one process per program, which this system cannot")
    running = Bench()
    yield running
    running.close()
