"""ALC213: `column == None` becomes `column.is_(None)`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from alchemod.edits.verbs import swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.inference.querying.comparisons import Comparisons


class EqualsNone(Rule):
    """Says `is_(None)` where a column is compared with None.

    What it does:
        Replaces `Entity.column == None` by `Entity.column.is_(None)`, and `!= None` by `.is_not(None)`. An `E711` in a
        `noqa` comment goes with it.

    Why:
        Both send `IS NULL`. The comparison reads like a mistake, linters complain, and who follows their advice and
        writes `is None` gets a condition that is False for every row.

    Example:
        ```python
        def without_isbn(session):
            return session.query(Book).filter(Book.isbn == None).all()  # noqa: E711
        ```

    Use instead:
        ```python
        def without_isbn(session):
            return session.query(Book).filter(Book.isbn.is_(None)).all()
        ```

    Fix safety:
        Safe for a column of a mapped class whose type compares as SQLAlchemy's own do. A report for hybrids, proxies,
        composites and columns whose type has its own comparison. Relationships are left alone, for `is_()` raises on
        them, and so are attributes of objects (`user.name == None`), which Python compares.

    References:
        - https://docs.sqlalchemy.org/en/20/core/operators.html#comparison-operators
    """

    code = "ALC213"
    names = ("None",)

    def find_Compare(self, node: ast.Compare, ctx: Context) -> Iterator[Finding]:
        """Looks at one comparison."""
        compared = ctx.ask(Comparisons).with_constant(node, ctx.path)
        if compared is None or compared.constant is not None or compared.kind not in _WORTH_SAYING:
            return
        sign, method = ("==", "is_") if compared.equal else ("!=", "is_not")
        message = f"{compared.label} {sign} None is said by {method}(None)"
        if compared.kind not in {"column", "boolean"}:
            message = f"{method}(None) may not be what {compared.label} {sign} None asks for"
            missing = f"how {compared.label} compares is not known"
            yield self.report(node, message, missing=missing, given=[compared.answer])
            return
        edit = swap(node, f"{{column}}.{method}(None)", drops_noqa=("E711",), column=compared.attribute)
        yield self.fix(node, message, edit, given=[compared.answer])


_WORTH_SAYING = frozenset({"column", "boolean", "custom", "other"})
