"""ALC701: a handler that swallows everything around database work."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Final

from alchemod.edits.verbs import swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.facts.module import last_name
from alchemod.inference.control.exceptions import EVERYTHING, Exceptions
from alchemod.inference.uses.absence import Absence
from alchemod.inference.values import Answer, Session

_MAY_BE_NONE: Final = frozenset({"first", "get", "one_or_none", "scalar_one_or_none"})
"""Methods that give None where there is no row."""


class BroadExceptAroundCommit(Rule):
    """Narrows `except Exception` around a commit to SQLAlchemyError.

    What it does:
        Replaces `Exception` by `sqlalchemy.exc.SQLAlchemyError` in a handler that swallows what goes wrong around a
        commit or flush.

    Why:
        A misspelled name or a failing assertion looks like a database error, and is lost with it.

    Example:
        ```python
        def add(session: Session, user):
            try:
                session.add(user)
                session.commit()
            except Exception as error:
                session.rollback()
                print("not added", error)
        ```

    Use instead:
        ```python
        def add(session: Session, user):
            try:
                session.add(user)
                session.commit()
            except SQLAlchemyError as error:
                session.rollback()
                print("not added", error)
        ```

    Fix safety:
        Always unsafe: what is not the database's error escapes from now on. Offered when the `try` calls nothing but
        SQLAlchemy. A report when it calls something else as well, when it reads or sets an attribute of a row that may
        be missing, and for a bare `except:`. Handlers that raise, the guard of a worker's endless loop, and handlers
        behind a narrower one for SQLAlchemy's errors are left alone.

    References:
        - https://docs.sqlalchemy.org/en/20/core/exceptions.html#sqlalchemy.exc.SQLAlchemyError
        - https://docs.sqlalchemy.org/en/20/orm/session_basics.html#framing-out-a-begin-commit-rollback-block
    """

    code = "ALC701"
    names = ("commit", "flush")

    def find_Try(self, node: ast.Try, ctx: Context) -> Iterator[Finding]:
        """Looks at one `try`."""
        broad = next((one for one in node.handlers if _is_broad(one, ctx)), None)
        if broad is None or _raises(broad) or any(_is_narrow(one, ctx) for one in node.handlers if one is not broad):
            return
        call, session = next(_commits(node.body, ctx), (None, None))
        if call is None or session is None or _guards_a_loop(node, ctx):
            return
        assert isinstance(call.func, ast.Attribute)
        message = f"this handler swallows everything that goes wrong around {call.func.attr}()"
        foreign = ctx.ask(Exceptions).foreign_call(ctx.path, node.body)
        if broad.type is None:
            missing = "write `except SQLAlchemyError:`, with a rollback first"
            yield self.report(broad, message, missing=missing, given=[session])
        elif foreign is not None:
            missing = f"what {ast.unparse(foreign.func)}() raises; put it before the try, and catch SQLAlchemyError"
            yield self.report(broad.type, message, missing=missing, given=[session])
        elif (read := _of_missing_row(node.body, ctx)) is not None:
            missing = (
                f"what {ast.unparse(read)} in line {read.lineno} raises where there is no row; test for None first"
            )
            yield self.report(broad.type, message, missing=missing, given=[session])
        else:
            edit = swap(broad.type, "{sqlalchemy.exc.SQLAlchemyError}")
            yield self.fix(broad.type, message, edit, given=[session], unsafe="other errors escape from now on")


def _is_broad(handler: ast.ExceptHandler, ctx: Context) -> bool:
    caught = ctx.ask(Exceptions).caught(ctx.path, handler)
    return caught is not None and len(caught) == 1 and caught[0] in EVERYTHING


def _is_narrow(handler: ast.ExceptHandler, ctx: Context) -> bool:
    """Whether a handler is for SQLAlchemy's errors, or for those of something that is not known."""
    caught = ctx.ask(Exceptions).caught(ctx.path, handler)
    return caught is None or any(name.endswith(("Error", "Found", "Exception")) for name in caught)


def _raises(handler: ast.ExceptHandler) -> bool:
    """Whether a handler lets the error out: it raises, or leaves the program."""
    parts = [part for statement in handler.body for part in ast.walk(statement)]
    leaving = {"exit", "abort", "fail", "_exit"}
    calls = (part.func for part in parts if isinstance(part, ast.Call))
    names = (func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "") for func in calls)
    return any(isinstance(part, ast.Raise) for part in parts) or any(name in leaving for name in names)


def _commits(body: Iterable[ast.stmt], ctx: Context) -> Iterator[tuple[ast.Call, Answer]]:
    """The commits and flushes of sessions in a `try` body that no `try` inside it handles."""
    for statement in body:
        stack: list[ast.AST] = [statement]
        while stack:
            part = stack.pop()
            if isinstance(part, ast.Try) and part.handlers:
                continue
            match part:
                case ast.Call(func=ast.Attribute(value=receiver, attr="commit" | "flush")):
                    answer = ctx.value(receiver)
                    if answer is not None and isinstance(answer.value, Session):
                        yield part, answer
            if not isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
                stack.extend(ast.iter_child_nodes(part))


def _of_missing_row(body: Iterable[ast.stmt], ctx: Context) -> ast.Attribute | None:
    """An attribute of a row that may be None, which a `try` body reads or sets untested."""
    absence = ctx.ask(Absence)
    for statement in body:
        for part in ast.walk(statement):
            if isinstance(part, ast.Call) and last_name(part) in _MAY_BE_NONE:
                named = absence.named(ctx.path, part)
                found = absence.unchecked_read(named, writes=True) if named is not None else None
                if found is not None:
                    return found
    return None


def _guards_a_loop(node: ast.Try, ctx: Context) -> bool:
    """Whether the `try` is all that a turn of an endless loop does: a worker goes on with the next item."""
    loops = (part for part in ast.walk(ctx.tree) if isinstance(part, ast.While))
    return any(node in loop.body and isinstance(loop.test, ast.Constant) for loop in loops)
