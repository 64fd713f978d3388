"""The call that sends a statement and takes something of the result: `query.first()`, `session.scalars(s).all()`."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Final

from alchemod.inference.area import Area
from alchemod.inference.resolving.sessions import as_session
from alchemod.inference.values import Answer, Coroutine, Place, Rows, Session, Statement, resting_on

SENDING: Final = frozenset({"execute", "scalars", "exec", "scalar"})
"""Methods of a session that send the statement they are given and wait for the result."""
_PASSING: Final = frozenset({"scalars", "unique"})
"""Methods of a result that give its rows in another form."""


@dataclass(frozen=True, slots=True)
class Execution:
    """A statement that is sent, and the method that takes what is wanted of its result ("" for a Query itself).

    `query` is the Query whose method `taken` is; for a select that a session sends, it is the statement handed over,
    `session` the session and `sent` the call. `path` are the methods called in between. `scalars` says whether the
    elements of the result are the first columns themselves.
    """

    call: ast.expr
    taken: str
    answer: Answer
    statement: Statement
    query: ast.expr
    scalars: bool
    session: ast.expr | None = None
    sent: ast.Call | None = None
    result: ast.expr | None = None
    """The expression that gives the result: `sent`, with the `await` before it."""
    path: tuple[str, ...] = ()
    sender: Session | None = None
    """What is known of the session that sends the statement."""

    @property
    def is_async(self) -> bool:
        """Whether the statement is sent by an AsyncSession."""
        return self.sender is not None and self.sender.is_async

    @property
    def has_arguments(self) -> bool:
        """Whether the session is given more than the statement, such as parameters."""
        return self.sent is not None and (len(self.sent.args) != 1 or bool(self.sent.keywords))


class Executions(Area):
    """Which calls send statements."""

    def of(self, call: ast.Call, place: Place) -> Execution | None:
        """What `call`, a method of a Query, of a session or of a result, sends; None when it is none of these."""
        if not isinstance(call.func, ast.Attribute):
            return None
        receiver, taken = call.func.value, call.func.attr
        answer = as_session(self.inference.resolver.value(receiver, place))
        match answer:
            case Answer(value=Statement(style="query") as statement):
                entities = len(statement.terms) == 1 and statement.terms[0].kind == "entity"
                return Execution(call, taken, answer, statement, receiver, entities, sender=statement.session)
            case Answer(value=Session()) if taken in SENDING:
                return self._sent(call, call, taken, (), place, call)
            case Answer(value=Rows(mappings=False)):
                return self._of_rows(call, receiver, taken, place)
        return None

    def beginning(self, execution: Execution, place: Place) -> ast.expr:
        """Where the chain of the statement begins in the same expression: a construct, `Model.query`, a variable."""
        node = execution.query
        while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            answer = self.inference.resolver.value(node.func.value, place)
            if answer is None or not isinstance(answer.value, Statement):
                break
            node = node.func.value
        return node

    def of_result(self, result: ast.expr, call: ast.expr, taken: str, place: Place) -> Execution | None:
        """What `call`, such as `list(result)`, takes all rows of, where `result` stands for them."""
        answer = self.inference.resolver.value(result, place)
        if answer is None or not isinstance(answer.value, Rows) or answer.value.mappings:
            return None
        return self._of_rows(call, result, taken, place)

    def _of_rows(self, call: ast.expr, receiver: ast.expr, taken: str, place: Place) -> Execution | None:
        path: list[str] = []
        node = result = receiver
        while True:
            match node:
                case ast.Await(value=inner):
                    node, result = inner, node
                case ast.Call(func=ast.Attribute(value=inner, attr=name), args=[], keywords=[]) if name in _PASSING:
                    path.insert(0, name)
                    node = result = inner
                case ast.Call(func=ast.Attribute(attr="execute" | "scalars" | "exec" as name)):
                    return self._sent(call, node, taken, (name, *path), place, result)
                case _:
                    return None

    def _sent(
        self, call: ast.expr, sent: ast.Call, taken: str, path: tuple[str, ...], place: Place, result: ast.expr
    ) -> Execution | None:
        assert isinstance(sent.func, ast.Attribute)
        value = self.inference.resolver.value
        session = as_session(value(sent.func.value, place))
        given = value(sent.args[0], place) if sent.args else None
        if session is None or given is None or not isinstance(given.value, Statement):
            return None
        if not isinstance(session.value, Session) or given.value.style != "select":
            return None
        sends = value(sent, place)
        rows = sends.value if sends is not None else None
        rows = rows.inner if isinstance(rows, Coroutine) else rows
        scalars = (
            "scalars" in path or sent.func.attr in {"scalars", "scalar"} or (isinstance(rows, Rows) and rows.scalars)
        )
        return Execution(
            call,
            taken,
            resting_on(given.value, (session, given)),
            given.value,
            sent.args[0],
            scalars,
            sent.func.value,
            sent,
            result,
            path,
            session.value,
        )
