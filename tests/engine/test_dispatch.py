"""Which nodes a rule gets to see."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from alchemod.engine.context import Context
from alchemod.engine.dispatch import Dispatcher
from alchemod.engine.finding import Finding
from alchemod.engine.registry import Registry, RuleEntry, entry_of
from alchemod.engine.rule import Rule
from alchemod.facts.project import Project
from alchemod.inference import Inference
from alchemod.settings.options import Settings
from engine.toys import GATE, Faulty, OddName, found_in, rule, settle, write


class Recorder(Rule):
    """Remembers what it was shown."""

    code = "ALC910"
    names = ("it",)

    def seen(self, node: ast.AST, ctx: Context) -> Iterator[Finding]:
        yield self.report(node, ast.unparse(node).partition("\n")[0])


def shown(tmp_path: Path, code: str, *kinds: str, **members: object) -> list[str]:
    """What a rule with methods for `kinds` and the name `it` is shown of `code`."""
    methods = {f"find_{kind}": Recorder.seen for kind in kinds}
    recorder = rule("Shown", "ALC911", names=("it",), **{**methods, **members})
    write(tmp_path, {"a.py": GATE + code})
    project = Project.load(found_in(tmp_path).files, tmp_path)
    dispatcher = Dispatcher(Registry.of(recorder), ["ALC911"], project)
    path = tmp_path / "a.py"
    context = Context(project, Inference(project), path, project.source(path), project.tree(path), Settings())
    return [finding.message for finding in dispatcher.find(context, dispatcher.concerned(context.source))]


@pytest.mark.parametrize(
    ("code", "kind", "expected"),
    [
        ("it(); a.it(1); it.b(); a.it.c(); it()(); (lambda: it)()", "Call", ["it()", "a.it(1)", "it()"]),
        ("it.b; a.it; a.b; a.it.c", "Attribute", ["a.it", "a.it"]),
        ("it; a.it; its; it = 1", "Name", ["it", "it"]),
        ("def f():\n    it()\ndef g():\n    its()\n", "FunctionDef", ["def f():"]),
        ("for x in y:\n    it\nfor x in it: pass\nfor x in z: pass", "For", ["for x in y:", "for x in it:"]),
        ("[x for x in it]; [y\n for y in z]", "comprehension", [" for x in it"]),
        ("@it\nclass A:\n    pass\n\n@its\nclass B: ...", "ClassDef", ["@it"]),
        ("from it import a\nimport b", "ImportFrom", ["from it import a"]),
        ("with a as b: it\nwith it: pass", "With", ["with a as b:", "with it:"]),
        ("# it", "Module", ["import sqlalchemy"]),
        ("'it'", "Expr", ["'it'"]),
        ("x = 1; it", "Name", ["it"]),
        ("if a:\n  pass\nelse:\n  try: b\n  except it: c", "Name", ["it"]),
        ("its; bit; it2; éit; ité", "Name", []),
    ],
)
def test_what_a_rule_is_shown(tmp_path: Path, code: str, kind: str, expected: list[str]) -> None:
    assert shown(tmp_path, code, kind) == expected


def test_nodes_come_parents_first_in_source_order(tmp_path: Path) -> None:
    code = "it(\n  a.it(),\n  it)\nx\nit()"
    assert shown(tmp_path, code, "Call", "Name") == ["it(a.it(), it)", "it", "a.it()", "it", "it()", "it"]


def test_several_methods_of_a_class_are_looked_at_again(tmp_path: Path) -> None:
    recorder = rule("Shown", "ALC911", names=("it",), find_Call=Recorder.seen)
    code = "class A:\n    def f(self): it(1)\n    def g(self): it(2)\n    def h(self): it(3)\n    def i(self): it(4)\n"
    write(tmp_path, {"a.py": GATE + code})
    project = Project.load(found_in(tmp_path).files, tmp_path)
    dispatcher = Dispatcher(Registry.of(recorder), ["ALC911"], project)
    path = tmp_path / "a.py"
    context = Context(project, Inference(project), path, project.source(path), project.tree(path), Settings())
    within = frozenset({"A.f", "A.g", "A.i"})
    found = dispatcher.find(context, dispatcher.concerned(context.source), within)
    assert [finding.message for finding in found] == ["it(1)", "it(2)", "it(4)"]


def test_facts_may_supply_names(tmp_path: Path) -> None:
    def names_from(self: Rule, project: Project) -> Iterable[str]:
        return ("factory",) if list(project.paths) else ()

    assert shown(tmp_path, "factory(); it()", "Call", names_from=names_from) == ["factory()", "it()"]


def test_one_method_may_serve_several_node_classes(tmp_path: Path) -> None:
    class Loops(Rule):
        """Sees loops."""

        code = "ALC914"
        names = ("it",)

        def find_For(self, node: ast.For | ast.AsyncFor | ast.ListComp, ctx: Context) -> Iterator[Finding]:
            yield self.report(node, type(node).__name__)

        find_AsyncFor = find_ListComp = find_For

    assert entry_of(Loops).kinds == ("AsyncFor", "For", "ListComp")
    write(tmp_path, {"a.py": GATE + "async def f():\n    async for a in it: pass\n    for b in it: [c for c in it]\n"})
    assert [finding.message for finding in settle(tmp_path, Loops).findings] == ["AsyncFor", "For", "ListComp"]


def test_lines_end_at_a_lone_carriage_return_too(tmp_path: Path) -> None:
    assert shown(tmp_path, "x = 1\ry = 2\r\nfor z in w:\r    it\r", "For") == ["for z in w:"]


def test_a_failing_rule_is_a_row_and_the_others_go_on(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": GATE + "faulty\nfaulty\nodd\n", "b.py": GATE + "faulty\n"})
    result = settle(tmp_path, Faulty, OddName)
    rows = [(row.path.name if row.path else None, row.line, row.rule, row.kind) for row in result.failures]
    assert rows == [("a.py", 2, "ALC904", "rule"), ("b.py", 2, "ALC904", "rule")]
    assert "ZeroDivisionError: by nought" in result.failures[0].message
    assert "Traceback" not in result.failures[0].message
    assert "Traceback" in (result.failures[0].trace or "")
    assert [finding.code for finding in result.findings] == ["ALC903"]


def test_a_rule_that_fails_to_supply_names_is_a_row(tmp_path: Path) -> None:
    def names_from(self: Rule, project: Project) -> Iterable[str]:
        raise ValueError("no names")

    def find_name(self: Rule, node: ast.AST, ctx: Context) -> Iterator[Finding]:
        yield self.report(node, "seen")

    write(tmp_path, {"a.py": GATE + "it\n"})
    bad = rule("Bad", "ALC912", names=("it",), names_from=names_from, find_Name=find_name)
    result = settle(tmp_path, bad)
    assert [(row.path, row.rule) for row in result.failures] == [(None, "ALC912")]
    assert [finding.message for finding in result.findings] == ["seen"]


def test_a_chain_of_a_thousand_calls_is_walked(tmp_path: Path) -> None:
    chain = "q" + "".join(f".f{number}()" for number in range(900)) + ".it()"
    write(tmp_path, {"a.py": GATE + f"x = {chain}\n"})

    def find_call(self: Rule, node: ast.AST, ctx: Context) -> Iterator[Finding]:
        yield self.report(node, "seen")

    result = settle(tmp_path, rule("Deep", "ALC913", names=("it",), find_Call=find_call))
    assert [finding.message for finding in result.findings] == ["seen"]
    assert result.failures == []


def test_a_rule_is_imported_where_one_of_its_names_occurs(tmp_path: Path) -> None:
    entries = [
        RuleEntry(f"ALC93{number}", f"rule-{number}", "Missing.", "no.such.module", names=(name,), kinds=("Call",))
        for number, name in enumerate(("absent", "present"))
    ]
    write(tmp_path, {"a.py": GATE + "present()\n"})
    project = Project.load(found_in(tmp_path).files, tmp_path)
    path = tmp_path / "a.py"
    context = Context(project, Inference(project), path, project.source(path), project.tree(path), Settings())
    dispatcher = Dispatcher(Registry(entries), ["ALC930", "ALC931"], project)
    concerned = dispatcher.concerned(context.source)
    assert concerned == {"ALC931": [2]}
    assert list(dispatcher.find(context, concerned)) == []
    assert [failure.rule for failure in dispatcher.failures] == ["ALC931"]
