"""How long lines may be."""

from pathlib import Path

import pytest

from alchemod.facts.style import line_length


@pytest.mark.parametrize(
    ("name", "text", "length"),
    [
        ("pyproject.toml", "[tool.black]\nline-length = 100\n", 100),
        ("pyproject.toml", "[tool.ruff]\nline-length = 79\n", 79),
        ("pyproject.toml", "[tool.ruff]\nline-length = 'wide'\n", 88),
        ("pyproject.toml", "this is no TOML", 88),
        ("ruff.toml", "line-length = 140\n", 140),
        ("setup.cfg", "[flake8]\nmax-line-length = 110  # wide\n", 110),
        (".flake8", "[flake8]\nignore = E1\n", 88),
        ("setup.cfg", "no section", 88),
    ],
)
def test_line_length(tmp_path: Path, name: str, text: str, length: int) -> None:
    (tmp_path / name).write_text(text)
    assert line_length(tmp_path) == length


def test_the_formatter_is_asked_before_the_linter(tmp_path: Path) -> None:
    (tmp_path / "setup.cfg").write_text("[flake8]\nmax-line-length = 160\n")
    assert line_length(tmp_path) == 160
    (tmp_path / "pyproject.toml").write_text("[tool.black]\nline-length = 99\n")
    assert line_length(tmp_path) == 99
