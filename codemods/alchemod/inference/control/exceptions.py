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
from alchemod.inference.scoping.scopes import FunctionNode
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

    def asking_call(self, nodes: Iterable[ast.AST]) -> ast.Call | None:
        """The first call in `nodes` that raises NoResultFound where there is no row, by its name."""
        return next((call for call in _calls(nodes) if last_name(call) in _ASKING), None)

    def computed_read(self, path: Path, nodes: Iterable[ast.AST]) -> ast.Attribute | None:
        """The first read in `nodes` of an attribute that a class of the project computes, a property of that name, and
        whose code may ask for a row that is not there."""
        for node in nodes:
            for part in ast.walk(node):
                if isinstance(part, ast.Attribute) and part.attr in self._computed:
                    answer = self.inference.value(path, part)
                    if answer is None or not isinstance(answer.value, ModelAttribute):
                        return part
        return None

    @cached_property
    def _computed(self) -> frozenset[str]:
        """The names of the properties of all classes of the project that do more than to read and to compute."""
        harmless: dict[str, set[str]] = {}
        asking: set[str] = set()
        for name, path, body in self._properties():
            if body is None or self._asks(path, body):
                asking.add(name)
            else:
                read = {part.attr for part in ast.walk(body) if isinstance(part, ast.Attribute)}
                harmless.setdefault(name, set()).update(read)
        while more := {name for name, read in harmless.items() if name not in asking and read & asking}:
            asking |= more
        return frozenset(asking)

    def _properties(self) -> Iterator[tuple[str, Path, FunctionNode | None]]:
        """The properties of all classes of the project, with their code where that is seen."""
        for cls in self.inference.project.classes():
            for name, facts in cls.methods.items():
                if any(_is_property(last_name(decorator)) for decorator in facts.decorators):
                    yield name, cls.module.path, cls.bodies.get(name)
            for name, assigned in cls.attributes.items():
                made = last_name(assigned.value) if isinstance(assigned.value, ast.Call) else ""
                if _is_property(made) and made != "column_property":
                    yield name, cls.module.path, None

    def _asks(self, path: Path, body: FunctionNode) -> bool:
        """Whether a function raises an exception, asks for one row or calls what is not SQLAlchemy's."""
        raises = any(isinstance(part, ast.Raise) for part in ast.walk(body))
        return raises or self.asking_call(body.body) is not None or self.foreign_call(path, body.body) is not None

    def _is_own(self, path: Path, call: ast.Call) -> bool:
        if (name := self._builtin(path, call.func)) is not None:
            return name in _HARMLESS
        answer = self.inference.value(path, call.func)
        if answer is not None:
            return _is_own(answer.value)
        made = self.inference.value(path, call)
        return made is not None and isinstance(made.value, _OWN)


_ASKING: Final = {"one", "scalar_one", "get_one"}
"""Methods of queries, results and sessions that raise NoResultFound."""


_ACCESSORS: Final = {"reify", "getter", "setter", "deleter", "expression", "comparator"}


def _is_property(decorator: str) -> bool:
    """Whether a decorator makes an attribute of a function, by its name: `property`, `hybrid_property`, `x.setter`."""
    return decorator.lower().endswith("property") or decorator in _ACCESSORS


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
