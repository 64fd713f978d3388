"""Reads of rows: each case is a function body; expected are the paths read on every way and those read on some."""

import ast
import textwrap

import pytest

from alchemod.inference.rows.knowledge import MUTE, OPAQUE, Effects, Handed, HandedRead, MemberKind, Producer
from alchemod.inference.rows.reads import PathRead, RowReads, Walked, row_reads
from alchemod.inference.rows.refs import Given, RowRef
from alchemod.inference.scoping.scopes import FUNCTIONS, scope_of
from alchemod.inference.summaries.vocabulary import Effect

PRODUCERS = {
    "all": Producer(),
    "query": Producer(lazy=True),
    "filter": Producer(lazy=True),
    "first": Producer(Given()),
    "pairs": Producer(),
}
TO_ONE = {"team", "org", "parent"}
TO_MANY = {"adds", "roles"}
PLAIN = {"name", "id", "x", "ok", "nick", "city"}
EFFECTS: dict[str, frozenset[Effect]] = {
    "commit": frozenset(["commit"]),
    "flush": frozenset(["write"]),
    "add": frozenset(["write"]),
    "save": frozenset(["commit", "write"]),
    "expunge": frozenset(["expunge"]),
}
CALLEES = {
    "print": MUTE,
    "show": Handed(frozenset([HandedRead(("team",), True), HandedRead(("adds",), False)])),
    "append": MUTE,
}


class Known:
    def producer(self, call: ast.Call) -> Producer | None:
        return PRODUCERS.get(_name(call))

    def kept(self, attribute: ast.Attribute) -> Producer | None:
        return Producer() if attribute.attr == "users" else None

    def member(self, ref: RowRef, name: str) -> MemberKind:
        if name.startswith("#"):
            is_entity = name == "#0" and isinstance(ref.site, ast.Call) and _name(ref.site) == "pairs"
            return "entity" if is_entity else "plain"
        if name in TO_ONE:
            return "relationship"
        return "collection" if name in TO_MANY else "plain" if name in PLAIN else "member"

    def property(self, ref: RowRef, name: str) -> Handed:
        return MUTE

    def text(self, ref: RowRef) -> Handed:
        return MUTE

    def given_away(self, node: ast.Return | ast.Yield, ref: RowRef) -> Handed:
        return MUTE

    def effects(self, node: ast.Call | ast.Attribute) -> Effects:
        if isinstance(node, ast.Attribute):
            return frozenset(["write"])
        return EFFECTS.get(_name(node), frozenset())

    def effects_of_leaving(self, manager: ast.expr) -> Effects:
        return frozenset(["commit"]) if ast.unparse(manager) == "s.begin()" else frozenset()

    def swallows(self, manager: ast.expr) -> bool:
        return ast.unparse(manager) != "s.begin()"

    def arguments(self, call: ast.Call) -> list[ast.expr]:
        receiver = [call.func.value] if isinstance(call.func, ast.Attribute) else []
        return [*receiver, *call.args, *(keyword.value for keyword in call.keywords)]

    def handed(self, call: ast.Call, argument: ast.expr, ref: RowRef) -> Handed:
        return CALLEES.get(_name(call), OPAQUE)


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _all(body: str) -> list[RowReads]:
    return list(_walked("def f(s, a, p):\n" + textwrap.indent(textwrap.dedent(body).strip("\n"), "    ")).reads)


def _walked(source: str) -> Walked:
    """What is found in the first function of `source`."""
    tree = ast.parse(source)
    function = next(node for node in ast.walk(tree) if isinstance(node, FUNCTIONS))
    scope = scope_of(tree).find(function)
    assert scope is not None
    found = row_reads(scope, Known())
    assert found is not None
    return found


def _one(body: str) -> RowReads:
    (found,) = _all(body)
    return found


def _relationships(read: PathRead) -> tuple[str, ...]:
    """The path of a read without the steps to an element or into a row."""
    return tuple(step for step in read.path if step != "[]" and not step.startswith("#"))


def _paths(found: RowReads) -> tuple[set[str], set[str]]:
    must = {".".join(_relationships(read)) for read in found.reads if read.must}
    may = {".".join(_relationships(read)) for read in found.reads if not read.must}
    return must, may


