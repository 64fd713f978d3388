"""ALC309: objects that are read behind a bulk write, counters computed from loaded values, blanket settings."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from alchemod.engine.rule import Rule
from alchemod.inference.transactions.stale import is_number, lost_update, stale_read
from alchemod.inference.transactions.work import Transactions
from alchemod.inference.values import Outside, SessionFactory

if TYPE_CHECKING:
    from alchemod.engine.context import Context
    from alchemod.engine.finding import Finding
    from alchemod.facts.project import Project

_BLANKET = {"expire_all", "expunge_all"}
_MAKERS = {"sessionmaker", "async_sessionmaker"}


class StaleObjectState(Rule):
    """Reports objects whose state is not, or no longer, what the database has.

    What it does:
        Reports reads of a loaded object behind a bulk write with `synchronize_session=False`; counters that are set to
        a value computed from the loaded one. Notes `expire_all()` and `expunge_all()`, and factories whose sessions
        never flush before a query (`autoflush=False`).

    Why:
        An object in the session stays as it was loaded while its row changes. `account.balance += 1` read the old value
        some time ago; when two do it at once, one of them is lost.

    Example:
        ```python
        def close_account(session: Session, key):
            user = session.get(User, key)
            session.query(User).filter(User.id == key).update({"active": False}, synchronize_session=False)
            return user.active
        ```

    Use instead:
        ```python
        def close_account(session: Session, key):
            user = session.get(User, key)
            session.query(User).filter(User.id == key).update({"active": False}, synchronize_session="fetch")
            return user.active
        ```

    Fix safety:
        Only a report. Objects that are loaded, refreshed or expired behind the write, counters with
        `with_for_update()` or a version column, objects made in the function, `no_autoflush` blocks, `expire_all()`
        behind a bulk write, and tests are left alone.

    References:
        - https://docs.sqlalchemy.org/en/20/orm/queryguide/dml.html#selecting-a-synchronization-strategy
        - https://docs.sqlalchemy.org/en/20/orm/session_state_management.html#refreshing-expiring
    """

    code = "ALC309"
    names = ("update", "delete", "execute", *sorted(_BLANKET), *sorted(_MAKERS))

    def names_from(self, project: Project) -> Iterable[str]:
        """The names of columns that hold numbers, which a counter may have."""
        for model in project.models.all():
            columns = (one for one in model.attributes.items() if one[1].kind == "column")
            yield from (name for name, column in columns if is_number(column))

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one bulk write, one `expire_all()` or one factory."""
        if ctx.project.is_test(ctx.path):
            return
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if name in _MAKERS:
            yield from self._factory(call, ctx)
        elif name in _BLANKET:
            yield from self._blanket(call, name, ctx)
        elif b"synchronize_session" in ctx.source.utf8 and name in {"update", "delete", "execute"}:
            yield from self._stale(call, ctx)

    def find_AugAssign(self, statement: ast.AugAssign, ctx: Context) -> Iterator[Finding]:
        """Looks at one `object.column += value`."""
        yield from self._counter(statement, ctx)

    def find_Assign(self, statement: ast.Assign, ctx: Context) -> Iterator[Finding]:
        """Looks at one `object.column = object.column + value`."""
        if isinstance(statement.value, ast.BinOp):
            yield from self._counter(statement, ctx)

    def _stale(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        place = ctx.place(call)
        work = ctx.ask(Transactions).around(place) if place is not None else None
        found = stale_read(call, work) if work is not None else None
        if found is not None:
            read, session = ast.unparse(found.read), found.write.session
            loaded = getattr(found.loaded, "lineno", 0)
            message = (
                f"line {found.read.lineno} reads {read} as line {loaded} loaded it, for this write does not "
                f"synchronise {found.model.name} objects"
            )
            advice = f'write `synchronize_session="fetch"`, or `{session.written}.refresh(...)` before the read'
            yield self.report(call, message, missing=advice, given=[session.answer])

    def _counter(self, statement: ast.Assign | ast.AugAssign, ctx: Context) -> Iterator[Finding]:
        place = ctx.place(statement) if not ctx.project.is_test(ctx.path) else None
        work = ctx.ask(Transactions).around(place) if place is not None else None
        found = lost_update(statement, work) if work is not None else None
        if found is not None:
            target, column = ast.unparse(found.target), f"{found.model.name}.{found.target.attr}"
            message = (
                f"{target} is computed from what line {found.loaded.lineno} loaded; when two do it at once, one is lost"
            )
            sql = f"compute it in the database, with {column} in the place of {target} on the right"
            advice = f"{sql}, or load the row with `with_for_update()`"
            yield self.report(statement, message, missing=advice, given=[found.answer])

    def _blanket(self, call: ast.Call, name: str, ctx: Context) -> Iterator[Finding]:
        place = ctx.place(call)
        work = ctx.ask(Transactions).around(place) if place is not None else None
        event = work.event(call) if work is not None else None
        if work is None or event is None or event.kind not in {"expire", "expunge"}:
            return
        if event.session.owner not in {"parameter", "attribute", "module", "registry"}:
            return  # nobody else has objects in it
        before = work.order.before(call)
        if name == "expire_all" and any(one.mark in before for one in work.of(event.session, ["write", "execute"])):
            return
        message = f"{name}() concerns every object of {event.session.written}, whoever loaded it"
        advice = "name the objects, or open a session per unit of work"
        yield self.report(call, message, missing=advice, given=[event.session.answer], level="note")

    def _factory(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        off = next((one for one in call.keywords if one.arg == "autoflush"), None)
        if off is None or not isinstance(off.value, ast.Constant) or off.value.value is not False:
            return
        answer, maker = ctx.value(call), ctx.value(call.func)
        if (
            answer is None
            or maker is None
            or not isinstance(answer.value, SessionFactory)
            or not isinstance(maker.value, Outside)
        ):
            return
        message = "no session of this factory flushes before a query, so queries do not see what was added or changed"
        advice = "write `with session.no_autoflush:` where that is wanted"
        yield self.report(call, message, missing=advice, given=[answer], level="note")
