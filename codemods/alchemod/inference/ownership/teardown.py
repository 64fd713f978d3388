"""Sessions that a framework removes when a request ends, and code that closes them by hand all the same.

Flask-SQLAlchemy, "Flask Application Context"; SQLAlchemy 2.0, "Contextual/Thread-local Sessions".
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from alchemod.facts.module import last_name
from alchemod.facts.nodes import statements
from alchemod.facts.project import Project
from alchemod.inference.area import Area
from alchemod.inference.control.dominance import enclosing_suites
from alchemod.inference.names.assigned import assigned
from alchemod.inference.resolving.functions import enclosing_function
from alchemod.inference.resolving.routes import is_route
from alchemod.inference.scoping.scopes import FUNCTIONS, FunctionNode, Scope, contains
from alchemod.inference.values import Answer, FlaskDatabase, FunctionObject, Place, Session, SessionFactory

Runs: TypeAlias = Literal["request", "unknown"]

_TEARDOWNS: Final = ("teardown_appcontext", "teardown_request")
_NOT_IN_REQUESTS: Final = frozenset(
    {
        *("task", "shared_task", "actor", "job", "command", "cli", "scheduled_job", "periodic_task", "fixture"),
        *("teardown_appcontext", "teardown_request", "after_request", "errorhandler", "before_first_request"),
        *("contextmanager", "asynccontextmanager"),
    }
)
"""Decorators of functions that run outside requests, or where a request ends."""

_QUICK: Final = frozenset(
    {"redirect", "url_for", "jsonify", "abort", "make_response", "render_template", "dict", "list", "len", "str"}
)
"""What may be called after the close without being work: a view that streams is not among them. A template is rendered
with the objects that the close has detached."""


_ANSWERS: Final = frozenset({"Response", "JSONResponse", "jsonify", "make_response"})
"""What a function may return that only makes an answer."""


@dataclass(frozen=True, slots=True)
class ClosedByHand:
    """`statement` closes the session `name` at the end of a function, although something removes it anyway (`remover`).

    `runs`: whether the function surely runs within a request.
    """

    statement: ast.Expr
    name: str
    function: str
    remover: str
    runs: Runs


class Teardowns(Area):
    """Answers about the sessions of one project that a framework removes."""

    def closed_by_hand(self, path: Path, call: ast.Call) -> ClosedByHand | None:
        """What is said of the call `session.close()`; None where nothing else would remove the session, or the close is
        not the end of the work."""
        place = self.inference.place(path, call)
        function = enclosing_function(place.scope) if place is not None else None
        if place is None or function is None or not isinstance(function.node, FUNCTIONS):
            return None
        if not isinstance(call.func, ast.Attribute) or call.args or self.inference.project.is_test(path):
            return None
        remover = self._remover(call.func.value, place)
        statement = _statement_of(function.node, call)
        if remover is None or statement is None or _is_outside(function):
            return None
        if not _is_last(function.node, statement, lambda call: self._is_quick(call, place)):
            return None
        owner = function.parent.node if function.parent is not None else None
        serves = is_route(function.node, owner if isinstance(owner, ast.ClassDef) else None)
        name = ast.unparse(call.func.value)
        return ClosedByHand(statement, name, function.node.name, remover, "request" if serves else "unknown")

    def _is_quick(self, call: ast.Call, place: Place) -> bool:
        """Whether a call behind the close is no work: one that makes an answer, or a function that only returns one."""
        if last_name(call) in _QUICK:
            return True
        match self.inference.local.value(call.func, place):
            case Answer(value=FunctionObject(facts=facts)):
                inside = self.inference.local.function_place(facts)
            case _:
                return False
        match inside.scope.node if inside is not None else None:
            case ast.FunctionDef(body=[ast.Return(value=ast.Call(func=ast.Name(id=name)) as made)]):
                calls = [part for part in ast.walk(made) if isinstance(part, ast.Call)]
                return name in _ANSWERS and calls == [made]
        return False

    def _remover(self, session: ast.expr, place: Place) -> str | None:
        """What removes a session when a request ends; None when nothing is seen to."""
        match session:
            case ast.Attribute(value=owner, attr="session"):
                database = self.inference.local.value(owner, place)
                if database is not None and isinstance(database.value, FlaskDatabase):
                    return "Flask-SQLAlchemy"
            case ast.Name():
                held = assigned(session, place)
                if isinstance(held, ast.Call) and not held.args:
                    held = held.func
                if isinstance(held, ast.Attribute):
                    return self._remover(held, place)
        if not isinstance(session, ast.Name) or session.id not in place.module.bindings:
            return None
        match self.inference.local.value(session, place):
            case Answer(value=Session(scoped=True) | SessionFactory(kind="scoped")):
                project = self.inference.project
                if is_removed(session.id, project):
                    return next((hook for hook in _TEARDOWNS if any(project.files_mentioning(hook))), None)
        return None


def is_removed(name: str, project: Project) -> bool:
    """Whether some code calls `remove()` on a registry of this name."""
    called = re.compile(rb"\b" + re.escape(name.encode()) + rb"\s*\.\s*remove\b")
    return any(called.search(project.source(path).utf8) for path in project.files_mentioning(name))


def _statement_of(function: FunctionNode, call: ast.Call) -> ast.Expr | None:
    for statement in statements(function.body):
        if isinstance(statement, ast.Expr) and statement.value is call:
            return statement
    return None


def _is_outside(function: Scope) -> bool:
    """Whether a function runs outside requests, or makes a context of its own."""
    node = function.node
    assert isinstance(node, FUNCTIONS)
    decorators = {last_name(decorator) for decorator in node.decorator_list}
    if node.name in {"main", "run"} or decorators & _NOT_IN_REQUESTS:
        return True
    return any(isinstance(part, ast.Attribute) and part.attr == "app_context" for part in ast.walk(node))


def _is_last(function: FunctionNode, statement: ast.stmt, quick: Callable[[ast.Call], bool]) -> bool:
    """Whether nothing but leaving the function follows a statement: what comes after it may be slow on purpose. `quick`
    says which calls are no work."""
    chain = list(enclosing_suites(function.body, statement))
    for level in range(len(chain) - 1, -1, -1):
        suite, index = chain[level]
        if not _only_leaves(suite[index + 1 :], quick):
            return False
        holder = chain[level - 1][0][chain[level - 1][1]] if level else None
        if isinstance(holder, ast.For | ast.AsyncFor | ast.While):
            return False
        if isinstance(holder, ast.Try) and any(contains(part, statement) for part in holder.body) and holder.orelse:
            return False
        if suite[index + 1 :]:
            return True
    return True


def _only_leaves(rest: Sequence[ast.stmt], quick: Callable[[ast.Call], bool]) -> bool:
    """Whether nothing follows, or a `return` or `raise` that does no work of its own."""
    match rest:
        case []:
            return True
        case [ast.Return(value=value) | ast.Raise(exc=value)]:
            calls = (part for part in ast.walk(value) if isinstance(part, ast.Call)) if value is not None else ()
            return all(map(quick, calls))
    return False
