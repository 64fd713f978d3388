"""Random edits of random code: only the statement changes, and both ways of rendering agree."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from alchemod.edits.comments import comments_in
from alchemod.edits.rewrite import rewrite
from alchemod.edits.verbs import Verb, add_argument, block, drop, insert, rename, swap
from edits.files import File

names = st.sampled_from(["a", "self.b", "User", "User.name", "sess", "ключ"])
atoms = names | st.sampled_from(["1", "'x'", '"""y\n  z"""', "None", "f'{a}'", "(yield)", "()", "...", "b'q' b'r'"])


def operations(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operator = st.sampled_from([" + ", "-", " ** ", " and ", " or ", " == ", " not in ", " | ", " << "])
    return st.one_of(
        st.tuples(inner, operator, inner).map(lambda parts: "(" + "".join(parts) + ")"),
        st.tuples(inner, operator, inner).map("".join),
        st.tuples(st.sampled_from(["not ", "-", "~"]), inner).map("".join),
        st.tuples(names, st.lists(inner, max_size=3), st.sampled_from([", ", ",\n        ", ",  # c\n        "])).map(
            lambda parts: f"{parts[0]}({parts[2].join(parts[1])})"
        ),
        st.tuples(names, inner, inner).map(lambda parts: f"{parts[0]}.f(k={parts[1]}, **{parts[2]})"),
        st.tuples(names, inner).map(
            lambda parts: f"(\n        {parts[0]}.q(x)  # q\n        .g({parts[1]})  # g\n    )"
        ),
        st.tuples(inner, inner, inner).map(lambda parts: "({} if {} else {})".format(*parts)),
        st.tuples(inner, inner).map(lambda parts: "[{} for i in {}]".format(*parts)),
        st.tuples(inner, inner).map(lambda parts: "{{{}: {}}}".format(*parts)),
        st.tuples(names, inner).map(lambda parts: "{}[{}, :]".format(*parts)),
        inner.map(lambda value: f"(lambda v: {value})"),
    )


expressions = st.recursive(atoms, operations, max_leaves=5)
simple = st.one_of(
    expressions,
    expressions.map(lambda value: f"x = {value}"),
    expressions.map(lambda value: f"return {value}  # result"),
    st.tuples(names, expressions).map(lambda parts: f"assert {parts[0]}, {parts[1]}; y = 1"),
)
headers = st.sampled_from(["if a:", "for i in b:", "with c as d:  # open", "while a.b:", "class K(B):", "def g(x=1):"])


def indented(lines: str, by: str) -> str:
    """A statement moved right. It is not moved inside strings, which is what a suite needs."""
    return by + lines


@st.composite
def sources(draw: st.DrawFn) -> str:
    parts = ["import sqlalchemy as sa\n", "\n", "def f(x=None):\n"]
    for _ in range(draw(st.integers(1, 4))):
        if draw(st.booleans()):
            parts.append(draw(st.sampled_from(["\n", "    # a comment\n", "  # odd\n"])))
        if draw(st.integers(0, 3)) == 0:
            parts.append(indented(draw(headers), "    ") + "\n" + indented(draw(simple), "        ") + "\n")
        else:
            parts.append(indented(draw(simple), "    ") + "\n")
    return "".join(parts)


def is_python(code: str) -> bool:
    try:
        ast.parse(code)
    except SyntaxError:
        return False
    return True


def verbs_for(node: ast.AST) -> Iterator[Verb]:
    if isinstance(node, ast.expr) and isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
        yield swap(node, "{_}.opt({sqlalchemy.true}())")
        yield swap(node, "{_} == other")
        yield swap(node, "wrap({_}, 'v')")
    if isinstance(node, ast.Call):
        yield add_argument(node, "z={v}", v=node.func)
    if isinstance(node, ast.Name | ast.Attribute):
        yield rename(node, "renamed")
    if isinstance(node, ast.keyword) and node.arg:
        yield swap(node, "{k} == {v}", k=node.arg, v=node.value)


def statement_of(tree: ast.AST, node: ast.AST) -> ast.stmt:
    """The innermost statement that holds a node."""
    found: ast.stmt | None = None
    pending: list[tuple[ast.AST, ast.stmt | None]] = [(tree, None)]
    while pending:
        parent, around = pending.pop()
        around = parent if isinstance(parent, ast.stmt) else around
        if parent is node:
            found = around
        pending.extend((child, around) for child in ast.iter_child_nodes(parent))
    assert found is not None
    return found


sources_of_python = sources().filter(is_python)


@settings(max_examples=60, deadline=None)
@given(sources_of_python, st.data(), st.sampled_from(["\n", "\r\n"]))
def test_an_edit_changes_its_statement_alone(code: str, data: st.DataObject, newline: str) -> None:
    file = File(code.replace("\n", newline).encode())
    choices = [(node, verb) for node in ast.walk(file.tree) for verb in verbs_for(node)]
    node, verb = choices[data.draw(st.integers(0, len(choices) - 1), "edit")]
    result = file.rewritten({1: [verb]})
    start, end = file.source.span(statement_of(file.tree, node))
    old, new = file.source.utf8, result.source.utf8
    assert new[:start] == old[:start]
    assert new.endswith(old[end:])
    assert set(comments_in(old.decode())) <= set(comments_in(new.decode()))
    again = rewrite(file.source, file.tree, {1: [verb]})
    assert again.source.data == result.source.data


@settings(max_examples=50, deadline=None)
@given(sources_of_python, st.data())
def test_many_edits_together(code: str, data: st.DataObject) -> None:
    file = File(code.encode())
    choices = [verb for node in ast.walk(file.tree) for verb in verbs_for(node)]
    indexes = data.draw(st.lists(st.integers(0, len(choices) - 1), max_size=6, unique=True), "edits")
    chosen = [choices[index] for index in indexes]
    result = file.rewritten({number: [verb] for number, verb in enumerate(chosen)})
    assert set(result.applied) | set(result.refused) == set(range(len(chosen)))
    for reason in result.refused.values():
        assert "LibCST" not in reason
        assert "promise" not in reason


@settings(max_examples=50, deadline=None)
@given(sources_of_python, st.data())
def test_statements_come_go_and_move(code: str, data: st.DataObject) -> None:
    file = File(code.encode())
    function = file.tree.body[1]
    assert isinstance(function, ast.FunctionDef)
    first = data.draw(st.integers(0, len(function.body) - 1), "first")
    last = data.draw(st.integers(first, len(function.body) - 1), "last")
    gone = function.body[data.draw(st.integers(0, len(function.body) - 1), "dropped")]
    verbs: list[Verb] = [
        block(function.body[first], function.body[last], "with m() as n:"),
        drop(gone),
        insert("new = 1\nif a:\n    b", after=function.body[last]),
    ]
    result = file.rewritten({1: verbs})
    if result.refused:
        assert ";" in code
        assert "LibCST" not in result.refused[1]
        assert "promise" not in result.refused[1]
        return
    assert len(comments_in(result.source.text)) == len(comments_in(file.source.text))
