"""MIG418: methods, attributes and arguments of sessions that are gone."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from alchemod.edits.verbs import add_argument, drop, rename, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.facts.lookup import External
from alchemod.facts.versions import parse_release
from alchemod.inference.values import Answer, ClassObject, Method, Outside, Session, SessionFactory

_BINDING = ("mapper", "clause", "bind")
_EXECUTING = frozenset({"execute", "scalar", "connection"})
_ADDING = frozenset({"save", "save_or_update"})


class RemovedSessionMethods(Rule):
    """Replaces what sessions do not have any more.

    What it does:
        `session.execute(statement, mapper=User)` gets `bind_arguments={"mapper": User}`, `close_with_result=` goes,
        `Session.close_all()` becomes `close_all_sessions()`, `save()` becomes `add()`, `session.transaction` becomes
        `session.get_transaction()`, and `flush([user])` becomes `flush()` for SQLAlchemy 2.1.

    Why:
        SQLAlchemy 2.0 raises AttributeError or TypeError for these; 2.1 warns of `flush()` with objects.

    Example:
        ```python
        def rows(session: Session, statement):
            return session.execute(statement, mapper=User).all()
        ```

    Use instead:
        ```python
        def rows(session: Session, statement):
            return session.execute(statement, bind_arguments={"mapper": User}).all()
        ```

    Fix safety:
        Safe for arguments and for methods with one successor. Unsafe for `session.transaction`, which began a
        transaction where none was and gave a savepoint inside one, and for `flush()`, which then writes the other
        objects too. A report for what has no successor.

    References:
        - https://docs.sqlalchemy.org/en/20/changelog/migration_20.html
        - https://docs.sqlalchemy.org/en/21/changelog/migration_21.html
    """

    code = "MIG418"
    names = ("transaction", "close_all", "flush", "prune", *sorted(_EXECUTING | _ADDING))
    since = "1.4"

    def find_Attribute(self, node: ast.Attribute, ctx: Context) -> Iterator[Finding]:
        """Looks at `session.transaction`."""
        if node.attr != "transaction" or not isinstance(node.ctx, ast.Load):
            return
        session = ctx.value(node.value)
        match session:
            case Answer(value=Session()):
                message = "session.transaction is gone in SQLAlchemy 2.0"
                edit, more = rename(node, "get_transaction"), swap(node, "{_}()")
                unsafe = "get_transaction() gives None before a transaction has begun, and never a savepoint"
                yield self.fix(node, message, edit, more, given=[session], unsafe=unsafe)

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one call of a method of a session."""
        callee = ctx.value(call.func)
        match callee, call.func:
            case Answer(
                value=Method(owner=Session() | SessionFactory() as owner, name=name)
            ), ast.Attribute() as method:
                if name == "close_all":
                    yield from self._close_all(call, callee, isinstance(owner, Session) and owner.is_async)
                elif isinstance(owner, Session):
                    yield from self._of_session(call, name, method, callee, ctx)
            case Answer(value=Outside(definition=External(name=dotted))), _:
                if dotted.rpartition(".")[2] == "close_all" and ".Session." in f"{dotted}.":
                    yield from self._close_all(call, callee, is_async=False)
            case _, ast.Attribute(attr="close_all", value=value) if _is_session_class(ctx.value(value), ctx):
                yield from self._close_all(call, ctx.value(value) or Answer(Session()), is_async=False)

    def _of_session(
        self, call: ast.Call, name: str, method: ast.Attribute, callee: Answer, ctx: Context
    ) -> Iterator[Finding]:
        if name in _ADDING:
            yield self.fix(call, f"{name}() of a session is called add()", rename(method, "add"), given=[callee])
        elif name == "prune":
            yield self.report(
                call, "prune() of a session is gone: objects that nothing refers to go by themselves", given=[callee]
            )
        elif name == "flush" and (call.args or call.keywords) and parse_release(ctx.goal) >= parse_release("2.1"):
            message = "flush() of some objects is deprecated in SQLAlchemy 2.1"
            gone = [*call.args, *call.keywords]
            unsafe = "it then writes all that has changed"
            yield self.fix(call, message, *map(drop, gone), given=[callee], unsafe=unsafe)
        elif name in _EXECUTING:
            yield from self._arguments(call, name, callee)

    def _arguments(self, call: ast.Call, name: str, callee: Answer) -> Iterator[Finding]:
        given = {keyword.arg: keyword for keyword in call.keywords}
        if (closing := given.get("close_with_result")) is not None:
            yield self.fix(call, "close_with_result= is gone in SQLAlchemy 2.0", drop(closing), given=[callee])
        moved = [given[key] for key in _BINDING if key in given]
        if not moved or "bind_arguments" in given or None in given:
            return
        message = f"{moved[0].arg}= of {name}() goes into bind_arguments= since SQLAlchemy 1.4"
        parts = ", ".join(f'"{keyword.arg}": {{{keyword.arg}}}' for keyword in moved)
        holes: dict[str, Any] = {keyword.arg or "": keyword.value for keyword in moved}
        added = add_argument(call, f"bind_arguments={{{{{parts}}}}}", **holes)
        yield self.fix(call, message, *map(drop, moved), added, given=[callee])

    def _close_all(self, call: ast.Call, callee: Answer, is_async: bool) -> Iterator[Finding]:
        message = "close_all() of sessions is the function close_all_sessions()"
        if is_async:
            yield self.report(call, message, missing="use that of sqlalchemy.ext.asyncio, with await", given=[callee])
        elif not call.args and not call.keywords:
            yield self.fix(call, message, swap(call, "{sqlalchemy.orm.close_all_sessions}()"), given=[callee])


def _is_session_class(answer: Answer | None, ctx: Context) -> bool:
    """Whether something is a class that derives from `Session` and has no `close_all` of its own."""
    match answer:
        case Answer(value=ClassObject(facts=facts)):
            own = any("close_all" in owner.methods for owner in ctx.project.families.above(facts))
            return ctx.project.lookup.reaches(facts, "Session") and not own
    return False
