"""How long the lines of a project may be, as its formatter is told."""

from __future__ import annotations

import configparser
import tomllib
from pathlib import Path

DEFAULT_LINE_LENGTH = 88
"""What black and ruff take when nothing is configured."""

_KEYS = (("black", "line-length"), ("ruff", "line-length"))
_SECTIONS = (("flake8", "max-line-length"), ("pycodestyle", "max-line-length"), ("yapf", "column_limit"))


def line_length(root: Path) -> int:
    """The longest line that black or ruff, else flake8 or yapf, of the project in `root` lets stand."""
    return _of_pyproject(root / "pyproject.toml") or _of_ini_files(root) or DEFAULT_LINE_LENGTH


def _of_pyproject(file: Path) -> int | None:
    try:
        tools = tomllib.loads(file.read_text("utf-8")).get("tool", {})
    except (OSError, ValueError):
        return None
    for tool, key in _KEYS:
        options = tools.get(tool) if isinstance(tools, dict) else None
        length = options.get(key) if isinstance(options, dict) else None
        if isinstance(length, int) and length > 0:
            return length
    return None


def _of_ini_files(root: Path) -> int | None:
    for name in ("ruff.toml", ".ruff.toml"):
        try:
            length = tomllib.loads((root / name).read_text("utf-8")).get("line-length")
        except (OSError, ValueError):
            continue
        if isinstance(length, int) and length > 0:
            return length
    for name in ("setup.cfg", "tox.ini", ".flake8", ".style.yapf"):
        config = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            config.read_string((root / name).read_text("utf-8"))
        except (OSError, ValueError, configparser.Error):
            continue
        for section, key in _SECTIONS:
            text = config.get(section, key, fallback="").split("#")[0].strip()
            if text.isdigit() and int(text) > 0:
                return int(text)
    return None