MUST = {
    "loop": "us = q.all()\nfor u in us:\n    print(u.team)",
    "loop over the call": "for u in q.all():\n    print(u.team)",
    "loop over a query": "for u in s.query(U):\n    u.team",
    "query in a name": "q = s.query(U)\nfor u in q:\n    u.team",
    "comprehension": "return [u.team for u in q.all()]",
    "consumed generator": "return list(u.team for u in q.all())",
    "trap 22: both branches": "for u in q.all():\n    if a:\n        u.team\n    else:\n        u.team.name",
    "behind continue of both": "for u in q.all():\n    if u.team:\n        continue\n    u.name",
    "left of or": "for u in q.all():\n    u.team or u.name",
    "in a test": "for u in q.all():\n    if u.team is None:\n        pass",
    "trap 24: sorted by key": "sorted(q.all(), key=lambda u: u.team.name)",
    "sort by key": "us = q.all()\nus.sort(key=lambda u: u.team.name)",
    "trap 24: list(map(show))": "list(map(show, q.all()))",
    "map of a lambda": "list(map(lambda u: u.team, q.all()))",
    "through names and list()": "us = list(q.all())\nvs = us\nfor u in sorted(vs):\n    u.team",
    "enumerate": "for i, u in enumerate(q.all()):\n    u.team",
    "row of several": "for u, n in pairs():\n    u.team",
    "row of several, enumerated": "for i, (u, n) in enumerate(pairs()):\n    u.team",
    "row by index": "for r in pairs():\n    r[0].team",
    "list of them": "vs = [u for u in q.all()]\nfor v in vs:\n    v.team",
    "empty is left": "us = q.all()\nif not us:\n    return []\nfor u in us:\n    u.team",
    "none is left": "us = q.all()\nif us is None or len(us) == 0:\n    return\nfor u in us:\n    u.team",
    "getattr with a name": "for u in q.all():\n    getattr(u, 'team')",
    "second loop reads less": "us = q.all()\nfor u in us:\n    u.team\nfor u in us:\n    if a:\n        break",
    "alias": "for u in q.all():\n    v = u\n    v.team",
    "exception on the way": "for u in q.all():\n    if a:\n        raise E\n    u.team",
    "producer on one way only": "if a:\n    for u in q.all():\n        u.team",
    "producer per turn": "for i in a:\n    for u in q.all():\n        u.team",
    "try around all": "try:\n    for u in q.all():\n        u.team\nexcept E:\n    raise",
    "walrus": "for u in (us := q.all()):\n    u.team",
    "two loops": "us = q.all()\nfor u in us:\n    u.team\nfor u in us:\n    u.name",
    "transaction around all": "with s.begin():\n    for u in q.all():\n        u.team",
    "single object": "o = q.first()\nif o is None:\n    return\no.team",
    "callee that reads it": "for u in q.all():\n    show(u)",
}

MAY = {
    "trap 21: continue before": "for u in q.all():\n    if not u.ok:\n        continue\n    u.team",
    "one branch": "for u in q.all():\n    if a:\n        u.team",
    "trap 23: right of or": "for u in q.all():\n    u.nick or u.team.name",
    "trap 23: any stops": "any(u.team.x for u in q.all())",
    "trap 23: swallowed": "for u in q.all():\n    try:\n        f()\n        u.team\n    except E:\n        pass",
    "break": "for u in q.all():\n    u.team\n    if a:\n        break",
    "return": "for u in q.all():\n    u.team\n    if a:\n        return",
    "filter in the comprehension": "[u.team for u in q.all() if u.ok]",
    "rows behind a branch": "us = q.all()\nif a:\n    for u in us:\n        u.team",
    "early return": "us = q.all()\nif a:\n    return\nfor u in us:\n    u.team",
    "one by index": "us = q.all()\nus[0].team",
    "slice": "for u in q.all()[:5]:\n    u.team",
    "next": "u = next(iter(q.all()))\nu.team",
    "generator that an unknown function gets": "us = q.all()\nmystery(u.team for u in us)",
    "pop": "us = q.all()\nwhile us:\n    us.pop().team",
    "zip": "for u, v in zip(q.all(), a):\n    u.team",
    "filtered list": "vs = [u for u in q.all() if u.ok]\nfor v in vs:\n    v.team",
    "appended": "vs = []\nfor u in q.all():\n    vs.append(u)\nfor v in vs:\n    v.team",
    "values of a dict": "d = {u.id: u for u in q.all()}\nfor u in d.values():\n    u.team",
    "dict of lists": "d = {}\nfor u in q.all():\n    d.setdefault(u.x, []).append(u)\nfor k, us in d.items():\n"
    "    for u in us:\n        u.team",
    "defaultdict of lists": "d = defaultdict(list)\nfor u in q.all():\n    d[u.x].append(u)\nfor us in d.values():\n"
    "    for u in us:\n        u.team",
    "dict of lists, sorted": "d = {}\nfor u in q.all():\n    d[u.x] = [u]\n"
    "print([u.team for k, us in sorted(d.items()) for u in us])",
    "one list of a dict": "d = {}\nfor u in q.all():\n    d[u.x].append(u)\nfor u in d[1]:\n    u.team",
    "stored by key": "d = {}\nfor u in q.all():\n    d[u.id] = u\nfor i in a:\n    d[i].team",
    "stored by key, as pairs": "d = {}\nfor u in q.all():\n    d[u.id] = u\nfor i, u in d.items():\n    u.team",
    "pairs in a list": "vs = []\nfor u in q.all():\n    vs.append((u.x, u))\nfor x, v in vs:\n    v.team",
    "taken over": "vs = []\nvs.extend(q.all())\nfor v in vs:\n    v.team",
    "groups": "for x, us in groupby(q.all(), p):\n    for u in us:\n        u.team",
    "lists in a list": "vs = [[], []]\nfor u in q.all():\n    vs[u.x].append(u)\nfor us in vs:\n    for u in us:\n"
    "        u.team",
    "generator function": "for u in q.all():\n    yield u.team.name",
    "conditional expression": "for u in q.all():\n    u.team if a else None",
    "chained comparison": "for u in q.all():\n    1 < u.x < u.team.x",
    "match": "for u in q.all():\n    match a:\n        case 1:\n            u.team",
    "manager that may swallow": "with x:\n    for u in q.all():\n        u.team",
    "single object behind a branch": "o = q.first()\nif a:\n    o.team",
}


