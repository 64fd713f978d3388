"""Several fixes in one file: they compose, the outer of two nested ones wins, a refused one leaves no trace."""

from __future__ import annotations

import ast

import libcst as cst
import pytest

from alchemod.edits.attempt import Attempt
from alchemod.edits.imports import ImportRequest
from alchemod.edits.refusal import Refusal
from alchemod.edits.rewrite import rewrite
from alchemod.edits.verbs import Transform, add_argument, append, drop, insert, rename, swap, transform
from edits.files import File


def test_fixes_of_one_statement_compose() -> None:
    file = File("x = a.b(c, d=e).f(g)\n")
    result = file.rewritten(
        {
            "one": [rename(file.expr("a.b"), "B")],
            "two": [swap(file.keyword("d=e"), "D == {v}", v=file.expr("e"))],
            "three": [swap(file.expr("a.b(c, d=e)"), "{_}.o()")],
            "four": [rename(file.expr("e"), "E"), add_argument(file.expr("a.b(c, d=e).f(g)"), "h=1")],
        }
    )
    assert result.source.text == "x = a.B(c, D == E).o().f(g, h=1)\n"
    assert result.applied == {"one", "two", "three", "four"}


def test_of_two_edits_on_one_node_the_first_wins() -> None:
    file = File("x = a\n")
    target = file.expr("a")
    result = file.rewritten({1: [swap(target, "b")], 2: [swap(target, "c")], 3: [rename(target, "d")]})
    assert result.source.text == "x = b\n"
    assert result.refused == {
        2: "another edit changes the same code",
        3: "it lies in code that another edit replaces",
    }


def test_edit_in_code_that_a_template_discards_is_refused() -> None:
    file = File("x = f(a.b, c)\n")
    call = file.expr("f(a.b, c)")
    result = file.rewritten({1: [rename(file.expr("a.b"), "B")], 2: [swap(call, "g({v})", v=call.args[1])]})
    assert result.source.text == "x = g(c)\n"
    assert result.refused == {1: "it lies in code that another edit replaces"}


def test_edit_in_a_dropped_statement_is_refused() -> None:
    file = File("a.b\nc\n")
    result = file.rewritten({1: [rename(file.expr("a.b"), "B")], 2: [drop(file.stmt("a.b"))]})
    assert result.source.text == "c\n"
    assert set(result.refused) == {1}


def test_fix_is_done_as_a_whole_or_not_at_all() -> None:
    file = File("x = a\ny = b\nz = c\n")
    result = file.rewritten(
        {
            1: [rename(file.expr("a"), "A"), swap(file.expr("b"), "1 +")],
            2: [rename(file.expr("b"), "B")],
            3: [rename(file.expr("c"), "C")],
        }
    )
    assert result.source.text == "x = a\ny = B\nz = C\n"
    assert result.applied == {2, 3}
    assert set(result.refused) == {1}


def test_same_name_twice_is_no_clash() -> None:
    file = File("a.b()\n")
    target = file.expr("a.b")
    assert file.rewritten({1: [rename(target, "c")], 2: [rename(target, "c")]}).applied == {1, 2}


def test_imports_of_a_refused_fix_are_not_asked_for() -> None:
    file = File("x = a  # c\ny = (  # lost\n    b)\n")
    file2 = File("x = a\ny = f(  # lost\n    b)\n")
    result = file2.rewritten(
        {
            1: [swap(file2.expr("a"), "{sqlalchemy.true}()")],
            2: [swap(file2.node(ast.Call), "{sqlalchemy.orm.selectinload}(b)")],
        }
    )
    assert result.imports == (ImportRequest("sqlalchemy", "true"),)
    assert result.refused == {2: "the comment '# lost' would be lost"}
    assert file.after(swap(file.expr("b"), "{_}.c")) == "x = a  # c\ny = (  # lost\n    b.c)\n"


def test_two_cannot_take_each_others_code() -> None:
    file = File("x = a.b\ny = c.d\n")
    one, other = file.expr("a.b"), file.expr("c.d")
    result = file.rewritten({1: [swap(one, "f({v})", v=other)], 2: [swap(other, "g({v})", v=one)]})
    assert result.refused == {1: "two edits each take the other's code"}
    assert result.source.text == "x = a.b\ny = g(a.b)\n"


def test_code_copied_from_another_statement() -> None:
    file = File("x = a or b\ny = c\n")
    assert file.after(swap(file.expr("c"), "{_} == {v}", v=file.expr("a or b"))) == "x = a or b\ny = c == (a or b)\n"


