"""ALC214: `column == True` becomes `column == true()`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from alchemod.edits.verbs import swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.inference.querying.comparisons import Comparisons


class EqualsBoolean(Rule):
    """Says `true()` and `false()` where a Boolean column is compared with True or False.

    What it does:
        Replaces `Entity.column == True` by `Entity.column == true()`, and so for False and `!=`. An `E712` in a `noqa`
        comment goes with it.

    Why:
        Linters complain about a comparison with True, and who follows their advice and writes `is True` gets a
        condition that is False for every row. `true()` is SQLAlchemy's constant: it sends what True sends, to every
        database.

    Example:
        ```python
        def active(session):
            return session.query(User).filter(User.active == True).all()  # noqa: E712
        ```

    Use instead:
        ```python
        def active(session):
            return session.query(User).filter(User.active == true()).all()
        ```

    Fix safety:
        Safe: only columns of SQLAlchemy's Boolean are touched, and the SQL stays the same. `.is_(True)` is not written,
        for `IS 1` is no SQL on SQL Server and Oracle, and neither are `Entity.column` and `~Entity.column`, which other
        types take otherwise. Hybrids, columns of other types and attributes of objects (`user.active == True`) are left
        alone.

    References:
        - https://docs.sqlalchemy.org/en/20/core/sqlelement.html#sqlalchemy.sql.expression.true
    """

    code = "ALC214"
    names = ("True", "False")

    def find_Compare(self, node: ast.Compare, ctx: Context) -> Iterator[Finding]:
        """Looks at one comparison."""
        compared = ctx.ask(Comparisons).with_constant(node, ctx.path)
        if compared is None or compared.constant is None or compared.kind != "boolean":
            return
        sign = "==" if compared.equal else "!="
        constant = str(compared.constant)
        message = f"{compared.label} {sign} {constant} is said by {sign} {constant.lower()}()"
        template = f"{{column}} {sign} {{sqlalchemy.{constant.lower()}}}()"
        edit = swap(node, template, drops_noqa=("E712",), column=compared.attribute)
        yield self.fix(node, message, edit, given=[compared.answer])
