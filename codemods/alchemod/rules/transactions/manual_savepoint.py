"""ALC302: a savepoint that is committed and rolled back by hand becomes a `with` block."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from alchemod.edits.verbs import Code, Verb, block, drop
from alchemod.engine.rule import Rule
from alchemod.inference.transactions.savepoints import Savepoint, savepoint
from alchemod.inference.transactions.work import Transactions

if TYPE_CHECKING:
    from alchemod.engine.context import Context
    from alchemod.engine.finding import Finding


class ManualSavepoint(Rule):
    """Puts the work between `begin_nested()` and the commit of its savepoint into a `with` block.

    What it does:
        Replaces `savepoint = session.begin_nested()`, `savepoint.commit()` and the `savepoint.rollback()` of handlers
        that raise by `with session.begin_nested():`. Handlers that only rolled back and raised go.

    Why:
        An exception that no handler expects leaves the savepoint open: everything that follows in the session belongs
        to it, and the commit that is meant for the whole ends only the savepoint.

    Example:
        ```python
        def add_tags(session: Session, names):
            savepoint = session.begin_nested()
            try:
                session.add_all([Tag(name=name) for name in names])
                savepoint.commit()
            except ValueError:
                savepoint.rollback()
                raise
        ```

    Use instead:
        ```python
        def add_tags(session: Session, names):
            with session.begin_nested():
                session.add_all([Tag(name=name) for name in names])
        ```

    Fix safety:
        Unsafe: exceptions that no handler named now roll back too. Offered where the savepoint is a variable of the
        function, its commit ends the work, and it is rolled back only in handlers that raise. A report where it is
        committed or rolled back in a branch, or handed on. A savepoint whose handler goes on with the work behind it,
        the transactions of connections, and `session.commit()` that is meant for a savepoint are left alone.

    References:
        - https://docs.sqlalchemy.org/en/20/orm/session_transaction.html#using-savepoint
    """

    code = "ALC302"
    names = ("begin_nested",)
    tokens = ("commit",)

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one call of `begin_nested()`."""
        place = ctx.place(call)
        work = ctx.ask(Transactions).around(place) if place is not None else None
        found = savepoint(call, work) if work is not None else None
        if found is None:
            return
        message = "the savepoint is committed by hand, and stays open where an exception passes that no handler expects"
        given = [found.event.session.answer]
        if found.obstacle is not None:
            yield self.report(call, message, missing=_advice(found), given=given)
            return
        unsafe = ctx.pinned("begin_nested") or "every exception then rolls back to the savepoint"
        yield self.fix(call, message, *_edits(found, call), given=given, unsafe=unsafe)


def _edits(found: Savepoint, call: ast.Call) -> Iterator[Verb]:
    assert found.first is not None
    assert found.last is not None
    assert isinstance(call.func, ast.Attribute)
    header = (
        "async with {session}.begin_nested():" if found.event.session.is_async else "with {session}.begin_nested():"
    )
    inside = found.first is found.opener
    session = call.func.value if inside else Code(ast.unparse(call.func.value))
    yield block(found.first, found.last, header, replaces=(found.opener,) if inside else (), session=session)
    if not inside:
        yield drop(found.opener)
    if found.commit is not None:
        yield drop(found.commit)
    for statement in (*found.rollbacks, *found.dropped_handlers):
        yield drop(statement)


def _advice(found: Savepoint) -> str:
    name = found.event.session.written
    line = getattr(found.at, "lineno", 0)
    code = f"write `{'async ' if found.event.session.is_async else ''}with {name}.begin_nested():` around the work"
    match found.obstacle:
        case "leaves":
            return f"line {line} hands it on; {code}, and let the block be all that ends it"
        case "conditional":
            return f"line {line} ends it on some ways only; {code}, and raise where it has to be undone"
    return f"line {line} commits it apart from the work; {code}"