@pytest.mark.parametrize("body", MUST.values(), ids=MUST.keys())
def test_read_of_each_row(body: str) -> None:
    assert "team" in _paths(_one(body))[0]


@pytest.mark.parametrize("body", MAY.values(), ids=MAY.keys())
def test_read_of_some_rows(body: str) -> None:
    assert _paths(_one(body)) == (set(), {"team"})


def test_longer_paths() -> None:
    found = _one("for u in q.all():\n    print(u.team.org.name)\n    for d in u.adds:\n        d.parent")
    assert _paths(found) == ({"team", "team.org", "adds", "adds.parent"}, set())
    assert [read.in_loop for read in found.reads if _relationships(read) == ("adds", "parent")] == [True]


def test_inner_loop_with_condition() -> None:
    found = _one("for u in q.all():\n    for d in u.adds:\n        if d.ok:\n            d.parent")
    assert _paths(found) == ({"adds"}, {"adds.parent"})


def test_rebound_element_shifts_the_path() -> None:
    assert _paths(_one("for u in q.all():\n    u = u.parent\n    u.team")) == ({"parent", "parent.team"}, set())


def test_rebound_to_something_else_is_no_read() -> None:
    assert _paths(_one("for u in q.all():\n    u = a\n    u.team")) == (set(), set())


def test_name_of_the_row_is_gone_behind_a_comprehension() -> None:
    assert _paths(_one("[u for u in q.all()]\nfor v in [1]:\n    u.team")) == (set(), set())


def test_two_producers_in_one_value() -> None:
    for body in ("for u in q.all() + r.all():\n    u.team", "us = q.all() if a else r.all()\nfor u in us:\n    u.team"):
        first, second = _all(body)
        assert _paths(first) == _paths(second) == (set(), {"team"})
        assert first.joined == {second.site}


def test_keys_of_a_dict_are_no_rows() -> None:
    for body in (
        "for k in d:\n    k.team",
        "for k, us in d.items():\n    k.team",
        "for k, us in d.items():\n    us.team",
    ):
        assert _paths(_one("d = {}\nfor u in q.all():\n    d[u.x].append(u)\n" + body)) == (set(), set())


KEPT = {
    "assigned": ("self.rows = q.all()", {"rows": {(0, False)}}),
    "assigned by a name": ("us = q.all()\nself.rows = us", {"rows": {(0, False)}}),
    "a list of them": ("self.rows = [u for u in q.all()]", {"rows": {(1, False)}}),
    "put into a list": ("self.rows = []\nfor u in q.all():\n    self.rows.append(u)", {"rows": {(1, True)}}),
    "grouped": ("for u in q.all():\n    self.rows[u.x].append(u)", {"rows": {(2, True)}}),
    "stored by key": ("self.rows = {}\nfor u in q.all():\n    self.rows[u.id] = u", {"rows": {(1, True)}}),
    "nothing": (
        "self.rows = None\nself.more = []\nself.all = defaultdict(list)",
        {"rows": set(), "more": set(), "all": set()},
    ),
    "something else": ("self.rows = a", {"rows": None}),
    "something else too": ("self.rows = q.all()\nself.rows = a", {"rows": None}),
    "a part of an unpacking": ("self.rows, n = q.all(), 1", {"rows": None}),
    "the target of a loop": ("for self.rows in a:\n    pass", {"rows": None}),
    "grown": ("self.rows = q.all()\nself.rows += a", {"rows": None}),
    "of something else": ("p.rows = q.all()", {}),
}


