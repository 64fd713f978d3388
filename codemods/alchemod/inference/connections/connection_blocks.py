"""Blocks that open a connection: what is sent in them, and whether anything in them decides about the transaction.

SQLAlchemy 1.4, "Library Level Autocommit"; SQLAlchemy 2.0 commits nothing by itself.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

from alchemod.inference.area import Area
from alchemod.inference.control.reaching import definitions
from alchemod.inference.names.literals import Literals
from alchemod.inference.scoping.scopes import Scope
from alchemod.inference.values import (
    Answer,
    Engine,
    FunctionObject,
    LibraryObject,
    Outside,
    Place,
    Statement,
    TableObject,
)

_WRITING: Final = re.compile(
    r"\s*(?:insert|update|delete|create|drop|alter|truncate|replace|merge|grant|revoke|call|vacuum|rename|copy)\b",
    re.IGNORECASE,
)
_READING: Final = re.compile(r"\s*(?:select|with|show|pragma|explain|values|describe)\b", re.IGNORECASE)
_DECIDING: Final = frozenset({"commit", "begin", "begin_nested", "begin_twophase", "rollback"})
_EXECUTING: Final = frozenset({"execute", "exec_driver_sql", "scalar", "scalars"})
_DEFINING: Final = frozenset({"create", "drop", "create_all", "drop_all"})
_AUTOCOMMIT: Final = b"AUTOCOMMIT"


@dataclass(frozen=True, slots=True)
class Block:
    """Code that uses a connection, such as the `with` block that opens it.

    `executed` are the calls that send something, `writes` those that change data, `unknown` those of which that is not
    known, `lent` the calls that get the connection, `decides` a call that begins or ends a transaction by hand.
    """

    name: str
    executed: list[ast.Call] = field(default_factory=list)
    writes: list[ast.Call] = field(default_factory=list)
    unknown: list[ast.Call] = field(default_factory=list)
    lent: list[ast.Call] = field(default_factory=list)
    decides: ast.Call | None = None


class ConnectionBlocks(Area):
    """Questions about blocks like `with engine.connect() as connection:`."""

    def opened(self, path: Path, item: ast.withitem) -> Answer | None:
        """The engine whose `connect()` opens a block; None when the block is none of a connection."""
        match item.context_expr:
            case ast.Call(func=ast.Attribute(value=engine, attr="connect")):
                answer = self.inference.value(path, engine)
                is_engine = answer is not None and isinstance(answer.value, Engine) and not answer.value.is_connection
                return answer if is_engine else None
        return None

    @cached_property
    def may_autocommit(self) -> str:
        """The file in which an engine or connection may be in AUTOCOMMIT; "" when none is."""
        project = self.inference.project
        found = (path for path in project.paths if path in project and _AUTOCOMMIT in project.source(path).utf8)
        return next((path.name for path in found), "")

    def of(self, path: Path, name: str, body: list[ast.stmt]) -> Block:
        """What happens in the body of a block whose connection has a name."""
        executed: list[ast.Call] = []
        writes: list[ast.Call] = []
        unknown: list[ast.Call] = []
        lent: list[ast.Call] = []
        decides = None
        for call in _calls(body):
            match call.func:
                case ast.Attribute(value=receiver, attr=method) if ast.unparse(receiver) == name:
                    if method in _DECIDING:
                        decides = decides or call
                    elif method in _EXECUTING and call.args:
                        executed.append(call)
                        kind = self.kind(path, call.args[0])
                        (writes if kind == "writes" else unknown if kind == "unknown" else []).append(call)
                case _ if (held := self.of_schema(path, call)) is not None and ast.unparse(held) == name:
                    executed.append(call)
                    writes.append(call)
                case _ if any(_is_named(one, name) for one in (*call.args, *(k.value for k in call.keywords))):
                    lent.append(call)
        return Block(name, executed, writes, unknown, lent, decides)

    def of_schema(self, path: Path, call: ast.Call) -> ast.expr | None:
        """The connection over which a call creates or drops tables; None for other calls."""
        match call:
            case ast.Call(func=ast.Attribute(value=schema, attr=name)) if name in _DEFINING:
                held = next((one.value for one in call.keywords if one.arg == "bind"), None)
                held = call.args[0] if call.args else held
            case _:
                return None
        if held is None:
            return None
        match self.inference.value(path, schema), self.inference.value(path, held):
            case (
                Answer(value=TableObject() | LibraryObject(name="MetaData" | "Index")),
                Answer(value=Engine(is_connection=True)),
            ):
                return held
        return None

    def is_left_to_autocommit(self, connection: ast.expr, statement: ast.expr, place: Place) -> bool:
        """Whether a statement writes over a connection that is opened or held here and never told to commit.

        SQLAlchemy 1.x commits it by itself, SQLAlchemy 2.0 rolls it back when the connection is closed.
        """
        if self.kind(place.module.path, statement) != "writes":
            return False
        if isinstance(connection, ast.Attribute):
            return self._is_held_open(connection, place)
        return self.is_left_open(connection, place)

    def _is_held_open(self, connection: ast.Attribute, place: Place) -> bool:
        """Whether no method of the class around tells a connection that an object holds to begin or to commit."""
        scope: Scope | None = place.scope
        while scope is not None and not isinstance(scope.node, ast.ClassDef):
            scope = scope.parent
        if scope is None or not isinstance(scope.node, ast.ClassDef):
            return False
        return self.of(place.module.path, ast.unparse(connection), scope.node.body).decides is None

    def is_left_open(self, connection: ast.expr, place: Place) -> bool:
        """Whether a connection is opened here and never told to begin or to commit."""
        if not isinstance(connection, ast.Name):
            return _is_opening(connection)
        owner = place.scope.owner(connection.id)
        if owner is None or isinstance(owner.node, ast.expr):
            return False
        body: list[ast.stmt] = owner.node.body
        block = _block(body, connection)
        opening = _is_opening(block[0].context_expr) if block else connection.id in _assigned(body)
        decided = self.of(place.module.path, connection.id, block[1] if block else body).decides
        return opening and decided is None

    def is_handed_out(self, connection: ast.Name, place: Place) -> bool:
        """Whether a function of the project gives the connection that a variable holds."""
        root = place.scope.root.node
        sites = definitions(root, connection).sites if isinstance(root, ast.Module) else ()
        callees = [site.value.func for site in sites if isinstance(site.value, ast.Call) and site.kind == "assignment"]
        given = [self.inference.resolver.value(callee, place) for callee in callees]
        return len(callees) == len(sites) > 0 and all(
            one is not None and isinstance(one.value, FunctionObject) for one in given
        )

    def is_opened(self, connection: ast.Name, body: list[ast.stmt]) -> bool:
        """Whether a `with` block opens the connection."""
        return _block(body, connection) is not None

    def kind(self, path: Path, statement: ast.expr) -> str:
        """`reads`, `writes` or `unknown`: what a statement does."""
        match self.inference.value(path, statement):
            case Answer(value=Statement(style="insert" | "update" | "delete")):
                return "writes"
            case Answer(value=Statement(style="select")):
                return "reads"
        text = self._text(path, statement)
        if text is not None:
            return "writes" if _WRITING.match(text) else "reads" if _READING.match(text) else "unknown"
        match statement:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name.startswith(("Create", "Drop")):
                return "writes"
            case ast.Call(func=ast.Attribute(value=inner)):
                return self.kind(path, inner)
        return "unknown"

    def _text(self, path: Path, statement: ast.expr) -> str | None:
        if isinstance(statement, ast.Call) and statement.args:
            answer = self.inference.value(path, statement.func)
            match answer:
                case Answer(value=Outside(definition=definition)) if definition.canonical in {"text", "DDL"}:
                    return self._text(path, statement.args[0])
            return None
        match statement:
            case ast.JoinedStr(values=[ast.Constant(value=str(first)), *_]):
                return first
            case ast.BinOp(left=left):
                return self._text(path, left)
        literal = self.inference.ask(Literals).of(path, statement)
        return literal.value if literal is not None and isinstance(literal.value, str) else None


def _is_opening(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "connect"


def _block(body: list[ast.stmt], connection: ast.Name) -> tuple[ast.withitem, list[ast.stmt]] | None:
    """The innermost block around a name that binds it: the item that does, and the block as a statement."""
    found: tuple[ast.withitem, list[ast.stmt]] | None = None
    for node in ast.walk(ast.Module(body, [])):
        if isinstance(node, ast.With) and node.lineno <= connection.lineno <= (node.end_lineno or 0):
            for item in node.items:
                if item.optional_vars is not None and _is_named(item.optional_vars, connection.id):
                    found = item, [node]
    return found


def _assigned(body: list[ast.stmt]) -> Iterator[str]:
    """The names that what `connect()` gives is assigned to in these statements."""
    for node in ast.walk(ast.Module(body, [])):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if _is_opening(value):
                yield name


def _is_named(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _calls(body: list[ast.stmt]) -> Iterator[ast.Call]:
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Call):
                yield node
