"""MIG112: listeners with the arguments of older events, and what listened before there were events."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from alchemod.edits.verbs import Verb, drop, set_parameters, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.renamed_names import Renamed, RenamedNames, last_names
from alchemod.facts.versions import parse_release
from alchemod.inference.legacy.listeners import Listeners
from alchemod.inference.legacy.old_listeners import OldListener, OldListeners
from alchemod.inference.values import Answer, Outside

_MAPPER = 'listen instead: event.listen(Model, "before_insert", function)'
_TABLE = (
    Renamed("sqlalchemy.interfaces.PoolListener", instead='listen instead: event.listen(engine, "connect", function)'),
    Renamed(
        "sqlalchemy.interfaces.ConnectionProxy",
        instead='listen instead: event.listen(engine, "before_cursor_execute", function)',
    ),
    *(
        Renamed(f"sqlalchemy.orm.{module}{name}", instead=instead)
        for module in ("", "interfaces.")
        for name, instead in (
            ("MapperExtension", _MAPPER),
            ("SessionExtension", 'listen instead: event.listen(Session, "before_flush", function)'),
            ("AttributeExtension", 'listen instead: event.listen(Model.attribute, "set", function)'),
        )
    ),
)


class LegacyListeners(RenamedNames):
    """Gives listeners the arguments of the events as they are.

    What it does:
        A function that listens to `before_execute` or `after_execute` with the arguments of 1.3 gets
        `execution_options`, one for `reset` gets `reset_state`, one for `engine_connect` loses `branch`. Listeners for
        `after_bulk_update` and `after_bulk_delete` take the one context. Reports the event `first_init`, `listeners=`
        of `create_engine()`, and the classes that were derived from before there were events.

    Why:
        SQLAlchemy 1.4 and 2.0 warn of old arguments; 2.1 does not call the listeners for bulk changes any more. The
        classes and keywords are gone.

    Example:
        ```python
        from sqlalchemy import event


        @event.listens_for(engine, "before_execute")
        def note(conn, clauseelement, multiparams, params):
            print(clauseelement)
        ```

    Use instead:
        ```python
        from sqlalchemy import event


        @event.listens_for(engine, "before_execute")
        def note(conn, clauseelement, multiparams, params, execution_options):
            print(clauseelement)
        ```

    Fix safety:
        Safe for a function that is registered for just one event and not used in another way. A report for lambdas,
        for functions of two events, for arguments without a successor that the function reads, and for classes.
        Functions with `*args` are left alone.

    References:
        - https://docs.sqlalchemy.org/en/20/core/events.html#sqlalchemy.events.ConnectionEvents.before_execute
        - https://docs.sqlalchemy.org/en/20/orm/events.html#sqlalchemy.orm.SessionEvents.after_bulk_update
        - https://docs.sqlalchemy.org/en/13/orm/deprecated.html
    """

    code = "MIG112"
    names = (*last_names(_TABLE), "listen", "listens_for", "create_engine")
    since = "1.4"
    table = _TABLE

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one registration, or at one engine."""
        match call.func:
            case ast.Name(id="create_engine") | ast.Attribute(attr="create_engine"):
                yield from self._engine(call, ctx)
                return
        for listener in ctx.ask(Listeners).of(ctx.path):
            if listener.call is call and listener.event == "first_init" and parse_release(ctx.goal) >= (2, 1):
                message = "the event first_init is gone in SQLAlchemy 2.1, and could not be invoked before"
                missing = 'what is to happen once; listen to "instrument_class" or "init"'
                yield self.report(call, message, missing=missing, given=[listener.answer])
        old = ctx.ask(OldListeners).of(ctx.path, call)
        if old is not None and parse_release(ctx.goal) >= parse_release(old.signature.since):
            yield self._told(call, old)

    def _told(self, call: ast.Call, old: OldListener) -> Finding:
        event, given = old.listener.event, [old.listener.answer]
        names = [old.listener.parameters[one] if isinstance(one, int) else one for one in old.signature.wanted]
        message = f"listeners for {event} take ({', '.join(names)})"
        function = old.listener.function
        if old.missing or not isinstance(function, ast.FunctionDef):
            return self.report(call, message, missing=old.missing, given=given)
        edits: list[Verb] = [swap(name, code) for name, code in old.replaced]
        edits += [drop(statement) for statement in old.dropped]
        change = set_parameters(function, *old.signature.wanted)
        return self.fix(call, message, change, *edits, given=given, min_version=old.signature.since)

    def _engine(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        for keyword in call.keywords:
            if keyword.arg in {"listeners", "proxy"}:
                answer = ctx.value(call.func)
                match answer:
                    case Answer(value=Outside(definition=definition)) if definition.canonical == "create_engine":
                        message = f"create_engine() takes no {keyword.arg}="
                        missing = 'what the object does; write event.listen(engine, "connect", its.connect) below'
                        yield self.report(keyword, message, missing=missing, given=[answer])
