"""What the walk sees of one session: exits, leaks, what can be read once it is closed."""

import ast
import textwrap

import pytest

from alchemod.inference.ownership.life import SessionLife
from alchemod.inference.ownership.record import Outcome

from .known import life, lives


def _life(body: str, head: str = "def f(p, self):") -> SessionLife:
    return life(f"{head}\n" + textwrap.indent(textwrap.dedent(body).strip("\n"), "    "))


LEAKS = {
    "closed on every way": ("s = Maker()\ntry:\n    work(s)\nfinally:\n    s.close()", ()),
    "exceptions": ("s = Maker()\nwork(s)\ns.close()", ("raise",)),
    "nothing between": ("s = Maker()\ns.close()", ()),
    "cannot raise between": ("s = Maker()\nx = None\nif s is x:\n    pass\ns.close()", ()),
    "early return": ("s = Maker()\nif p:\n    return\ns.close()", ("return",)),
    "never": ("s = Maker()\nwork(s)", ("next", "raise")),
    "trap 1: callee may close": ("s = Maker()\nmaybe_close(s)", ("next", "raise")),
    "callee closes": ("s = Maker()\nclose_it(s)", ("raise",)),
    "handler closes what it catches": (
        "s = Maker()\ntry:\n    work(s)\nexcept Exception:\n    s.close()\n    raise\ns.close()",
        (),
    ),
    "handler of a class lets others pass": (
        "s = Maker()\ntry:\n    work(s)\nexcept ValueError:\n    s.close()\n    raise\ns.close()",
        ("raise",),
    ),
    "bare except closes": ("s = Maker()\ntry:\n    yield s\nexcept:\n    s.close()\n    raise\ns.close()", ()),
    "except Exception misses GeneratorExit": (
        "s = Maker()\ntry:\n    yield s\nexcept Exception:\n    s.close()\n    raise\ns.close()",
        ("base",),
    ),
    "guard on the name": ("s = None\ntry:\n    s = Maker()\n    work(s)\nfinally:\n    if s:\n        s.close()", ()),
    "guard on something else": ("s = Maker()\nif p:\n    s.close()", ("next",)),
    "else of try is not covered": (
        "s = Maker()\ntry:\n    work(s)\nexcept Exception:\n    s.close()\n    raise\nelse:\n    slow()\n    s.close()",
        ("raise",),
    ),
    "close may fail, it was tried": (
        "s = Maker()\ntry:\n    work(s)\nfinally:\n    s.rollback()\n    s.close()",
        ("raise",),
    ),
    "finally returns": ("s = Maker()\ntry:\n    work(s)\nfinally:\n    return 1", ("return",)),
    "loop leaves by break": ("s = Maker()\nwhile True:\n    if p:\n        break\ns.close()", ()),
    "loop may not run": ("s = Maker()\nfor i in ():\n    s.close()", ("next", "raise")),
    "used again": ("s = Maker()\ns.close()\ns.execute(p)", ("next", "raise")),
    "match without default": ("s = Maker()\nmatch p:\n    case 1:\n        s.close()", ("next",)),
    "match with default": ("s = Maker()\nmatch p:\n    case 1:\n        s.close()\n    case _:\n        s.close()", ()),
    "suppressed exception goes on": ("s = Maker()\nwith suppress(E):\n    work(s)\n    s.close()", ("next", "raise")),
}


@pytest.mark.parametrize(("body", "leaks"), LEAKS.values(), ids=LEAKS.keys())
def test_leaks(body: str, leaks: tuple[str, ...]) -> None:
    assert _life(body).leaks == leaks


def test_cancellation_leaks_past_except_exception() -> None:
    found = _life(
        "s = AsyncMaker()\ntry:\n    await s.execute(p)\nexcept Exception:\n    await s.close()\n"
        "    raise\nawait s.close()",
        "async def f(p):",
    )
    assert found.leaks == ("base",)


