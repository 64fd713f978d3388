"""ALC305: one commit per turn of a loop becomes one after the loop, with a savepoint per item where items may fail."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from alchemod.edits.verbs import Code, Verb, block, drop, insert, swap
from alchemod.engine.rule import Rule
from alchemod.inference.transactions.loop_commits import LoopCommit, loop_commit
from alchemod.inference.transactions.work import Transactions

if TYPE_CHECKING:
    from alchemod.engine.context import Context
    from alchemod.engine.finding import Finding


class CommitInLoop(Rule):
    """Moves a commit that each turn of a loop makes behind the loop.

    What it does:
        Puts one `session.commit()` behind the loop in the place of one per turn. Where a `try` in the loop skips items
        that fail, each item gets a savepoint, `with session.begin_nested():`, instead of its own transaction.

    Why:
        Each commit waits for the disk, and expires every object of the session, which are then loaded one by one. When
        a turn fails, the turns before it stay behind, and nobody knows how far the loop got.

    Example:
        ```python
        def import_tags(session: Session, names):
            for name in names:
                session.add(Tag(name=name))
                session.commit()
        ```

    Use instead:
        ```python
        def import_tags(session: Session, names):
            for name in names:
                session.add(Tag(name=name))
            session.commit()
        ```

    Fix safety:
        Unsafe: when a turn fails, the turns before it are no longer kept. A flush stays in the turn where something
        asks for what it added. A report where the loop goes over a result
        that is still open, which the commit closes; where it calls something that is not seen; and where it is left by
        `return`. Left alone: commits once per batch or under a condition, in workers and task functions, behind which
        a task, mail or request follows, with a lock on rows, of a session opened in the loop, and loops that use two
        sessions or commit twice.

    References:
        - https://docs.sqlalchemy.org/en/20/orm/session_basics.html#committing
        - https://docs.sqlalchemy.org/en/20/orm/session_transaction.html#using-savepoint
    """

    code = "ALC305"
    names = ("commit",)
    tokens = ("for", "while")

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one call of `commit()`."""
        place = ctx.place(call) if not ctx.project.is_test(ctx.path) else None
        work = ctx.ask(Transactions).around(place) if place is not None else None
        found = loop_commit(call, work) if work is not None else None
        if found is None:
            return
        given = [found.event.session.answer]
        message = "each turn of the loop commits, which waits for the disk and expires all objects"
        if found.obstacle is not None:
            yield self.report(call, message, missing=_advice(found), given=given)
            return
        kept = "nothing is kept before the loop is over" if found.guard else "when a turn fails, no turn is kept"
        unsafe = ctx.pinned("commit") or kept
        yield self.fix(call, message, *_edits(found), given=given, unsafe=unsafe)


def _edits(found: LoopCommit) -> Iterator[Verb]:
    session, wait = found.event.session, "await " if found.event.session.is_async else ""
    name = Code(session.written)
    if found.guard is None:
        yield swap(found.statement, wait + "{name}.flush()", name=name) if found.flushes else drop(found.statement)
    else:
        header = ("async " if session.is_async else "") + "with {name}.begin_nested():"
        if found.moved:
            yield swap(found.statement, header + "\n    {*body}", name=name, body=found.moved)
            for statement in found.moved:
                yield drop(statement)
        else:
            yield block(found.guard.body[0], found.statement, header, name=name)
            yield drop(found.statement)
        for rollback in found.rollbacks:
            yield drop(rollback)
    if not found.is_followed:
        yield insert(wait + "{name}.commit()", after=found.loop, name=name)


def _advice(found: LoopCommit) -> str:
    name, line = found.event.session.written, getattr(found.at, "lineno", 0)
    match found.obstacle:
        case "stream":
            return (
                f"the result of line {line} is still open, and the commit closes it; collect the keys in a list first, "
                f"or write `{name}.commit()` behind the loop"
            )
        case "callee":
            called = ast.unparse(found.at.func) if isinstance(found.at, ast.Call) else "a callee"
            needs = "if it needs no committed rows"
            return f"what {called}() in line {line} does is not seen; {needs}, write `{name}.commit()` behind the loop"
        case "leaves":
            return f"line {line} leaves the function; commit before that, and behind the loop"
    return f"line {line} belongs to the item too; put all its work into `with {name}.begin_nested():` inside the try"
