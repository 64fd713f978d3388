"""Find and rewrite until nothing changes; what is told of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from alchemod.edits.verbs import Append, Rename, Swap, append, rename, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from engine.toys import GATE, OddName, OldCall, RiskyCall, rule, settle, texts, write


def renaming(code: str, old: str, new: str, **members: object) -> type[Rule]:
    """A rule that renames calls of `old` to `new`."""

    def find_call(self: Rule, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        yield self.fix(call, f"{old}() should be {new}()", rename(call.func, new))

    return rule(f"Rename{old.title()}", code, names=(old,), find_Call=find_call, **members)


def test_safe_fixes_are_made_and_others_told(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": GATE + "old(1)\nrisky()\nodd\n", "b.py": GATE + "x.old(2)  # why\n", "c.py": "old()\n"})
    result = settle(tmp_path, OldCall, RiskyCall, OddName)
    assert texts(result) == {"a.py": GATE + "new(1)\nrisky()\nodd\n", "b.py": GATE + "x.new(2)  # why\n"}
    told = [(finding.path, finding.line, finding.code, finding.safety) for finding in result.findings]
    assert told == [
        ("a.py", 2, "ALC901", "safe"),
        ("a.py", 3, "ALC902", "unsafe"),
        ("a.py", 4, "ALC903", "report"),
        ("b.py", 2, "ALC901", "safe"),
    ]
    assert result.fixed == {finding.fingerprint for finding in result.findings if finding.code == "ALC901"}
    assert result.failures == []


def test_unsafe_fixes_are_made_when_wanted(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": GATE + "old(risky())\n"})
    result = settle(tmp_path, OldCall, RiskyCall, unsafe_fixes=True)
    assert texts(result) == {"a.py": GATE + "new(calm())\n"}
    assert len(result.fixed) == 2


def test_findings_leave_no_trees_behind(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": GATE + "old(risky(odd))\n"})
    for finding in settle(tmp_path, OldCall, RiskyCall, OddName).findings:
        assert finding.node is None
        assert finding.proposal is None


def test_what_a_fix_makes_is_looked_at_again(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": GATE + "a()\n"})
    chain = [renaming("ALC911", "a", "b"), renaming("ALC912", "b", "c"), renaming("ALC913", "c", "d")]
    result = settle(tmp_path, *chain)
    assert texts(result) == {"a.py": GATE + "d()\n"}
    assert [finding.code for finding in result.findings] == ["ALC911"]
    assert settle(tmp_path, *chain).changes.keys() == result.changes.keys()


def test_applying_and_running_again_changes_nothing(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": GATE + "a(b(old()))\n"})
    rules = [renaming("ALC911", "a", "b"), renaming("ALC912", "b", "c"), OldCall]
    result = settle(tmp_path, *rules)
    for path, change in result.changes.items():
        path.write_bytes(change.new.data)
    assert settle(tmp_path, *rules).changes == {}


def test_rules_that_undo_each_other_leave_the_file_as_it_was(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": GATE + "tick()\nold()\n", "b.py": GATE + "old()\n"})
    rules = [renaming("ALC911", "tick", "tock"), renaming("ALC912", "tock", "tick"), OldCall]
    result = settle(tmp_path, *rules)
    assert texts(result) == {"b.py": GATE + "new()\n"}
    [row] = result.failures
    assert row.path == tmp_path / "a.py"
    assert row.message == "ALC911 and ALC912 still changed this file after 10 passes, it is left as it was"
    assert [(f.path, f.safety) for f in result.findings] == [("a.py", "report"), ("a.py", "report"), ("b.py", "safe")]
    assert "ALC911 and ALC912 do not come to rest in this file" in result.findings[0].message
    assert len(result.dropped) == 2


def test_one_site_has_one_owner(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": GATE + "a()\n"})
    first, second = renaming("ALC911", "a", "first"), renaming("ALC912", "a", "second")
    assert texts(settle(tmp_path, first, second)) == {"a.py": GATE + "first()\n"}
    first = renaming("ALC911", "a", "first", after=("ALC912",))
    assert texts(settle(tmp_path, first, second)) == {"a.py": GATE + "second()\n"}
    first = renaming("ALC911", "a", "first", yields_to=("ALC912",))
    assert texts(settle(tmp_path, first, second)) == {"a.py": GATE + "second()\n"}
    assert texts(settle(tmp_path, first)) == {"a.py": GATE + "first()\n"}


def test_a_fix_that_cannot_be_rendered_becomes_a_report(tmp_path: Path) -> None:
    def find_call(self: Rule, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        yield self.fix(call, "gone", swap(call, "nothing"))

    write(tmp_path, {"a.py": GATE + "x = gone(  # a comment that would be lost\n    1)\nold()\n"})
    result = settle(tmp_path, rule("Gone", "ALC911", names=("gone",), find_Call=find_call), OldCall)
    assert [(f.code, f.safety) for f in result.findings] == [("ALC911", "report"), ("ALC901", "safe")]
    assert "; fix not offered: " in result.findings[0].message
    assert result.findings[0].fixable is False
    assert "new()" in texts(result)["a.py"]
    assert not result.dropped


def test_where_an_owner_is_refused_its_rival_gets_the_site(tmp_path: Path) -> None:
    def find_call(self: Rule, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        yield self.fix(call, "gone", swap(call, "nothing"), rename(call.func, "x"))

    write(tmp_path, {"a.py": GATE + "x = gone(  # a comment that would be lost\n    1)\n"})
    rules = [rule("Gone", "ALC911", names=("gone",), find_Call=find_call), renaming("ALC912", "gone", "went")]
    result = settle(tmp_path, *rules)
    assert "x = went(  # a comment" in texts(result)["a.py"]
    assert len(result.fixed) == 2  # nothing is left of either


def test_a_verb_that_fails_is_a_row_and_the_other_fixes_are_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from alchemod.edits import rewrite

    whole = rewrite.rewrite

    def failing(source: object, tree: object, edits: dict[str, list[Rename]], *rest: object, **more: object) -> object:
        if any(verb.to == "bad" for verbs in edits.values() for verb in verbs):
            raise ZeroDivisionError
        return whole(source, tree, edits, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(rewrite, "rewrite", failing)
    write(tmp_path, {"a.py": GATE + "good(1)\nold()\n"})
    result = settle(tmp_path, renaming("ALC911", "good", "bad"), OldCall)
    assert texts(result) == {"a.py": GATE + "good(1)\nnew()\n"}
    [row] = result.failures
    assert (row.line, row.rule, row.kind) == (2, "ALC911", "render")
    assert [finding.safety for finding in result.findings] == ["report", "safe"]


class Pair(Rule):
    """Two files that change together: `pair(...)` in a function of one, the class `Twin` in the other."""

    code = "ALC921"
    names = ("pair",)

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        other = ctx.path.with_name("twin.py")
        [twin] = [node for node in ctx.project.tree(other).body if isinstance(node, ast.ClassDef)]
        yield self.fix(call, "a pair", rename(call.func, "paired"), elsewhere=[(other, append(twin, "paired = True"))])


TWIN = GATE + "class Twin:\n    x = 1\n"


def test_a_change_set_may_span_files(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": GATE + "pair()\n", "twin.py": TWIN, "z.py": GATE + "old()\n"})
    result = settle(tmp_path, Pair, OldCall)
    assert texts(result) == {
        "a.py": GATE + "paired()\n",
        "twin.py": TWIN + "    paired = True\n",
        "z.py": GATE + "new()\n",
    }
    groups = {path.name: change.group for path, change in result.changes.items()}
    assert groups["a.py"] == groups["twin.py"] != groups["z.py"]


def test_a_change_set_waits_for_other_fixes_of_its_files(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": GATE + "old(pair())\n", "twin.py": TWIN + "old()\n"})
    result = settle(tmp_path, Pair, OldCall)
    assert texts(result) == {
        "a.py": GATE + "new(paired())\n",
        "twin.py": GATE + "class Twin:\n    x = 1\n    paired = True\nnew()\n",
    }
    assert len(result.fixed) == 3


def test_a_change_set_that_leaves_the_named_files_is_reported(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": GATE + "pair()\n", "twin.py": TWIN})
    result = settle(tmp_path, Pair, named=("a.py",))
    assert result.changes == {}
    [finding] = result.findings
    assert finding.message == (
        "a pair; fix not offered: it also edits twin.py, which is not among the files named for this run"
    )
    assert (finding.safety, result.dropped) == ("report", {finding.fingerprint})


def test_a_suppressed_member_drops_its_change_set(tmp_path: Path) -> None:
    twin = GATE + "class Twin:  # alchemod: ignore[ALC921]\n    x = 1\n"
    write(tmp_path, {"a.py": GATE + "pair()\n", "twin.py": twin})
    result = settle(tmp_path, Pair)
    assert result.changes == {}
    [finding] = [finding for finding in result.findings if finding.code == "ALC921"]
    assert "it also edits twin.py:2, where a comment suppresses ALC921" in finding.message
    assert len(result.dropped) == 1


def test_a_member_refused_in_one_file_drops_it_in_all(tmp_path: Path) -> None:
    class Torn(Rule):
        """Torn."""

        code = "ALC922"
        names = ("torn",)

        def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
            other = ctx.path.with_name("twin.py")
            [statement] = [node for node in ctx.project.tree(other).body if isinstance(node, ast.Expr)]
            edit: Swap | Append = swap(statement.value, "nothing")
            yield self.fix(call, "torn", rename(call.func, "mended"), elsewhere=[(other, edit)])

    write(tmp_path, {"a.py": GATE + "torn()\npair()\n", "twin.py": TWIN + "f(  # lost\n    1)\n"})
    result = settle(tmp_path, Torn, Pair)
    assert "torn()\npaired()" in texts(result)["a.py"]
    assert "f(  # lost\n    1)" in texts(result)["twin.py"]
    assert [(f.code, f.safety) for f in result.findings] == [("ALC922", "report"), ("ALC921", "safe")]


def test_reports_that_only_a_later_pass_sees_are_told_in_the_place_on_disk(tmp_path: Path) -> None:
    def find_call(self: Rule, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        yield self.report(call, "late() is late")

    late = rule("Late", "ALC931", names=("late",), find_Call=find_call)
    write(tmp_path, {"a.py": GATE + "x = 1\nearly()\n"})
    result = settle(tmp_path, renaming("ALC911", "early", "late"), late)
    assert [(f.code, f.line, f.column) for f in result.findings] == [("ALC911", 3, 1), ("ALC931", 3, 1)]


def test_a_report_that_a_fix_puts_into_another_scope_is_told_once(tmp_path: Path) -> None:
    def find_def(self: Rule, function: ast.FunctionDef, ctx: Context) -> Iterator[Finding]:
        if function.name == "early":
            yield self.fix(function, "early is late", rename(function, "late"))

    renamed = rule("Renamed", "ALC931", names=("early",), find_FunctionDef=find_def)
    write(tmp_path, {"a.py": GATE + "def early():\n    odd\n    odd\n"})
    result = settle(tmp_path, renamed, OddName)
    assert texts(result) == {"a.py": GATE + "def late():\n    odd\n    odd\n"}
    told = [(f.code, f.line) for f in result.findings]
    assert told == [("ALC931", 2), ("ALC903", 3), ("ALC903", 4)]


def test_suppression_moves_with_its_statement(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": GATE + "a(old())  # alchemod: ignore[ALC911]\n"})
    result = settle(tmp_path, renaming("ALC911", "a", "b"), OldCall)
    assert texts(result) == {"a.py": GATE + "a(new())  # alchemod: ignore[ALC911]\n"}


def test_findings_do_not_depend_on_the_named_paths(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": GATE + "old()\nold()\n", "b.py": GATE + "old()\n"})
    whole = [finding for finding in settle(tmp_path, OldCall).findings if finding.path == "a.py"]
    assert settle(tmp_path, OldCall, named=("a.py",)).findings == whole
    assert len({finding.fingerprint for finding in whole}) == 2


def test_the_encoding_and_the_newlines_are_kept(tmp_path: Path) -> None:
    text = "# coding: latin-1\r\nimport sqlalchemy\r\nold('ä',\r\n    1)\r\n"
    write(tmp_path, {"a.py": text.encode("latin-1")})
    [change] = settle(tmp_path, OldCall).changes.values()
    assert change.new.data == text.replace("old", "new").encode("latin-1")


def dropping(name: str) -> type[Rule]:
    """A rule that puts `1` in the place of the calls of `name`."""

    def find_call(self: Rule, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        yield self.fix(call, "gone", swap(call, "1"))

    return rule("Dropping", "ALC941", names=(name,), find_Call=find_call)


def test_an_import_that_nothing_needs_any_more_goes(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": GATE + "from contextlib import closing, suppress\n\nx = closing(y)\n"})
    assert texts(settle(tmp_path, dropping("closing"))) == {"a.py": GATE + "from contextlib import suppress\n\nx = 1\n"}


@pytest.mark.parametrize(
    "other",
    [
        "import sqlalchemy\nfrom app.a import closing\n",
        "import sqlalchemy\nfrom app.a import *\n",
        "mock.patch('app.a.closing')\n",
        "import app.a\napp.a.closing\n",
    ],
)
def test_an_import_that_another_file_takes_stays(tmp_path: Path, other: str) -> None:
    code = GATE + "from contextlib import closing\n\nx = closing(y)\n"
    write(tmp_path, {"app/__init__.py": "", "app/a.py": code, "b.py": other})
    assert texts(settle(tmp_path, dropping("closing"))) == {"a.py": code.replace("closing(y)", "1")}


def test_imports_that_new_code_needs_are_added_once(tmp_path: Path) -> None:
    def find_call(self: Rule, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        yield self.fix(call, "m", swap(call, "{sqlalchemy.true}()"))

    write(tmp_path, {"a.py": GATE + "from sqlalchemy import Column\n\ntruth()\n\n\ndef f():\n    truth()\n"})
    result = settle(tmp_path, rule("Truth", "ALC942", names=("truth",), find_Call=find_call))
    assert texts(result) == {"a.py": GATE + "from sqlalchemy import Column, true\n\ntrue()\n\n\ndef f():\n    true()\n"}
