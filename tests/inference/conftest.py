"""Projects sketched in a test."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from sketch import check as check_in


@pytest.fixture
def check(tmp_path: Path) -> Callable[[Mapping[str, str]], None]:
    """Write files as a project and compare every `#?` and `#>` marker with what the analysis says."""
    return lambda files: check_in(tmp_path, files)
