"""MIG504: DISTINCT ON of PostgreSQL, which has a form of its own in SQLAlchemy 2.1."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.inference.values import Statement


class DistinctOn(Rule):
    """Finds `distinct()` with columns, which SQLAlchemy 2.1 deprecates.

    What it does:
        Reports `select(...).distinct(columns)` and `query.distinct(columns)`.

    Why:
        Only PostgreSQL has DISTINCT ON; other databases get a plain DISTINCT. SQLAlchemy 2.1 has `distinct_on()` of the
        PostgreSQL dialect for it.

    Example:
        ```python
        first = select(User).distinct(User.name)
        ```

    Use instead:
        ```python
        from sqlalchemy.dialects.postgresql import distinct_on

        first = select(User).ext(distinct_on(User.name))
        ```

    Fix safety:
        A report only: whether all databases of the project are PostgreSQL is not seen.

    References:
        - https://docs.sqlalchemy.org/en/21/changelog/whatsnew_21.html
        - https://docs.sqlalchemy.org/en/21/dialects/postgresql.html
    """

    code = "MIG504"
    names = ("distinct",)
    since = "2.1"
    min_version = "2.1"

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one call of `distinct`."""
        match call.func:
            case ast.Attribute(value=statement, attr="distinct") if call.args:
                answer = ctx.value(statement)
            case _:
                return
        if answer is not None and isinstance(answer.value, Statement):
            columns = ", ".join(map(ast.unparse, call.args))
            message = "distinct() with columns is deprecated in SQLAlchemy 2.1"
            missing = f"whether all databases are PostgreSQL; then write .ext(distinct_on({columns}))"
            yield self.report(call, message, missing=missing, given=[answer])
