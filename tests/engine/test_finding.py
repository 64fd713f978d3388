"""How safety is computed from the answers that a fix rests on."""

from __future__ import annotations

import ast
from dataclasses import dataclass

import pytest

from alchemod.engine.rule import Rule

NODE = ast.parse("f()").body[0]


@dataclass(frozen=True)
class Answer:
    certainty: str
    missing: str | None = None
    why: tuple[str, ...] = ()


class Probe(Rule):
    """Probe."""

    code = "ALC999"


@pytest.mark.parametrize(
    ("given", "unsafe", "safety", "certainty"),
    [
        ([], None, "safe", "proved"),
        ([Answer("proved")], None, "safe", "proved"),
        ([Answer("proved")], "a mock pins it", "unsafe", "proved"),
        ([Answer("inferred", "one caller is unseen")], None, "unsafe", "inferred"),
        ([Answer("proved"), Answer("inferred", "a default")], None, "unsafe", "proved"),
        ([Answer("inferred", "x"), Answer("proved")], "also", "unsafe", "inferred"),
        ([Answer("proved"), Answer("unknown", "the target")], None, "report", "proved"),
    ],
)
def test_safety_and_certainty(given: list[Answer], unsafe: str | None, safety: str, certainty: str) -> None:
    finding = Probe().fix(NODE, "something", given=given, unsafe=unsafe)
    assert (finding.safety, finding.certainty) == (safety, certainty)
    assert finding.fixable == (safety != "report")


def test_the_message_names_the_weak_fact_and_the_reasons_are_kept_once() -> None:
    given = [
        Answer("proved", why=("s is a Session",)),
        Answer("inferred", "no caller of f is seen", ("s is a Session", "b")),
    ]
    finding = Probe().fix(NODE, "a session is left open", given=given)
    assert finding.message == "a session is left open: no caller of f is seen"
    assert finding.missing == "no caller of f is seen"
    assert finding.why == ("s is a Session", "b")


def test_unsafe_never_raises_the_safety() -> None:
    unknown = Answer("unknown", "the entity")
    finding = Probe().fix(NODE, "m", given=[unknown], unsafe="reason")
    assert finding.safety == "report"
    assert finding.missing == "the entity"
    assert finding.proposal is None


def test_a_report_takes_its_own_level() -> None:
    finding = Probe().report(NODE, "m", missing="the target", level="note")
    assert (finding.level, finding.safety, finding.message) == ("note", "report", "m: the target")


def test_the_name_of_a_rule_is_that_of_its_module() -> None:
    assert Probe().name == "test-finding"