@pytest.mark.parametrize(("body", "kept"), KEPT.values(), ids=KEPT.keys())
def test_rows_that_an_object_keeps(body: str, kept: dict[str, set[tuple[int, bool]] | None]) -> None:
    found = _walked("class C:\n    def f(self, a, p):\n" + textwrap.indent(body, "        ")).kept
    assert {name: None if refs is None else {ref[3:] for ref in refs} for name, refs in found.items()} == kept


def test_rows_that_an_object_keeps_are_read() -> None:
    walked = _walked("class C:\n    def f(self, a, p):\n        for u in self.users:\n            u.team")
    (reads,) = walked.reads
    assert _paths(reads) == ({"team"}, set())


def test_callee_that_may_read() -> None:
    assert _paths(_one("for u in q.all():\n    show(u)")) == ({"team"}, {"adds"})


WINDOWS: dict[str, tuple[str, set[Effect]]] = {
    "clean": ("us = q.all()\nfor u in us:\n    u.team", set()),
    "commit before": ("us = q.all()\ns.commit()\nfor u in us:\n    u.team", {"commit"}),
    "commit before the query": ("s.commit()\nus = q.all()\nfor u in us:\n    u.team", set()),
    "commit behind": ("us = q.all()\nfor u in us:\n    u.team\ns.commit()", set()),
    "commit in the loop": ("us = q.all()\nfor u in us:\n    u.team\n    s.commit()", {"commit"}),
    "commit in one branch": ("us = q.all()\nif a:\n    s.commit()\nfor u in us:\n    u.team", {"commit"}),
    "query is executed by the loop": ("q = s.query(U)\ns.commit()\nfor u in q:\n    u.team", set()),
    "trap 19: flush": ("for u in q.all():\n    s.add(u.id)\n    s.flush()\n    len(u.team)", {"write"}),
    "trap 20: foreign key": ("for u in q.all():\n    u.team_id = 1\n    u.team.name", {"write"}),
    "trap 28: callee commits": ("for u in q.all():\n    save(s)\n    u.team", {"commit", "write"}),
    "transaction block ends": ("with s.begin():\n    us = q.all()\nfor u in us:\n    u.team", {"commit"}),
    "expunged": ("us = q.all()\nfor u in us:\n    s.expunge(p)\n    u.team", {"expunge"}),
    "another round": ("for i in a:\n    for u in q.all():\n        u.team\n    s.commit()", set()),
}


@pytest.mark.parametrize(("body", "effects"), WINDOWS.values(), ids=WINDOWS.keys())
def test_window(body: str, effects: set[Effect]) -> None:
    (read,) = [read for read in _one(body).reads if _relationships(read) == ("team",)]
    assert {effect for effect, _ in read.between} == effects


def test_trap_20_mutator_reads_and_writes() -> None:
    found = _one("for u in q.all():\n    u.roles.append(a)\n    u.team")
    assert _paths(found) == ({"roles", "team"}, set())
    (team,) = [read for read in found.reads if _relationships(read) == ("team",)]
    assert {effect for effect, _ in team.between} == {"write"}


EXPOSURES = {
    "dict": ("for u in q.all():\n    u.__dict__", "reflection"),
    "vars": ("for u in q.all():\n    vars(u)", "reflection"),
    "variable getattr": ("for u in q.all():\n    getattr(u, a)", "reflection"),
    "method": ("for u in q.all():\n    u.to_dict()", "member"),
    "callee": ("for u in q.all():\n    mystery(u)", "callee"),
    "callee gets all": ("mystery(q.all())", "callee"),
    "returned": ("us = q.all()\nreturn us", "returned"),
    "returned in a list": ("return [u for u in q.all()]", "returned"),
    "yielded": ("for u in q.all():\n    yield u", "yielded"),
    "stored": ("p.users = q.all()", "stored"),
    "captured": ("us = q.all()\nreturn lambda: us", "captured"),
    "generator that is kept": ("us = q.all()\nmystery2 = (u.team for v in a for u in us)", "captured"),
}


@pytest.mark.parametrize(("body", "kind"), EXPOSURES.values(), ids=EXPOSURES.keys())
def test_exposures(body: str, kind: str) -> None:
    assert kind in {exposure.kind for exposure in _one(body).exposures}


def test_plain_reads_are_no_exposures() -> None:
    assert _one("for u in q.all():\n    print(u.name, u.team.name)").exposures == ()


def test_earlier_producers() -> None:
    first, second = _all("us = q.all()\nvs = r.all()\nfor u in us:\n    u.team\nfor v in vs:\n    v.team")
    assert first.earlier == frozenset()
    assert second.earlier == {first.site}


def test_loops_are_named() -> None:
    found = _one("us = q.all()\nfor u in us:\n    u.team\n[u.team for u in us]")
    assert [type(going.node) for going in found.loops] == [ast.For, ast.comprehension]