READS: dict[str, tuple[str, dict[str, Outcome]]] = {
    "loaded column": ("o = s.get(User, 1)\ns.close()\no.name", {"o.name": "works"}),
    "relationship": ("o = s.get(User, 1)\ns.close()\no.team", {"o.team": "fails"}),
    "touched relationship": ("o = s.get(User, 1)\no.team\ns.close()\no.team", {"o.team": "works"}),
    "touched on one way only": (
        "o = s.get(User, 1)\nif p:\n    o.team\ns.close()\no.team",
        {"o.team": "fails"},
    ),
    "related object read before": (
        "o = s.get(User, 1)\nt = o.team\ns.close()\nt.name",
        {"t.name": "works"},
    ),
    "eager relationship": ("o = s.get(User, 1)\ns.close()\no.org", {"o.org": "works"}),
    "deferred column": ("o = s.get(User, 1)\ns.close()\no.blob", {"o.blob": "fails"}),
    "property": ("o = s.get(User, 1)\ns.close()\no.title", {"o.title": "unknown"}),
    "commit expires": ("o = s.get(User, 1)\ns.commit()\ns.close()\no.name", {"o.name": "fails"}),
    "trap 8: one came back": (
        "a = s.get(User, 1)\nb = s.get(User, 2)\ns.commit()\na.id\ns.close()\na.name\nb.name",
        {"a.name": "works", "b.name": "fails"},
    ),
    "refresh brings back": (
        "a = s.get(User, 1)\nb = s.get(User, 2)\ns.commit()\ns.refresh(a)\ns.close()\na.name\nb.name",
        {"a.name": "works", "b.name": "fails"},
    ),
    "a commit after the refresh": (
        "a = s.get(User, 1)\ns.refresh(a)\ns.commit()\ns.close()\na.name",
        {"a.name": "fails"},
    ),
    "trap 10: expunged": (
        "o = s.get(User, 1)\ns.expunge_all()\ns.commit()\ns.close()\no.name\no.team",
        {"o.name": "works", "o.team": "fails"},
    ),
    "refreshed in part": (
        "o = s.get(User, 1)\ns.commit()\ns.refresh(o, ['name'])\ns.close()\no.name\no.y",
        {"o.name": "works", "o.y": "fails"},
    ),
    "touching a relationship brings back the columns": (
        "o = s.get(User, 1)\ns.commit()\no.team\ns.close()\no.name\no.team\no.adds",
        {"o.name": "works", "o.team": "works", "o.adds": "fails"},
    ),
    "touching a collection does too": (
        "o = s.get(User, 1)\ns.commit()\nlen(o.adds)\ns.close()\no.name\no.team",
        {"o.name": "works", "o.team": "fails"},
    ),
    "assigned what the database computes": (
        "o = s.get(User, 1)\no.y = func(o.x)\ns.flush()\ns.close()\no.y\no.name",
        {"o.y": "fails", "o.name": "works"},
    ),
    "computed and read again": (
        "o = s.get(User, 1)\no.y = func(1)\ns.flush()\no.y\ns.close()\no.y",
        {"o.y": "works"},
    ),
    "rolled back to a savepoint": (
        "o = s.get(User, 1)\ntry:\n    with s.begin_nested():\n        work(s)\nexcept E:\n    pass\ns.close()\no.name",
        {"o.name": "may fail"},
    ),
    "savepoint rolled back by hand": (
        "o = s.get(User, 1)\np = s.begin_nested()\np.rollback()\ns.close()\no.name",
        {"o.name": "may fail"},
    ),
    "savepoint committed by hand": (
        "o = s.get(User, 1)\np = s.begin_nested()\np.commit()\ns.close()\no.name",
        {"o.name": "works"},
    ),
    "bulk update": (
        "o = s.get(User, 1)\ns.query(User).update({User.x: 1})\ns.close()\no.x",
        {"o.x": "works"},
    ),
    "expunged after the commit": (
        "o = s.get(User, 1)\ns.commit()\ns.expunge(o)\ns.close()\no.name",
        {"o.name": "fails"},
    ),
    "deleted": ("o = s.get(User, 1)\ns.delete(o)\ns.commit()\ns.close()\no.name", {"o.name": "works"}),
    "added object expires too": (
        "o = User(name=1)\ns.add(o)\ns.commit()\ns.close()\no.name",
        {"o.name": "fails"},
    ),
    "object never added": ("o = User(name=1)\ns.commit()\ns.close()\no.name", {"o.name": "works"}),
    "callee may commit": ("o = s.get(User, 1)\nsave(s)\ns.close()\no.name", {"o.name": "may fail"}),
    "elements of a list": (
        "us = s.query(User).all()\ns.close()\nfor u in us:\n    u.name\n    u.team",
        {"u.name": "works", "u.team": "fails"},
    ),
    "elements after commit": (
        "us = s.query(User).all()\ns.commit()\nus[0].name\ns.close()\nfor u in us:\n    u.name",
        {"u.name": "fails"},
    ),
    "begin block commits": (
        "o = s.get(User, 1)\nwith s.begin_nested():\n    s.flush()\ns.close()\no.name",
        {"o.name": "works"},
    ),
    "transaction block commits": (
        "with s.begin():\n    o = s.get(User, 1)\ns.close()\no.name",
        {"o.name": "fails"},
    ),
    "row of a comprehension": (
        "us = [u for u in s.query(User)]\ns.close()\nfor v in us:\n    v.name",
        {"v.name": "works"},
    ),
}


