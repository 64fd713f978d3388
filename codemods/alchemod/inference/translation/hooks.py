"""What in a project acts on a Query only, and would fall silent when the Query becomes a `select()`.

`QueryEvents.before_compile` and its kin, classes derived from Query, a session's own `query()`,
`SessionEvents.after_bulk_update` and `after_bulk_delete`: none of them knows of `select()`, `update()` and `delete()`
(verified by execution).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from alchemod.facts.lookup import Definition, External
from alchemod.facts.module import ClassFacts, last_name
from alchemod.inference.area import Area
from alchemod.inference.resolving.sessions import ROW_METHODS
from alchemod.inference.values import Answer, ClassObject, ModelClass, Outside, Place, Statement

if TYPE_CHECKING:
    from alchemod.inference import Inference

_COMPILE: Final = ("before_compile", "before_compile_update", "before_compile_delete")
_BULK: Final = ("after_bulk_update", "after_bulk_delete")
_OF_BULK: Final = (*_BULK, "before_compile_update", "before_compile_delete")
"""Events of `update()` and `delete()` alone."""
_QUERIES: Final = ("Query", "flask_sqlalchemy:Query")

HookKind = Literal["listener", "bulk listener", "query class", "session class"]


@dataclass(frozen=True, slots=True)
class Hook:
    """One hook: where it stands, and what it is in words. `path` may lie outside the files that are looked at."""

    kind: HookKind
    path: Path
    node: ast.AST
    text: str
    cls: ClassFacts | None = None


class QueryHooks(Area):
    """The hooks of a project."""

    def __init__(self, inference: Inference) -> None:
        super().__init__(inference)
        self._project = inference.project
        self._resolver = inference.resolver
        self._found: list[Hook] | None = None

    @property
    def hooks(self) -> list[Hook]:
        """All of them, in the order of the files."""
        if self._found is None:
            self._found = [*self._listeners(), *self._classes()]
        return self._found

    def blocking(self, statement: Statement, *, is_plain: bool, bulk: bool = False) -> str:
        """Why a Query must stay one, as a sentence; "" when nothing stands in the way.

        `is_plain` says that its session is seen to be made without a query class.
        """
        for hook in self.hooks:
            if hook.kind == "listener" or (bulk and hook.kind == "bulk listener"):
                return self._sentence(hook)
            if hook.kind == "query class" and not is_plain:
                return self._sentence(hook)
        if statement.custom_class:
            return statement.custom_class
        return ""

    def doubt(self, *, is_plain: bool) -> str:
        """Why the session may execute a statement in its own way, "" when it does not."""
        if is_plain:
            return ""
        return next((self._sentence(hook) for hook in self.hooks if hook.kind == "session class"), "")

    def _sentence(self, hook: Hook) -> str:
        return f"{hook.text} in {self._project.displayed(hook.path)}:{getattr(hook.node, 'lineno', 1)}"

    def _listeners(self) -> Iterator[Hook]:
        for path, tree in self._project.trees_mentioning(*_COMPILE, *_BULK):
            for node in ast.walk(tree):
                if isinstance(node, ast.Call) and last_name(node) in {"listen", "listens_for"}:
                    yield from self._listener(path, node)

    def _listener(self, path: Path, call: ast.Call) -> Iterator[Hook]:
        match call.args:
            case [target, ast.Constant(value=str() as event), *_] if event in {*_COMPILE, *_BULK}:
                place = self.inference.place(path, call)
                if place is None:
                    return
                if event not in _BULK and not self._may_be_query(target, place):
                    return
                kind: HookKind = "bulk listener" if event in _OF_BULK else "listener"
                yield Hook(kind, path, call, f"the {event} listener")

    def _may_be_query(self, target: ast.expr, place: Place) -> bool:
        match self._resolver.value(target, place):
            case Answer(value=Outside(definition=definition)):
                return definition.canonical in _QUERIES
            case Answer(value=ClassObject(facts=facts)):
                return self._is_query(facts)
            case Answer(value=ModelClass()):
                return False
        return True

    def _classes(self) -> Iterator[Hook]:
        for facts in self._project.classes():
            if self._is_query(facts):
                yield self._of_class("query class", facts, f"the query class {facts.name}")
            elif any(self._project.lookup.reaches(facts, kind) for kind in ("Session", "AsyncSession")):
                own = [name for name in ROW_METHODS if self._project.families.defines(facts, name)]
                if own[:1] == ["query"]:
                    yield self._of_class("query class", facts, f"{facts.name}.query()")
                elif own:
                    yield self._of_class("session class", facts, f"{facts.name} has its own {own[0]}()")
        yield from self._given_classes()

    def _of_class(self, kind: HookKind, facts: ClassFacts, text: str) -> Hook:
        node = ast.Name(facts.name, lineno=facts.line, col_offset=facts.column)
        return Hook(kind, facts.module.path, node, text, facts)

    def _given_classes(self) -> Iterator[Hook]:
        """Query classes of libraries, or ones that are not seen, which a session or an extension is given."""
        for path, tree in self._project.trees_mentioning("query_cls", "query_class"):
            module = self._project.facts(path)
            for node in ast.walk(tree) if module is not None else ():
                if isinstance(node, ast.keyword) and node.arg in {"query_cls", "query_class"}:
                    assert module is not None
                    if not self._is_own_or_seen(self._project.lookup.expression(module, node.value)):
                        yield Hook("query class", path, node.value, f"the query class {ast.unparse(node.value)}")

    def _is_own_or_seen(self, definition: Definition | None) -> bool:
        """Whether a class is SQLAlchemy's own Query, or one of the project's that counts by itself."""
        match definition:
            case External():
                return definition.canonical in _QUERIES
            case ClassFacts():
                return True
        return False

    def _is_query(self, facts: ClassFacts) -> bool:
        return any(self._project.lookup.reaches(facts, name) for name in _QUERIES)
