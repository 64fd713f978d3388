"""The tree that the edits promise, built from the original by putting the trees of the templates into it.

It is built on :mod:`ast` alone, apart from the rendering, so that the two can be compared.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from alchemod.edits.ancestry import Place
from alchemod.edits.plan import Plan
from alchemod.edits.refusal import Refusal
from alchemod.edits.structure import Structure
from alchemod.edits.templates import (
    Filled,
    parse_arguments,
    parse_expression,
    parse_header,
    parse_statements,
    placeholders,
    value_tree,
)
from alchemod.edits.verbs import (
    AddArgument,
    AddParameter,
    Append,
    Block,
    Code,
    Decorate,
    Drop,
    Insert,
    Rename,
    SetParameters,
    Spread,
    Swap,
    Transform,
)

Trees: TypeAlias = list[Any]


class Promise:
    """Builds promised trees from a plan. ``fill`` fills the template of a verb."""

    def __init__(self, plan: Plan, structure: Structure, fill: Callable[[Any], Filled]) -> None:
        self._plan = plan
        self._structure = structure
        self._fill = fill

    def module(self, tree: ast.Module) -> ast.Module:
        """The promised tree of the module; what no edit touches is shared with the original."""
        new: ast.Module = self._inside(tree)
        return new

    def _value(self, value: Any) -> Any:
        return value_tree(value) if isinstance(value, Code) else self._node(value)

    def _node(self, node: ast.AST) -> Any:
        """What becomes of a node that is no statement of a suite."""
        if not self._plan.touches(node):
            return node
        for verb in self._plan.on(node, Spread):
            if verb.elements is not None:
                return [self._node(element) for element in verb.elements]
            value = self._edited(node) if verb.value is node else self._node(verb.value)
            return [ast.Starred(value, ast.Load())]
        new = self._edited(node)
        for swap in self._plan.on(node, Swap):
            return self._swapped(node, new, swap)
        return new

    def _edited(self, node: ast.AST) -> Any:
        new = self._inside(node)
        for rename in self._plan.on(node, Rename):
            new = _renamed(new, rename.to)
        for addition in self._plan.on(node, AddArgument):
            call = self._with_values(parse_arguments(self._fill(addition).text), self._fill(addition))
            positional, keywords = ("bases" if isinstance(node, ast.ClassDef) else "args"), "keywords"
            old = getattr(new, positional)
            setattr(new, positional, [*call.args, *old] if addition.first else [*old, *call.args])
            setattr(new, keywords, _with_keywords(new.keywords, call.keywords))
        for parameter in self._plan.on(node, AddParameter):
            new.args = _with_parameter(new.args, parameter.name)
        for change in self._plan.on(node, SetParameters):
            old = new.args.args
            new.args = copy.copy(new.args)
            new.args.args = [old[one] if isinstance(one, int) else ast.arg(one) for one in change.wanted]
        for decoration in self._plan.on(node, Decorate):
            filled = self._fill(decoration)
            expression = self._with_values(parse_expression(filled.text), filled)
            new.decorator_list = [expression, *new.decorator_list]
        for transform in self._plan.on(node, Transform):
            new = transform.promise
        return new

    def _swapped(self, node: ast.AST, own: Any, swap: Swap) -> Any:
        filled = self._fill(swap)
        if self._plan.changes_argument(node):
            call = self._with_values(parse_arguments(filled.text), filled, node, own)
            return [argument for _, argument in _in_source_order(call)]
        return self._with_values(parse_expression(filled.text), filled, node, own)

    def _with_values(self, tree: Any, filled: Filled, target: Any = None, own: Any = None) -> Any:
        """The tree of a template with the placeholders replaced by the promised trees of their values."""
        for name, places in list(placeholders(tree, filled)):
            value = filled.values[name]
            new = own if value is target and own is not None else self._value(value)
            if not places:
                return new
            _put(places, new)
        return tree

    def _inside(self, node: ast.AST) -> Any:
        """A copy of a node with the edits below it; the node itself if there are none."""
        if isinstance(node, ast.Call):
            return self._with_arguments(node, "args")
        new = self._with_arguments(node, "bases") if isinstance(node, ast.ClassDef) else copy.copy(node)
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(node, ast.ClassDef) and name in ("bases", "keywords"):
                continue
            if isinstance(value, list) and (name == "body" or (value and isinstance(value[0], ast.stmt))):
                setattr(new, name, self._suite(node, name, value))
            elif isinstance(value, list):
                setattr(new, name, self._items(value))
            elif isinstance(value, ast.AST):
                setattr(new, name, self._node(value))
        return new

    def _items(self, items: Iterable[Any]) -> Trees:
        kept = [item for item in items if not (isinstance(item, ast.AST) and self._plan.on(item, Drop))]
        return [self._node(item) if isinstance(item, ast.AST) else item for item in kept]

    def _with_arguments(self, node: ast.Call | ast.ClassDef, positional: str) -> Any:
        """A call or class with its arguments changed: a keyword may have become positional."""
        new = copy.copy(node)
        if isinstance(node, ast.Call):
            new.func = self._node(node.func)  # type: ignore[union-attr]
        arguments: Trees = []
        for _, argument in _in_source_order(node):
            if not self._plan.on(argument, Drop):
                found = self._node(argument)
                arguments += found if isinstance(found, list) else [found]
        setattr(new, positional, [item for item in arguments if not isinstance(item, ast.keyword)])
        new.keywords = [item for item in arguments if isinstance(item, ast.keyword)]
        return new

    def _suite(self, owner: ast.AST, name: str, statements: Sequence[ast.stmt]) -> Trees:
        if not any(self._plan.touches(statement) for statement in statements) and not self._plan.on(owner, Append):
            return list(statements)
        new = self._range(statements, 0, len(statements), set())
        if name == "body":
            for addition in self._plan.on(owner, Append):
                if len(new) == 1 and new[0] is statements[0] and isinstance(new[0], ast.Pass):
                    new = []
                new += self._statements(addition)
        if not new and name == "body" and not isinstance(owner, ast.Module):
            return [ast.Pass()]
        return new

    def _range(self, statements: Sequence[ast.stmt], start: int, stop: int, claimed: set[int]) -> Trees:
        new: Trees = []
        index = start
        while index < stop:
            statement = statements[index]
            found = self._structure.block_at(statement, claimed)
            if found is None:
                new += self._insertions(statement, after=False, claimed=claimed)
                new += self._statement(statement)
                new += self._insertions(statement, after=True, claimed=claimed)
                index += 1
                continue
            claimed.add(id(found))
            end = self._structure.index(found.last) + 1
            before = self._insertions(statement, after=False, claimed=claimed)
            after = self._insertions(found.last, after=True, claimed=claimed)
            body = self._range(statements, index, end, claimed)
            new += [*before, self._block(found, body), *after]
            index = end
        return new

    def _insertions(self, statement: ast.stmt, *, after: bool, claimed: set[int]) -> Trees:
        new: Trees = []
        for insertion in self._plan.on(statement, Insert):
            if insertion.after is after and id(insertion) not in claimed:
                claimed.add(id(insertion))
                new += self._statements(insertion)
        return new

    def _block(self, found: Block, body: Trees) -> Any:
        filled = self._fill(found)
        header: Any = parse_header(filled.text)
        header.body = []
        header = self._with_values(header, filled)
        header.body = body or [ast.Pass()]
        return header

    def _statement(self, statement: ast.stmt) -> Trees:
        if self._structure.is_gone(statement):
            return []
        for swap in self._plan.on(statement, Swap):
            return self._statements(swap)
        if not self._plan.touches(statement):
            return [statement]
        new = self._edited(statement)
        if self._structure.is_dissolved(statement):
            return list(new.body)
        return [new]

    def _statements(self, verb: Any) -> Trees:
        """The promised statements of a template. A hole that stands as a statement takes statements."""
        filled = self._fill(verb)
        holder = ast.Module(self._with_statements(parse_statements(filled.text), filled), [])
        return list(self._with_values(holder, filled).body)

    def _with_statements(self, statements: Sequence[ast.stmt], filled: Filled) -> Trees:
        new: Trees = []
        for statement in statements:
            value = filled.values.get(_lone_name(statement))
            if isinstance(value, tuple | ast.stmt):
                for item in value if isinstance(value, tuple) else (value,):
                    new += parse_statements(item.text) if isinstance(item, Code) else [self._edited(item)]
                continue
            for name in ("body", "orelse", "finalbody"):
                if isinstance(inner := getattr(statement, name, None), list):
                    setattr(statement, name, self._with_statements(inner, filled))
            new.append(statement)
        return new


def _lone_name(statement: ast.stmt) -> str:
    """The name that is all of a statement, or nothing."""
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Name):
        return statement.value.id
    return ""


def _put(places: list[Place], new: Any) -> None:
    """Put a tree at the end of the places of a template."""
    parent, name, index = places[-1]
    if index is None:
        setattr(parent, name, new)
    elif isinstance(new, ast.keyword) and isinstance(parent, ast.Call):
        raise Refusal("a keyword argument cannot fill this hole")
    else:
        getattr(parent, name)[index] = new


def _in_source_order(node: Any) -> list[tuple[tuple[int, int], Any]]:
    positional = node.bases if isinstance(node, ast.ClassDef) else node.args
    return sorted(
        (((item.lineno, item.col_offset), item) for item in (*positional, *node.keywords)),
        key=lambda item: item[0],
    )


def _with_keywords(old: list[ast.keyword], new: list[ast.keyword]) -> list[ast.keyword]:
    """The new keywords after the old, but before ``**``."""
    index = next((index for index, keyword in enumerate(old) if keyword.arg is None), len(old))
    return [*old[:index], *new, *old[index:]]


def _with_parameter(old: ast.arguments, name: str) -> ast.arguments:
    new = copy.copy(old)
    new.kwonlyargs = [*old.kwonlyargs, ast.arg(name)]
    new.kw_defaults = [*old.kw_defaults, None]
    return new


def _renamed(node: Any, to: str) -> Any:
    new = copy.copy(node)
    for name in ("attr", "id", "arg", "name", "module"):
        if name in node._fields:
            setattr(new, name, to)
            return new
    raise Refusal("there is no name to change")
