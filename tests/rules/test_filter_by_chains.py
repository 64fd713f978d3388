"""ALC201 on random chains: the rewritten chain sends the same SQL, or goes on raising, on every version allowed.

`ALCHEMOD_FUZZ=500` tries 500 other modules than the fixed ones.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from bench.chains import HEADERS, Chain, chains, program
from bench.execution import Bench, Program
from bench.tool import apply

RANGES = (("1.4",), ("1.4", "2.0"), ("1.4", "2.0", "2.1"), ("2.1",))
FUZZ = int(os.environ.get("ALCHEMOD_FUZZ", "0"))
CHAINS_PER_MODULE = 20


def outputs(bench: Bench, programs: list[dict[str, bytes]], versions: tuple[str, ...]) -> list[dict[str, str]]:
    """What each program prints, by version."""
    jobs = [(version, Program(files, "main.py")) for files in programs for version in versions]
    runs = bench.run(jobs)
    assert not any(run.error for run in runs), next(run.traceback for run in runs if run.error)
    size = len(versions)
    return [{run.version: run.stdout for run in runs[start : start + size]} for start in range(0, len(runs), size)]


@settings(
    max_examples=FUZZ or 15,
    derandomize=not FUZZ,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)
@given(
    made=st.lists(chains(), min_size=1, max_size=CHAINS_PER_MODULE),
    header=st.sampled_from(HEADERS),
    versions=st.sampled_from(RANGES),
)
def test_rewritten_chains_send_the_same_sql(
    bench: Bench, made: list[Chain], header: str, versions: tuple[str, ...]
) -> None:
    before = program(made, header)
    after = rewritten(before, versions)
    calls = [files["main.py"].count(b"filter_by(") for files in (before, after)]
    event(f"rewritten: {calls[0] - calls[1]} of {calls[0]}")
    if after != before:
        sent_before, sent_after = outputs(bench, [before, after], versions)
        for version in versions:
            lines = zip(sent_before[version].splitlines(), sent_after[version].splitlines(), strict=True)
            wrong = [pair for pair in lines if pair[0] != pair[1] and not all(" raises " in line for line in pair)]
            assert not wrong, "\n".join((version, *wrong[0], after["main.py"].decode().partition("def chain_0")[2]))


def rewritten(files: dict[str, bytes], versions: tuple[str, ...]) -> dict[str, bytes]:
    """What the rule makes of a program, safe fixes only."""
    return dict(apply(files, versions, "--select", "ALC201").files)


@pytest.mark.parametrize(
    ("constructor", "steps"),
    [
        ("select(Author)", ("join(Author.books)", "filter_by(state=v)")),
        ("select(Author, Book)", ("filter_by(state=v)",)),
        ("select(Tag)", ("add_columns(OtherBook.id)", "filter_by(state=v)")),
        ("select(Tag)", ("select_from(Tag, Author)", "filter_by(state=v)")),
        ("select(Tag.state.label('s'))", ("select_from(Tag)", "filter_by(id=v)")),
        ("select(func.count(Tag.id))", ("select_from(Tag)", "filter_by(id=v)")),
        ("select(Tag.state.label('s'), Tag.id)", ("filter_by(id=v)",)),
        ("select(Book.state.label('s'))", ("add_columns(Book.id)", "filter_by(id=v)")),
        ("select(Tag)", ("with_only_columns(OtherBook.id)", "add_columns(OtherAuthor.id)", "filter_by(id=v)")),
        ("select(func.count(Book.id))", ("filter_by(heading=v)",)),
        ("select(func.count(Book.id))", ("filter_by(kind=v)",)),
        ("select(func.count(Book.id))", ("filter_by(author=None)",)),
        ("select(Atlas.state.label('s'))", ("filter_by(scale=v)",)),
    ],
)
def test_a_select_that_2_1_refuses_is_left_alone(bench: Bench, constructor: str, steps: tuple[str, ...]) -> None:
    before = program([Chain(constructor, steps)])
    (sent,) = outputs(bench, [before], ("2.1",))
    refusals = {f"chain_0 raises {name}" for name in ("AmbiguousColumnError", "InvalidRequestError")}
    assert set(sent["2.1"].splitlines()) <= refusals
    assert rewritten(before, ("2.0", "2.1")) == before


def test_the_fuzz_would_notice_a_wrong_entity(bench: Bench) -> None:
    text = program([Chain("session.query(Author)", ("join(Book)", "filter_by(state=v)"))])
    right = replaced(text, "filter_by(state=v)", "filter(Book.state == v)")
    wrong = replaced(text, "filter_by(state=v)", "filter(Author.state == v)")
    sent = outputs(bench, [text, right, wrong], ("1.4", "2.1"))
    assert sent[0] == sent[1]
    assert sent[0]["1.4"] != sent[2]["1.4"]
    assert sent[0]["2.1"] != sent[2]["2.1"]


def test_the_fuzz_would_notice_another_exception(bench: Bench) -> None:
    text = program([Chain("session.query(Author)", ("filter_by(nothing=v)",))])
    wrong = replaced(text, "filter_by(nothing=v)", "filter(Author.nothing == v)")
    before, after = outputs(bench, [text, wrong], ("2.0",))
    assert before["2.0"] == "chain_0 raises InvalidRequestError\n" * 2
    assert after["2.0"] == "chain_0 raises AttributeError\n" * 2


def replaced(files: dict[str, bytes], old: str, new: str) -> dict[str, bytes]:
    return {name: content.replace(old.encode(), new.encode()) for name, content in files.items()}


def test_most_random_chains_are_valid_and_many_are_rewritten(bench: Bench) -> None:
    made: list[Chain] = []

    @settings(max_examples=60, derandomize=True, database=None, deadline=None)
    @given(chains())
    def collect(chain: Chain) -> None:
        made.append(chain)

    collect()
    before = program(made)
    (sent,) = outputs(bench, [before], ("2.0",))
    valid = [line for line in sent["2.0"].splitlines() if " raises " not in line]
    assert len(valid) > len(made)  # each runs twice
    after = rewritten(before, ("1.4", "2.0"))
    assert after["main.py"].count(b"filter_by(") < before["main.py"].count(b"filter_by(") * 0.6
