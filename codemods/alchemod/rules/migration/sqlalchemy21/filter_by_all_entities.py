"""MIG501: `filter_by()` on a statement of several classes, which SQLAlchemy 2.1 looks through all of."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from alchemod.edits.verbs import rename
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.keyword_terms import code_of, doubt, keys_of, terms, verb_of
from alchemod.engine.rule import Rule
from alchemod.inference.querying.filtering import speaks_of_several


class FilterByAllEntities(Rule):
    """Names the class that `filter_by()` of a `select`, `update` or `delete` speaks of up to SQLAlchemy 2.0.

    What it does:
        Replaces `select(User).join(Address).filter_by(email=...)` by `select(User).join(Address).where(Address.email ==
        ...)`, where the statement has several classes.

    Why:
        Up to 2.0 the keywords speak of the class that was joined last. SQLAlchemy 2.1 looks in all classes of the
        statement: a name that two of them have raises AmbiguousColumnError, and one that only another has is found
        there.

    Example:
        ```python
        def of_address(key):
            return select(User).join(User.addresses).filter_by(id=key)
        ```

    Use instead:
        ```python
        def of_address(key):
            return select(User).join(User.addresses).where(Address.id == key)
        ```

    Fix safety:
        Safe when the class is proved and can be written there. Unsafe when it has to be imported, or behind an outer
        join. A report for `**keywords` and for classes that are not seen. Legacy queries, and statements of one class,
        mean the same in all versions and are left alone.

    References:
        - https://docs.sqlalchemy.org/en/21/changelog/whatsnew_21.html
        - https://docs.sqlalchemy.org/en/21/core/selectable.html#sqlalchemy.sql.expression.Select.filter_by
    """

    code = "MIG501"
    names = ("filter_by",)
    since = "2.1"

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one call of `filter_by`."""
        match call:
            case ast.Call(func=ast.Attribute() as method, args=[], keywords=[_, *_]):
                filtered = ctx.filtered_entity(call)
            case _:
                return
        if filtered is None or filtered.statement.style not in {"select", "update", "delete"}:
            return
        if not speaks_of_several(filtered.statement, filtered.entity, ctx.inference.resolver):
            return
        given = [filtered.answer]
        message = "SQLAlchemy 2.1 looks for these keywords in all classes of the statement, 2.0 in one"
        code = code_of(filtered)
        if code is None or any(keyword.arg is None for keyword in call.keywords):
            missing = filtered.missing or "which names the keywords have"
            yield self.report(call, message, missing=missing, given=given)
            return
        message = f"{message}, {code}"
        if any(
            ctx.key_kind(filtered.entity, key) in {"absent", "property"} for key in keys_of(call) if filtered.entity
        ):
            yield self.report(call, message, missing=f"not all names are columns of {code}", given=given)
        elif filtered.spelling is not None and filtered.spelling.cycle:
            missing = f"importing {code} here would close a circle of imports"
            yield self.report(call, message, missing=missing, given=given)
        else:
            edits = [rename(method, verb_of(filtered)), *terms(call, filtered, code, ctx)]
            yield self.fix(call, message, *edits, given=given, unsafe=doubt(filtered))
