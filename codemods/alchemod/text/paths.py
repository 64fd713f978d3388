"""How people are shown where a file is."""

from __future__ import annotations

import os
from pathlib import Path


def displayed(path: Path, root: Path) -> str:
    """A path relative to the project root with `/`; outside the root as it is. UTF-8 whatever the locale says."""
    name = (path.relative_to(root) if path.is_relative_to(root) else path).as_posix()
    return name if name.isascii() else os.fsencode(name).decode("utf-8", "surrogateescape")
