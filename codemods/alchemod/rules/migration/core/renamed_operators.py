"""MIG208: `isnot()`, `notin_()`, `nullsfirst()` and the like get their names of SQLAlchemy 1.4."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from alchemod.edits.verbs import rename
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.renamed_names import Renamed, RenamedNames, last_names
from alchemod.inference.values import Answer, ColumnObject, Expression, Method, ModelAttribute

_METHODS = {
    "isnot": "is_not",
    "isnot_distinct_from": "is_not_distinct_from",
    "notilike": "not_ilike",
    "notin_": "not_in",
    "notlike": "not_like",
    "nullsfirst": "nulls_first",
    "nullslast": "nulls_last",
}
_TABLE = tuple(
    Renamed(f"{module}.{old}", f"{module}.{_METHODS[old]}")
    for module in ("sqlalchemy", "sqlalchemy.sql", "sqlalchemy.sql.expression")
    for old in ("nullsfirst", "nullslast")
)


class RenamedOperators(RenamedNames):
    """Uses the current names of operators.

    What it does:
        `column.isnot(x)` becomes `column.is_not(x)`, `notin_()` becomes `not_in()`, and so on for `notlike`,
        `notilike`, `isnot_distinct_from`, and for the methods and functions `nullsfirst` and `nullslast`.

    Why:
        SQLAlchemy 1.4 renamed them. The old names stay without a warning; one spelling is easier to search.

    Example:
        ```python
        def named(session, ids):
            return session.query(User).filter(User.name.isnot(None), User.id.notin_(ids)).all()
        ```

    Use instead:
        ```python
        def named(session, ids):
            return session.query(User).filter(User.name.is_not(None), User.id.not_in(ids)).all()
        ```

    Fix safety:
        Safe for columns and expressions. Unsafe when a class of the project defines a method of the old name: it may be
        a comparator that gives the operator another meaning.

    References:
        - https://docs.sqlalchemy.org/en/14/changelog/migration_14.html
        - https://docs.sqlalchemy.org/en/20/core/operators.html
    """

    code = "MIG208"
    names = tuple(sorted({*_METHODS, *last_names(_TABLE)}))
    since = "1.4"
    on = False
    table = _TABLE

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one call of an operator."""
        callee = ctx.value(call.func)
        match callee, call.func:
            case Answer(
                value=Method(owner=ModelAttribute() | ColumnObject() | Expression(), name=old)
            ), ast.Attribute():
                message = f"{old}() is an old name of {_METHODS[old]}()"
                edit = rename(call.func, _METHODS[old])
                yield self.fix(call, message, edit, given=[callee], unsafe=_own_operator(old, ctx))


def _own_operator(name: str, ctx: Context) -> str | None:
    """Which class of the project defines the operator itself."""
    owners = (method.owner.name for method in ctx.project.methods_named(name) if method.owner is not None)
    owner = next(owners, None)
    return f"{owner} defines {name}()" if owner is not None else None