def test_nothing_to_do() -> None:
    file = File("x = a\n")
    result = file.rewritten({})
    assert result.source is file.source
    assert result.applied == frozenset()


def test_node_of_another_tree_is_refused() -> None:
    file, other = File("x = a\n"), File("x = a\n")
    assert file.refusal(rename(other.expr("a"), "b")) == "a node that is edited is no part of the file's tree"


class Upper(cst.CSTTransformer):
    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.Name:
        return updated_node.with_changes(value=updated_node.value.upper())


def test_transformer_must_keep_its_promise() -> None:
    file = File("x = a.b\n")
    target = file.expr("a.b")
    kept = ast.parse("A.B", mode="eval").body
    broken = ast.parse("A.b", mode="eval").body
    assert file.after(transform(target, Upper(), kept)) == "x = A.B\n"
    assert file.refusal(transform(target, Upper(), broken)) == "the result is not what the template promises"


def test_transformer_of_a_statement() -> None:
    file = File("if x:\n    a = b  # c\n")
    promise = ast.parse("A = B").body[0]
    assert file.after(transform(file.stmt("a = b"), Upper(), promise)) == "if x:\n    A = B  # c\n"


class Failing(cst.CSTTransformer):
    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    def visit_Name(self, node: cst.Name) -> None:
        raise self.error


class PanicException(BaseException):
    """Stands for that of the native parser."""


@pytest.mark.parametrize("error", [RecursionError(), MemoryError(), PanicException(), ValueError(), SyntaxError()])
def test_whatever_libcst_raises_is_a_refusal(error: BaseException) -> None:
    file = File("x = a\ny = b\n")
    bad = Transform(file.expr("a"), Failing(error), file.expr("a"))
    result = file.rewritten({1: [bad], 2: [rename(file.expr("b"), "c")]})
    assert result.source.text == "x = a\ny = c\n"
    assert set(result.refused) == {1}


def test_interrupt_is_not_caught() -> None:
    file = File("x = a\n")
    verb = Transform(file.expr("a"), Failing(KeyboardInterrupt()), file.expr("a"))
    with pytest.raises(KeyboardInterrupt):
        rewrite(file.source, file.tree, {1: [verb]})


def test_character_outside_the_encoding_of_the_file_is_refused() -> None:
    file = File("# coding: latin-1\nx = 'ä', a\n".encode("latin-1"))
    assert "cannot be written in the file's encoding" in file.refusal(swap(file.expr("a"), "{v!r}", v="→"))
    assert file.data(swap(file.expr("a"), "{v!r}", v="ö")) == "# coding: latin-1\nx = 'ä', 'ö'\n".encode("latin-1")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (f"x = [{', '.join(['aaaaaaaa'] * 4000)}, b]\n", "the statement is longer than 32 KB"),
        (f"x = {'(' * 90}{'-' * 101}b{')' * 90}\n", "the statement is nested more than 100 levels deep"),
        (f"x = b{'.c()' * 201}\n", "the statement has a chain of more than 200 links"),
        (f"x = b{' + c' * 201}\n", "the statement has a chain of more than 200 links"),
        (f"x = b{' or c' * 201}\n", "the statement has a chain of more than 200 links"),
    ],
)
def test_statement_beyond_the_limits_is_refused(code: str, reason: str) -> None:
    file = File(code)
    assert file.refusal(rename(file.expr("b"), "c")) == reason


def test_statement_at_the_limits_is_edited() -> None:
    chains = f"x = b{'.c()' * 199}\n", f"x = b{' + c' * 199}\n", f"x = b{' or c' * 199}\n"
    for code in (*chains, f"x = {'[' * 90}b{']' * 90}\n", f"x = {'-' * 98}b\n"):
        file = File(code)
        assert file.after(rename(file.expr("b"), "d"), line_length=4000) == code.replace("b", "d", 1)


def test_module_beyond_the_limit_is_not_parsed_as_a_whole() -> None:
    file = File("x = a\n" + "# a comment that makes the file long\n" * 30_000)
    verbs = {1: [rename(file.expr("a"), "b")]}
    assert rewrite(file.source, file.tree, verbs).applied == {1}
    whole = rewrite(file.source, file.tree, verbs, whole_module=True)
    assert whole.refused == {1: "the file is larger than 1 MB"}


