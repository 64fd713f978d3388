"""Which exceptions the handlers of a `try` catch, and what else than SQLAlchemy its body may raise them from."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from alchemod.facts.module import last_name
from alchemod.inference.area import Area
from alchemod.inference.values import (
    Answer,
    ColumnObject,
    Engine,
    Expression,
    Method,
    ModelAttribute,
    ModelClass,
    Object,
    Outside,
    Plain,
    Rows,
    Session,
    SessionFactory,
    Statement,
    Value,
)

if TYPE_CHECKING:
    from alchemod.inference import Inference

_OWN: Final = (
    *(Session, SessionFactory, Statement, Rows, Engine),
    *(Expression, ModelAttribute, ColumnObject),
)
"""The values whose methods are SQLAlchemy's."""
_HARMLESS: Final = frozenset(
    {"int", "str", "float", "bool", "len", "list", "tuple", "dict", "set", "isinstance", "repr", "print", "id", "type"}
)
_QUIET: Final = frozenset({"datetime.datetime.now", "datetime.datetime.utcnow", "time.time", "uuid.uuid4"})
_LOGGERS: Final = ("logging.Logger.", "logging.debug", "logging.info", "logging.warning", "logging.error")
"""Logging handles its own errors (Python, "Exceptions raised during logging")."""
_BUILTINS: Final = "builtins."
EVERYTHING: Final = frozenset({"Exception", "BaseException"})
"""The names of the classes that catch whatever goes wrong."""


class Exceptions(Area):
    """Questions about handlers, each asked with the file they stand in."""

    def __init__(self, inference: Inference) -> None:
        super().__init__(inference)
        self._latest: tuple[ast.Module | None, dict[ast.ExceptHandler, ast.Try | ast.TryStar]] = None, {}

    def caught(self, path: Path, handler: ast.ExceptHandler) -> tuple[str, ...] | None:
        """The classes that `handler` catches: SQLAlchemy's by their short name, builtin ones too, others dotted.

        A bare `except:` catches BaseException. None when a class is not known.
        """
        return ("BaseException",) if handler.type is None else self.classes(path, handler.type)

    def classes(self, path: Path, node: ast.expr) -> tuple[str, ...] | None:
        """The classes that the type of a handler, one class or a tuple of them, names; None when one is not known."""
        types = node.elts if isinstance(node, ast.Tuple) else [node]
        names = [self._class(path, one) for one in types]
        return None if None in names else tuple(name for name in names if name is not None)

    def attempt(self, path: Path, handler: ast.ExceptHandler) -> ast.Try | ast.TryStar:
        """The `try` that a handler belongs to."""
        tree = self.inference.project.tree(path)
        if self._latest[0] is not tree:
            tries = (node for node in ast.walk(tree) if isinstance(node, ast.Try | ast.TryStar))
            self._latest = tree, {one: node for node in tries for one in node.handlers}
        return self._latest[1][handler]

    def _class(self, path: Path, node: ast.expr) -> str | None:
        match self.inference.value(path, node):
            case Answer(value=Outside(definition=definition)):
                return definition.canonical or definition.name.removeprefix(_BUILTINS)
        return self._builtin(path, node)

    def _builtin(self, path: Path, node: ast.expr) -> str | None:
        """The name of a builtin that nothing in the file hides."""
        if not isinstance(node, ast.Name) or not hasattr(builtins, node.id):
            return None
        place = self.inference.place(path, node)
        hidden = place is None or place.scope.owner(node.id) is not None or node.id in place.module.bindings
        return None if hidden else node.id

    def foreign_call(self, path: Path, nodes: Iterable[ast.AST]) -> ast.Call | None:
        """The first call in `nodes` that is not known to be SQLAlchemy's, or one that makes a mapped object."""
        return next((call for call in _calls(nodes) if not self._is_own(path, call)), None)

    def computed_read(self, nodes: Iterable[ast.AST]) -> ast.Attribute | None:
        """The first read in `nodes` of an attribute that a class of the project computes: a property of that name."""
        parts = (part for node in nodes for part in ast.walk(node))
        return next((part for part in parts if isinstance(part, ast.Attribute) and part.attr in self._properties), None)

    @cached_property
    def _properties(self) -> frozenset[str]:
        """The names of the properties of all classes of the project."""
        methods = (method for cls in self.inference.project.classes() for method in cls.methods.items())
        return frozenset(name for name, facts in methods if _PROPERTIES & {*map(last_name, facts.decorators)})

    def _is_own(self, path: Path, call: ast.Call) -> bool:
        if (name := self._builtin(path, call.func)) is not None:
            return name in _HARMLESS
        answer = self.inference.value(path, call.func)
        if answer is not None:
            return _is_own(answer.value)
        made = self.inference.value(path, call)
        return made is not None and isinstance(made.value, _OWN)


_PROPERTIES: Final = {"property", "cached_property"}


def _is_own(value: Value) -> bool:
    match value:
        case Outside() as outside:
            name = outside.definition.name
            return outside.canonical is not None or name in _QUIET or name.startswith(_LOGGERS)
        case ModelClass(model=model):
            return not any("__init__" in one.methods for one in model.family)
        case Method(owner=owner):
            return isinstance(owner, (*_OWN, Plain))
        case Object() | Plain():
            return False
    return isinstance(value, _OWN)


def _calls(nodes: Iterable[ast.AST]) -> Iterator[ast.Call]:
    for node in nodes:
        for part in ast.walk(node):
            if isinstance(part, ast.Call):
                yield part
