"""Generators that open a session and yield it once, as frameworks take them for dependencies."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from alchemod.facts.module import last_name
from alchemod.facts.recall import Recall
from alchemod.inference.ownership.block import name_given
from alchemod.inference.ownership.comparison import line_of
from alchemod.inference.ownership.knowledge import Opening, SessionKnowledge
from alchemod.inference.ownership.life import SessionLife, walked_lives
from alchemod.inference.ownership.record import Record
from alchemod.inference.resolving.functions import own_nodes
from alchemod.inference.scoping.scopes import FUNCTIONS, FunctionNode, contains
from alchemod.inference.summaries.targets import Target, Targets
from alchemod.inference.summaries.vocabulary import Certain
from alchemod.inference.values import Answer, Place

_MANAGERS: Final = frozenset({"contextmanager", "asynccontextmanager"})
FIRST_ELEMENT: Final = frozenset({"next", "anext", "__next__", "__anext__"})
"""The names of calls that ask a generator for its first element."""


@dataclass(frozen=True, slots=True)
class Provider:
    """A generator function that yields one session.

    `opening` says how it opens the session itself, None when it gets it elsewhere. `maker` is the expression that opens
    it when the function does nothing besides but roll back and close. `closes`: whether the session is
    closed when the generator ends, or is given up. `commits`: whether it commits behind the `yield`.
    """

    target: Target
    opening: Opening | None
    maker: ast.expr | None
    closes: bool
    commits: Certain

    @property
    def is_async(self) -> bool:
        """Whether it is an asynchronous generator."""
        return isinstance(self.target.node, ast.AsyncFunctionDef)


class Providers:
    """Answers for one project; remembered per function."""

    def __init__(self, targets: Targets, sources: Callable[[Place], SessionKnowledge]) -> None:
        self._targets: Final = targets
        self._sources: Final = sources
        self._recall: Final[Recall[Provider]] = Recall()

    def of(self, callee: Answer | None, managed: bool) -> Provider | None:
        """The provider that a call of `callee` starts; None when it starts none, or one of several. `managed`: it is
        decorated as a context manager, and nothing else."""
        targets = self._targets.of(callee)
        if targets is None or len(targets) != 1:
            return None
        (target,) = targets
        node = target.node
        if not isinstance(node, FUNCTIONS) or not _is_decorated(node, managed):
            return None
        return self._recall.ask(node, lambda: self._found(target, node))

    def _found(self, target: Target, node: FunctionNode) -> Provider | None:
        yields = [part for part in own_nodes(node) if isinstance(part, ast.Yield | ast.YieldFrom)]
        match yields:
            case [ast.Yield(value=ast.expr()) as only] if not any(_repeats(part, only) for part in own_nodes(node)):
                lives = walked_lives(target.inside.scope, self._sources(target.inside))
                return _provider(target, node, lives)
        return None


def _provider(target: Target, node: FunctionNode, lives: Sequence[SessionLife]) -> Provider:
    given = [life for life in lives if life.record is not None and life.record.yields]
    if len(given) != 1:
        return Provider(target, None, None, closes=False, commits="no")
    (life,) = given
    record = life.record
    assert record is not None
    maker = _only_maker(node, life)
    closes = {"next", "return", "base"}.isdisjoint(life.leaks)
    return Provider(target, life.opening, maker, closes, _commits(record))


def _commits(record: Record) -> Certain:
    """Whether the session is committed behind the `yield`."""
    (given,) = record.yields
    behind = [commit for commit in record.commits if line_of(commit) > line_of(given)]
    ends = [facts for channel in ("next", "return") for facts in record.exits.get(channel, {}).values()]
    if not behind:
        return "no"
    return "must" if behind == record.commits and all("commit" in facts.done for facts in ends) else "may"


def _is_decorated(node: FunctionNode, managed: bool) -> bool:
    """Whether a function is what it says, or with `managed` a context manager made of it, by decorator or call."""
    decorators = [last_name(decorator) for decorator in node.decorator_list]
    return not decorators or (managed and len(decorators) == 1 and decorators[0] in _MANAGERS)


def _only_maker(function: FunctionNode, life: SessionLife) -> ast.expr | None:
    """What opens the session of a function that does nothing else but yield it, roll back and close."""
    name = name_given(function, life.site)
    match _without_docstring(function.body):
        case [ast.With(items=[ast.withitem(context_expr=maker)], body=[ast.Expr(value=ast.Yield())])] if life.in_with:
            return maker
        case [ast.AsyncWith(items=[ast.withitem(context_expr=maker)], body=[ast.Expr(value=ast.Yield())])]:
            return maker if life.in_with else None
        case [ast.Assign(value=maker) | ast.AnnAssign(value=ast.expr() as maker), *rest] if name is not None:
            return maker if all(_only_tidies(statement, name) for statement in rest) else None
    return None


def _only_tidies(statement: ast.stmt, name: str) -> bool:
    match statement:
        case ast.Expr(value=ast.Yield(value=ast.Name(id=given))):
            return given == name
        case ast.Expr(value=ast.Await(value=call)) | ast.Expr(value=call) if isinstance(call, ast.Call):
            match call.func:
                case ast.Attribute(value=ast.Name(id=owner), attr="close" | "rollback"):
                    return owner == name
        case ast.Raise(exc=None):
            return True
        case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=final):
            inner = [*body, *orelse, *final, *(part for handler in handlers for part in handler.body)]
            return all(_only_tidies(part, name) for part in inner) and all(map(_passes_on, handlers))
    return False


def _passes_on(handler: ast.ExceptHandler) -> bool:
    return isinstance(handler.body[-1], ast.Raise)


def _repeats(node: ast.AST, inner: ast.expr) -> bool:
    """Whether a node is a loop around another one."""
    return isinstance(node, ast.For | ast.AsyncFor | ast.While) and contains(node, inner)


def _without_docstring(body: Sequence[ast.stmt]) -> list[ast.stmt]:
    match body:
        case [ast.Expr(value=ast.Constant(value=str())), *rest]:
            return rest
    return list(body)


def started_by(call: ast.Call) -> ast.Call | None:
    """The call that starts the generator of `next(generator())`, in all its spellings; None for other calls."""
    match call:
        case ast.Call(func=ast.Name(id="next" | "anext"), args=[ast.Call() as start, *_]):
            return start
        case ast.Call(func=ast.Attribute(value=ast.Call() as start, attr="__next__" | "__anext__"), args=[]):
            return start
    return None
