"""MIG409: `from_self()`, `select_entity_from()` and the set operations become an alias of the class over a subquery."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.translating import TranslatingRule
from alchemod.inference.translation.nesting import NESTING, Nesting
from alchemod.inference.translation.uses import SET_OPERATIONS


class QueryFromSelf(TranslatingRule):
    """Puts a Query into a subquery by an alias of its class.

    What it does:
        `query.from_self()` becomes a Query for `aliased(User, query.subquery())`, and what is said about `User` after
        it is said about the alias. So do `select_entity_from()` and, for SQLAlchemy 2.0, `union()` and its kin, with
        `union(...)` as the subquery. A `from_self()` after which nothing but rows is asked for goes.

    Why:
        SQLAlchemy 2.0 has removed these methods, but for the set operations, which `select()` spells with an alias.

    Example:
        ```python
        def last(session: Session):
            return session.query(User).order_by(User.id.desc()).limit(5).from_self().order_by(User.name).all()
        ```

    Use instead:
        ```python
        def last(session: Session):
            user_alias = aliased(
                User, session.query(User).order_by(User.id.desc()).limit(5).subquery()
            )
            return session.query(user_alias).order_by(user_alias.name).all()
        ```

    Fix safety:
        Unsafe: the names that follow are taken to mean the subquery, which they do when they are written in the same
        function. A report when something after it is not seen or stands on some ways only, for `with_polymorphic()`,
        for rows of several classes, and where no statement could be put before.

    References:
        - https://docs.sqlalchemy.org/en/20/changelog/migration_20.html#selecting-from-the-query-itself-as-a-subquery-e-g-from-self
        - https://docs.sqlalchemy.org/en/20/orm/queryguide/select.html#selecting-entities-from-unions-and-other-set-operations
    """

    code = "MIG409"
    names = tuple(sorted(NESTING))
    since = "1.4"
    family = "removed"
    instead = "an alias over a subquery"

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterable[Finding]:
        """Looks at one call that puts a Query into a subquery."""
        if isinstance(call.func, ast.Attribute) and (call.func.attr not in SET_OPERATIONS or ctx.goal >= "2.0"):
            translation = ctx.ask(Nesting).at(ctx.path, call)
            if translation is not None:
                yield self.finding(translation, ctx)

    def find_Attribute(self, attribute: ast.Attribute, ctx: Context) -> Iterable[Finding]:
        """Nothing: only calls count."""
        return ()
