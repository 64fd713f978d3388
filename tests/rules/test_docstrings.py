"""The docstring of every rule: its fixed headings, and its example, which the tool rewrites as it says."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from alchemod.engine.rule import HEADINGS
from alchemod.rules._index import registry
from bench.installs import series
from bench.tool import Refactored, apply

PRELUDE = (Path(__file__).parents[2] / "fixtures" / "rules" / "_prelude.py").read_text("utf-8")
MARK = "# --- example ---\n"
CODES = [entry.code for entry in registry() if entry.module]
_HEADING = re.compile(r"^(\S.*):$", re.MULTILINE)
_FENCE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def sections(code: str) -> dict[str, str]:
    """The text below each heading of a rule's docstring."""
    _, *parts = _HEADING.split(registry().documentation(code))
    return dict(zip(parts[::2], parts[1::2], strict=True))


def examples(code: str, heading: str) -> list[str]:
    return _FENCE.findall(textwrap.dedent(sections(code)[heading]))


@pytest.mark.parametrize("code", CODES)
def test_the_headings_are_the_fixed_ones(code: str) -> None:
    assert tuple(sections(code)) == HEADINGS
    assert all(text.strip() for text in sections(code).values())


@pytest.mark.parametrize("code", CODES)
def test_the_example_becomes_what_is_to_be_used_instead(code: str) -> None:
    before, after = examples(code, "Example"), examples(code, "Use instead")
    assert before, "a rule shows at least one example"
    assert len(before) == len(after)
    for old, new in zip(before, after, strict=True):
        done = tried(code, old)
        if done.findings and all(found.safety == "report" for found in done.findings):
            assert not tried(code, new).findings, "what is to be written instead of a reported example is reported too"
        else:
            assert done.files["app.py"].decode().partition(MARK)[2] == new


def tried(code: str, example: str) -> Refactored:
    """What the rule alone makes of an example that stands below the models of the prelude.

    The project allows SQLAlchemy 2.0, or the version that the fixed code needs.
    """
    text = f"{PRELUDE}\n\n{MARK}{example}"
    versions = series()[1:2] if registry().rule(code).min_version < "2.1" else series()[2:]
    return apply({"app.py": text.encode()}, versions, "--select", code, "--unsafe-fixes")
