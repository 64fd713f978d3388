"""MIG417: `autocommit=`, `subtransactions=True`, and `session.commit()` that is meant for a savepoint."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from alchemod.edits.verbs import block, drop
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.facts.lookup import External
from alchemod.facts.project import Project
from alchemod.inference.transactions.nested_commits import NestedCommits
from alchemod.inference.values import Answer, FlaskDatabase, Method, Outside, Session, SessionFactory

_MAKERS = frozenset({"sessionmaker", "Session", "create_session", "scoped_session"})
_COMMIT = (
    "session.commit() after begin_nested() releases the savepoint in SQLAlchemy 1.4, and commits everything in 2.0"
)


class SessionTransactions(Rule):
    """Ends transactions the way SQLAlchemy 2.0 does.

    What it does:
        Drops `autocommit=False`, which is the only way in 2.0. A savepoint that `session.begin_nested()` opens and
        `session.commit()` ends becomes a `with` block. It reports `autocommit=True` and `begin(subtransactions=True)`.

    Why:
        SQLAlchemy 2.0 raises ArgumentError and TypeError for the arguments. `session.commit()` inside a savepoint
        commits the whole transaction there, and `session.rollback()` takes all of it back.

    Example:
        ```python
        def add(session: Session, names):
            session.begin_nested()
            session.add_all([Tag(name=name) for name in names])
            session.commit()
            session.commit()
        ```

    Use instead:
        ```python
        def add(session: Session, names):
            with session.begin_nested():
                session.add_all([Tag(name=name) for name in names])
            session.commit()
        ```

    Fix safety:
        Safe for `autocommit=False`; a report for that of `create_session()` where the project allows SQLAlchemy 1.4,
        which makes a session in autocommit mode else. Unsafe for savepoints: the commit may be meant for the whole
        transaction. A report when it stands in another block, and for everything that needs a look at the callers.

    References:
        - https://docs.sqlalchemy.org/en/20/changelog/migration_20.html#session-autocommit-mode-removed-autobegin-support-added
        - https://docs.sqlalchemy.org/en/20/changelog/migration_20.html#session-subtransaction-behavior-removed
    """

    code = "MIG417"
    names = ("begin", "begin_nested", *sorted(_MAKERS))
    since = "1.4"
    min_version = "1.3"
    tokens = ("autocommit", "begin_nested", "subtransactions")

    def names_from(self, project: Project) -> Iterable[str]:
        """The session factories of the project."""
        return project.session_makers

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at a call that makes a session, or begins a transaction."""
        callee = ctx.value(call.func)
        match callee:
            case Answer(value=Outside(definition=External(name=dotted, canonical=str() as name))):
                if name in _MAKERS and dotted.startswith("sqlalchemy."):
                    yield from self._made(call, callee, "2.0" if name == "create_session" else self.min_version)
            case Answer(value=SessionFactory()):
                yield from self._made(call, callee, self.min_version)
            case Answer(value=Method(owner=FlaskDatabase(), name="create_scoped_session")):
                yield from self._made(call, callee, self.min_version)
            case Answer(value=Method(owner=Session(), name="begin")):
                for keyword in call.keywords:
                    if keyword.arg == "subtransactions" and _constant(keyword.value) is True:
                        message = "begin(subtransactions=True) is gone in SQLAlchemy 2.0"
                        missing = "begin where session.in_transaction() is false, in the function that owns the work"
                        yield self.report(call, message, missing=missing, given=[callee])
            case Answer(value=Method(owner=Session(is_async=False), name="begin_nested")):
                yield from self._savepoint(call, callee, ctx)

    def _made(self, call: ast.Call, callee: Answer, since: str) -> Iterator[Finding]:
        for keyword in call.keywords:
            if keyword.arg != "autocommit":
                continue
            if _constant(keyword.value) is False:
                message = "autocommit=False is what every session does in SQLAlchemy 2.0"
                yield self.fix(keyword, message, drop(keyword), given=[callee], min_version=since)
            else:
                message = "autocommit= of sessions is gone in SQLAlchemy 2.0"
                missing = "begin each piece of work: `with session.begin():`"
                yield self.report(keyword, message, missing=missing, given=[callee])

    def _savepoint(self, call: ast.Call, callee: Answer, ctx: Context) -> Iterator[Finding]:
        place = ctx.place(call)
        nested = ctx.ask(NestedCommits).of(call, place) if place is not None else None
        if nested is None or not isinstance(call.func, ast.Attribute):
            return
        if nested.commit is None or nested.last is None:
            missing = f"line {nested.line} may end the savepoint: use `with session.begin_nested():`"
            yield self.report(call, _COMMIT, missing=missing, given=[callee])
            return
        header = "with {session}.begin_nested():"
        session = call.func.value
        around = block(nested.opener, nested.last, header, replaces=(nested.opener,), session=session)
        unsafe = "the commit may be meant for the whole transaction"
        yield self.fix(call, _COMMIT, around, drop(nested.commit), given=[callee], unsafe=unsafe)


def _constant(node: ast.expr) -> object:
    return node.value if isinstance(node, ast.Constant) else node