def test_module_with_a_statement_beyond_the_limits_is_not_parsed_as_a_whole() -> None:
    file = File(f"x = a\ny = b{'.c()' * 201}\n")
    verbs = {1: [rename(file.expr("a"), "b")]}
    assert rewrite(file.source, file.tree, verbs).applied == {1}
    assert "more than 200 links" in rewrite(file.source, file.tree, verbs, whole_module=True).refused[1]


def test_statement_that_only_the_module_gives_back(monkeypatch: pytest.MonkeyPatch) -> None:
    from alchemod.edits import frames

    real = frames.Frame.of.__func__  # type: ignore[attr-defined]

    def broken(cls: object, owner: object, text: str, *rest: str) -> object:
        if text == "x = a":
            raise Refusal("as if LibCST could not parse it alone")
        return real(cls, owner, text, *rest)

    file = File("x = a\n")
    monkeypatch.setattr(frames.Frame, "of", classmethod(broken))
    assert file.after(rename(file.expr("a"), "b")) == "x = b\n"


def test_verbs_on_the_same_statement_and_inside() -> None:
    file = File("class A:\n    b = c\n")
    new = file.after(
        append(file.tree.body[0], "d = {v}", v=file.expr("c")),
        insert("e = 1", before=file.stmt("b = c")),
        rename(file.expr("c"), "C"),
        rename(file.tree.body[0], "B"),
    )
    assert new == "class B:\n    e = 1\n    b = C\n    d = C\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("f(s, x=1, y=2)\n", 'f(s, {"a": 1})\n'),
        ("f(s, x=1, y=2,)\n", 'f(s, {"a": 1},)\n'),
        ("f(\n    s,\n    x=1,  # one\n    y=2,\n)\n", 'f(\n    s,\n    {"a": 1},  # one\n)\n'),
        ("f(x=(1, 2), y=2)\n", 'f({"a": (1, 2)})\n'),
    ],
)
def test_an_argument_is_swapped_and_the_last_one_dropped(before: str, after: str) -> None:
    file = File(before.encode())
    first, last = file.node(ast.Call).keywords
    assert file.after(swap(first, '{{"a": {value}}}', value=first.value), drop(last)) == after


def test_the_parentheses_of_a_tuple_go_with_it() -> None:
    file = File("f((1, 2), ((3, 4)))\n")
    first, second = file.node(ast.Call).args
    assert file.after(swap(first, "[1]"), swap(second, "[3]")) == "f([1], [3])\n"


@pytest.mark.parametrize(
    ("before", "template", "after"),
    [
        ("f(a, b)\n", "key={_}", "f(a, key=b)\n"),
        ("f(\n    a,\n    b,  # why\n    c=1,\n)\n", "key={_}", "f(\n    a,\n    key=b,  # why\n    c=1,\n)\n"),
        ("f(a, (b))\n", "*{_}", "f(a, *b)\n"),
    ],
)
def test_an_argument_by_position_gets_a_name(before: str, template: str, after: str) -> None:
    file = File(before.encode())
    assert file.after(swap(file.node(ast.Call).args[1], template)) == after


def test_a_statement_that_cannot_be_edited_is_tried_once_for_all_its_fixes(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = []
    run = Attempt.run
    monkeypatch.setattr(Attempt, "run", lambda self: tries.append(self) or run(self))
    file = File(f"if b{'.c()' * 300}:\n    y = d\n")
    calls = [node.func for node in ast.walk(file.tree) if isinstance(node, ast.Call)]
    edits = {f"link {number}": [rename(func, "e")] for number, func in enumerate(calls)}
    result = rewrite(file.source, file.tree, {**edits, "below": [swap(file.expr("d"), "e")]})
    assert set(result.refused.values()) == {"the statement has a chain of more than 200 links"}
    assert result.refused.keys() == edits.keys()
    assert result.source.text.endswith("y = e\n")
    assert len(tries) == 2


def test_lines_may_end_in_carriage_returns_alone() -> None:
    code = b"import x\n\ndef f(a):\n    if a:\n        b(a,\n          c)  # d\n    return b('''e\nf''')\n"
    file = File(code.replace(b"\n", b"\r"))
    calls = [node for node in ast.walk(file.tree) if isinstance(node, ast.Call)]
    verbs = [insert("y = 1", before=file.stmt("return b('''e\rf''')")), *(rename(call.func, "g") for call in calls)]
    new = code.replace(b"b(", b"g(").replace(b"    return", b"    y = 1\n    return")
    assert file.data(*verbs) == new.replace(b"\n", b"\r")
