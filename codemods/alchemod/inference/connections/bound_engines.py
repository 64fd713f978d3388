"""The engine that metadata is bound to, as it is written where the metadata is used.

SQLAlchemy 1.4, "Bound MetaData": `MetaData(bind=engine)`, `MetaData(engine)`, `declarative_base(bind=engine)`,
`metadata.bind = engine`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from alchemod.facts.nodes import is_dotted, walk
from alchemod.inference.area import Area
from alchemod.inference.resolving.functions import enclosing_function
from alchemod.inference.scoping.scopes import Scope
from alchemod.inference.values import Answer, ColumnObject, Engine, Outside, Place, Statement, TableObject

_MAKERS: Final = frozenset({"MetaData", "declarative_base", "automap_base"})


class BoundEngines(Area):
    """Answers about the engines of metadata, tables and statements."""

    def given(self, path: Path, call: ast.Call) -> ast.expr | None:
        """What a call of `MetaData` or `declarative_base` binds; None for nothing."""
        answer = self.inference.value(path, call.func)
        match answer:
            case Answer(value=Outside(canonical=str(name))) if name in _MAKERS:
                pass
            case _:
                return None
        bound = next((keyword.value for keyword in call.keywords if keyword.arg == "bind"), None)
        if bound is None and name == "MetaData" and call.args:
            first = self.inference.value(path, call.args[0])
            return call.args[0] if first is not None and isinstance(first.value, Engine) else None
        return bound

    def of_metadata(self, path: Path, metadata: ast.expr, at: ast.expr) -> str | None:
        """The code for the engine of some metadata at a place of the same file; None when it is not known there."""
        if isinstance(metadata, ast.Call):
            given = self.given(path, metadata)
            return ast.unparse(given) if given is not None and is_dotted(given) else None
        code = ast.unparse(metadata)
        held = {code, code.removesuffix(".metadata")}
        found = [
            spelled
            for target, engine in self._bindings(path)
            if ast.unparse(target) in held
            and (spelled := self._spelled(path, target, engine, metadata, at)) is not None
        ]
        return found[0] if len(set(found)) == 1 else None

    def of_table(self, path: Path, table: TableObject, at: ast.expr) -> str | None:
        """The code for the engine of the metadata that a table of the file belongs to."""
        call, module = table.table.call, table.table.module
        if call is None or module.path != path or len(call.args) < 2:
            return None
        return self.of_metadata(path, call.args[1], at)

    def of_statement(self, path: Path, statement: Statement, at: ast.expr) -> str | None:
        """The code for the engine of the tables that a statement is about."""
        codes: set[str | None] = set()
        for term in statement.terms:
            answer = self.inference.value(path, term.node) if term.node is not None else None
            match answer:
                case Answer(value=TableObject() as table) | Answer(value=ColumnObject(owner=table)):
                    codes.add(self.of_table(path, table, at))
        return codes.pop() if len(codes) == 1 else None

    def _bindings(self, path: Path) -> Iterator[tuple[ast.expr, ast.expr]]:
        """Each name or attribute of a file that holds bound metadata, and what binds it."""
        for node in walk(self.inference.project.tree(path)):
            match node:
                case ast.Assign(targets=[target], value=ast.Call() as call):
                    if is_dotted(target) and (given := self.given(path, call)) is not None:
                        yield target, given
                case ast.Assign(targets=[ast.Attribute(value=target, attr="bind")], value=engine):
                    if is_dotted(target):
                        yield target, engine

    def _spelled(self, path: Path, target: ast.expr, engine: ast.expr, metadata: ast.expr, at: ast.expr) -> str | None:
        """How the engine that is bound in one place is written in another one."""
        there, here = self.inference.place(path, target), self.inference.place(path, at)
        if there is None or here is None or not is_dotted(engine):
            return None
        if not _is_self(target, there) and not _is_same(_root(metadata), there, here):
            return None
        if _is_self(target, there) and _class_around(there.scope) is not _class_around(here.scope):
            return None
        if _is_self(engine, there):
            return ast.unparse(engine) if _is_self(engine, here) and _is_self(target, there) else None
        if _is_same(_root(engine), there, here):
            return ast.unparse(engine)
        return _kept(ast.unparse(engine), there) if _is_self(target, there) else None


def _kept(code: str, place: Place) -> str | None:
    """The attribute of `self` to which a method assigns the same value."""
    function = enclosing_function(place.scope)
    for node in walk(function.node) if function is not None else ():
        match node:
            case ast.Assign(targets=[ast.Attribute(value=ast.Name(id="self"), attr=name)], value=value):
                if ast.unparse(value) == code:
                    return f"self.{name}"
    return None


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _is_self(node: ast.expr, place: Place) -> bool:
    return isinstance(node, ast.Attribute) and _root(node) == "self" and _class_around(place.scope) is not None


def _is_same(name: str, there: Place, here: Place) -> bool:
    """Whether a name means the same in both places: it belongs to the same scope."""
    return bool(name) and there.scope.owner(name) is not None and there.scope.owner(name) is here.scope.owner(name)


def _class_around(scope: Scope) -> ast.AST | None:
    current: Scope | None = scope
    while current is not None and not isinstance(current.node, ast.ClassDef):
        current = current.parent
    return current.node if current is not None else None
