"""Judges what a handler does about a failed flush or commit: what is wrong with it, if anything, and what mends it."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, TypeGuard

from alchemod.inference.scoping.scopes import contains
from alchemod.inference.transactions.events import Event
from alchemod.inference.transactions.handlers import Failure
from alchemod.inference.transactions.objects import is_column, persistent_reads
from alchemod.inference.transactions.order import Mark

Fault: TypeAlias = Literal["unusable", "used", "raised", "committed", "asked", "discarded", "read"]
"""`unusable`: no rollback, and the handler ends the work. `used`: no rollback, and the session is used afterwards.
`raised`: no rollback, the exception goes on, and nobody up there ends the session. `committed`: rolled back, and then
run on to a commit. `asked`: rolled back only if `is_active` says so, which it does not then. `discarded`: a bare
`except:` that rolls back and tells nobody. `read`: an object is read before the rollback."""

_ENDED_ELSEWHERE: Final = frozenset({"parameter", "injected", "managed", "several"})


@dataclass(frozen=True, slots=True)
class Mishandled:
    """A fault. `later` is what follows; `reads` are attributes of objects that the handler reads before a rollback."""

    fault: Fault
    failure: Failure
    later: Event | None = None
    reads: tuple[ast.Attribute, ...] = ()

    @property
    def owns(self) -> bool:
        """Whether this function decides about the transaction: it opened the session, or it commits the shared one."""
        owner = self.failure.session.owner
        commits = any(event.kind == "commit" for event in (self.failure.failing, *self.failure.same))
        return owner in {"opened", "block"} or (owner == "registry" and commits)


def mishandled(failure: Failure) -> Mishandled | None:
    """What is wrong with a handler; None where nothing is, or where it is not seen."""
    if failure.clearing:
        return _cleared(failure)
    if failure.may_be_cleared:
        return None
    if failure.raises:
        return Mishandled("raised", failure) if _is_nobodys(failure) else None
    if failure.later_uses:
        return Mishandled("used", failure, failure.later_uses[0])
    if failure.uses and not _works_each_turn(failure):
        return Mishandled("used", failure, failure.uses[0])
    if failure.is_closed_after or (failure.session.owner in {"injected", "managed"} and not failure.uses):
        return None
    return Mishandled("unusable", failure, next(iter(failure.uses), None), tuple(persistent_reads(failure)))


def _cleared(failure: Failure) -> Mishandled | None:
    if (guard := _asks_if_active(failure)) is not None:
        return Mishandled("asked", failure, guard)
    if not failure.is_cleared:
        return None
    reads = tuple(persistent_reads(failure))
    if reads:
        return Mishandled("read", failure, failure.clearing[0], reads)
    if failure.raises or not failure.goes_on:
        return None
    if _does_nothing_else(failure):
        if failure.later_commits and not failure.caught.is_narrow:
            return Mishandled("committed", failure, failure.later_commits[0])
        if failure.caught.is_bare and _is_lone_rollback(failure):
            return Mishandled("discarded", failure)
    return None


def _is_nobodys(failure: Failure) -> bool:
    """Whether nobody is in sight who ends the session when the exception gets there."""
    owner = failure.session.owner
    if owner in _ENDED_ELSEWHERE or failure.is_closed_after:
        return False
    return owner != "registry" or not failure.work.registry_is_removed


def _works_each_turn(failure: Failure) -> bool:
    """Whether each turn of the loop around has work of its own: else a rollback would lose what the loop tries to
    commit again."""
    loop = failure.loop
    if loop is None:
        return False
    nodes = [event.node for event in failure.same if event.kind in {"add", "write", "execute", "lent"}]
    nodes += [mark for mark in failure.work.order.marks if _sets_attribute(mark)]
    return any(
        contains(loop, node) and not failure.holds(node) for node in nodes if isinstance(node, (ast.expr, ast.stmt))
    )


def _sets_attribute(mark: Mark) -> TypeGuard[ast.Attribute]:
    return isinstance(mark, ast.Attribute) and isinstance(mark.ctx, ast.Store)


def _asks_if_active(failure: Failure) -> Event | None:
    """The rollback that depends on `session.is_active`, which is false after a failed flush."""
    for event in failure.clearing:
        node = event.node
        position = failure.work.position(node) if isinstance(node, (ast.expr, ast.stmt)) else None
        for frame in position.frames if position is not None else ():
            match frame.statement:
                case ast.If(test=ast.Attribute(value=receiver, attr="is_active")) if frame.part == "body":
                    session = failure.work.session(receiver)
                    if session is not None and session.origin.key == failure.session.origin.key:
                        return event
    return None


def _does_nothing_else(failure: Failure) -> bool:
    """Whether a handler only rolls back and says so: no assignment, no other use of the session, no branch."""
    return all(isinstance(statement, (ast.Expr, ast.Pass, ast.Continue)) for statement in failure.handler.body)


def _is_lone_rollback(failure: Failure) -> bool:
    return len([one for one in failure.handler.body if not isinstance(one, (ast.Pass, ast.Continue))]) == 1


@dataclass(frozen=True, slots=True)
class Capture:
    """An attribute that is kept in a variable before the `try`, for the handler to read."""

    name: str
    reads: tuple[ast.Attribute, ...]


def captures(found: Mishandled) -> list[Capture]:
    """The reads of a handler that can be made before the `try`: columns of objects that are bound there already."""
    work, statement = found.failure.work, found.failure.statement
    by_text: dict[str, list[ast.Attribute]] = {}
    for read in found.reads:
        by_text.setdefault(ast.unparse(read), []).append(read)
    taken = work.place.scope.bindings.keys() | work.place.scope.reads
    result = []
    for reads in by_text.values():
        read = reads[0]
        if not isinstance(read.value, ast.Name) or not work.is_bound_before(read.value, statement):
            continue
        name = f"{read.value.id}_{read.attr}"
        if name not in taken and is_column(read, work):
            result.append(Capture(name, tuple(reads)))
    return result
