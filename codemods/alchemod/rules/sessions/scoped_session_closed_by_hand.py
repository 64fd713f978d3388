"""ALC108: the session of a request closed by hand, although the framework removes it."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from alchemod.edits.verbs import drop
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.inference.ownership.teardown import ClosedByHand, Teardowns


class ScopedSessionClosedByHand(Rule):
    """Drops the `close()` of a session that the framework removes at the end of the request.

    What it does:
        Removes `db.session.close()` from the end of a Flask view, where Flask-SQLAlchemy or a teardown function removes
        the session anyway. In other functions it reports the call.

    Why:
        The session of a request is shared by everything that runs in it. Closing it detaches the objects of everybody
        else: a template that is rendered later, or the caller of a helper, meets DetachedInstanceError.

    Example:
        ```python
        from flask import Flask
        from flask_sqlalchemy import SQLAlchemy

        app = Flask(__name__)
        db = SQLAlchemy(app)


        @app.route("/books")
        def list_books():
            try:
                return [book.title for book in db.session.query(Book)]
            finally:
                db.session.close()
        ```

    Use instead:
        ```python
        from flask import Flask
        from flask_sqlalchemy import SQLAlchemy

        app = Flask(__name__)
        db = SQLAlchemy(app)


        @app.route("/books")
        def list_books():
            return [book.title for book in db.session.query(Book)]
        ```

    Fix safety:
        Never safe: objects stay attached, and the connection is given back at the end of the request instead of at the
        end of the view. A report where it is not seen that a function runs within a request. Commands, tasks, teardown
        functions, functions with an application context of their own, and a `close()` with more work behind it are left
        alone.

    References:
        - https://flask-sqlalchemy.readthedocs.io/en/stable/contexts/
        - https://docs.sqlalchemy.org/en/20/orm/contextual.html
    """

    code = "ALC108"
    names = ("close",)
    tokens = ("session",)

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterable[Finding]:
        """Looks at one call of `close()`."""
        closed = ctx.ask(Teardowns).closed_by_hand(ctx.path, call)
        if closed is None:
            return
        if closed.runs == "request":
            unsafe = "objects of the session stay attached until the request ends"
            yield self.fix(call, _message(closed), drop(closed.statement), unsafe=unsafe)
        else:
            missing = f"it is not seen whether {closed.function}() runs in a request only; drop the call if it does"
            yield self.report(call, _message(closed), missing=missing)


def _message(closed: ClosedByHand) -> str:
    name = closed.name
    return f"{name}.close() detaches the objects of the whole request, and {closed.remover} removes the session anyway"