@pytest.mark.parametrize(("body", "outcomes"), READS.values(), ids=READS.keys())
def test_reads_of_a_closed_session(body: str, outcomes: dict[str, Outcome]) -> None:
    assert _outcomes(_life(f"s = Maker()\n{body}"), outcomes) == outcomes


KEEPING: dict[str, tuple[str, dict[str, Outcome]]] = {
    "commit keeps": ("s.commit()", {"o.name": "works"}),
    "trap 7: rollback expires": ("s.rollback()", {"o.name": "fails"}),
    "trap 9: computed on update": ("o.y = 1\ns.commit()", {"o.stamp": "may fail", "o.y": "works"}),
    "nothing written": ("s.commit()", {"o.stamp": "works"}),
}


@pytest.mark.parametrize(("body", "outcomes"), KEEPING.values(), ids=KEEPING.keys())
def test_reads_without_expire_on_commit(body: str, outcomes: dict[str, Outcome]) -> None:
    reads = "\n".join(outcomes)
    found = _life(f"s = KeepingMaker()\no = s.get(User, 1)\n{body}\ns.close()\n{reads}")
    assert _outcomes(found, outcomes) == outcomes


def _outcomes(found: SessionLife, wanted: dict[str, Outcome]) -> dict[str, Outcome]:
    assert found.record is not None
    return {
        text: use.closed
        for use in found.record.uses.values()
        if use.kind == "read" and "C" in use.lives and (text := ast.unparse(use.node)) in wanted
    }


def test_failed_commit_expires_in_the_handler() -> None:
    found = _life(
        "s = KeepingMaker()\no = s.get(User, 1)\ntry:\n    s.commit()\nexcept E:\n    s.close()\n    o.name\ns.close()"
    )
    assert _outcomes(found, {"o.name": "may fail"}) == {"o.name": "may fail"}


def test_rebinding_loses_the_first_session() -> None:
    first, second = lives("def f():\n    s = Maker()\n    s = Maker()\n    s.close()\n")
    assert first.record is not None
    assert [getattr(node, "lineno", 0) for node in first.record.lost] == [3]
    assert second.record is not None
    assert not second.record.lost
    assert second.leaks == ()


def test_alias_keeps_the_session() -> None:
    found = _life("s = Maker()\nt = s\ns = None\nt.close()")
    assert found.record is not None
    assert not found.record.lost
    assert found.leaks == ()


def test_del_loses_it() -> None:
    found = _life("s = Maker()\ndel s")
    assert found.record is not None
    assert len(found.record.lost) == 1


def test_opened_in_a_display_is_closed_by_its_name() -> None:
    found = _life("a, s = 1, Maker()\ns.close()")
    assert found.record is not None
    assert len(found.record.closes) == 1
    assert found.leaks == ()


def test_flow_of_exceptions_is_cut_by_partition() -> None:
    """Trap 15: the flag is not followed, so the close is not either; the verdict is S8's."""
    found = _life("own = p is None\nif own:\n    s = Maker()\nwork(s)\nif own:\n    s.close()")
    assert found.obstacle == "conditional"


def test_too_complex_code_has_no_record() -> None:
    deep = "x = " + "1 if c else " * 400 + "2\n"
    found = _life(f"s = Maker()\n{deep}s.close()")
    assert found.record is None


def test_two_sessions_of_one_function() -> None:
    a, b = lives(
        "def f():\n    a = Maker()\n    b = Maker()\n    try:\n        work(a, b)\n    finally:\n"
        "        b.close()\n        a.close()\n"
    )
    assert a.plan is not None
    assert b.plan is not None
    assert (a.plan.first, a.plan.last) == (0, 2)
    assert (b.plan.first, b.plan.last) == (1, 2)
    assert len(a.plan.dropped) == len(b.plan.dropped) == 1


def test_inner_function_has_its_own_session() -> None:
    """S27: the body handed to a thread owns its session."""
    assert (
        lives("async def f():\n    def work():\n        s = Maker()\n        s.close()\n    await to_thread(work)\n")
        == []
    )


def test_chain_of_a_thousand_calls_is_followed() -> None:
    found = _life(f"s = Maker()\nq = s.query(User){'.filter(p)' * 1_000}.all()\ns.close()")
    assert found.leaks == ("raise",)
