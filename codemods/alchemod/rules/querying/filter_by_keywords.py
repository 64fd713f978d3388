"""ALC201: `filter_by(name=value)` becomes an expression on the entity it speaks of."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from alchemod.edits.verbs import rename, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.keyword_terms import code_of, doubt, keys_of, terms, verb_of
from alchemod.engine.rule import Rule
from alchemod.inference.querying.filtering import FilteredEntity
from alchemod.inference.values import Statement


class FilterByKeywords(Rule):
    """Turns the keywords of `filter_by()` into expressions.

    What it does:
        Replaces `filter_by(name=value)` by `filter(Entity.name == value)` (`where` for a `select`), where `Entity` is
        the class the keywords really speak of: the last joined one, else that of `select_from()`, else that of the
        first column.

    Why:
        The keywords hide which class they speak of. After a join that is the joined class, not the first one, and for
        `select` SQLAlchemy 2.1 looks in all of them. Type checkers and searches do not see the names.

    Example:
        ```python
        def members(session, name):
            query = session.query(User).join(User.addresses)
            return query.filter_by(email=name, checked=True).all()
        ```

    Use instead:
        ```python
        def members(session, name):
            query = session.query(User).join(User.addresses)
            return query.filter(Address.email == name, Address.checked == true()).all()
        ```

    Fix safety:
        Safe when one mapped class of the project reaches the call on all paths and can be written there. Unsafe after
        an outer join (rows without a partner fall away, as before), on a dynamic relationship, when the class is only
        known at run time, when it has to be imported first, when a base of your query class is not seen, and when a
        test prepares the call on a mock. A report when the entity is not known, and for a `select` with a join when the
        project allows SQLAlchemy 2.1. Calls with `**keywords` and methods of your own classes called `filter_by` are
        left alone. None and booleans keep `==` where the type of the column may compare in its own way.

    References:
        - https://docs.sqlalchemy.org/en/20/orm/queryguide/select.html
        - https://docs.sqlalchemy.org/en/21/changelog/whatsnew_21.html
    """

    code = "ALC201"
    names = ("filter_by",)
    yields_to = ("MIG501",)

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterable[Finding]:
        """Looks at one call of a `filter_by` method."""
        match call:
            case ast.Call(func=ast.Attribute() as method, args=[], keywords=keywords):
                pass
            case ast.Call(func=ast.Attribute()):
                yield from self._positional(call, ctx)
                return
            case _:
                return
        if any(keyword.arg is None for keyword in keywords):
            return
        filtered = ctx.filtered_entity(call)
        if filtered is None or ctx.overrides_query_method("filter_by", filtered.statement):
            return
        if not keywords:
            message = "filter_by() without keywords does nothing"
            edit = swap(call, "{query}", query=method.value)
            unsafe = ctx.unseen_query_class(filtered.statement) or _pinned(filtered.statement, ctx)
            yield self.fix(call, message, edit, given=[filtered.answer], unsafe=unsafe)
            return
        yield self._judged(call, method, filtered, ctx)

    def _positional(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        filtered = ctx.filtered_entity(call)
        if filtered is not None and not ctx.overrides_query_method("filter_by", filtered.statement):
            message = "filter_by() takes keywords only: this call raises TypeError; filter() takes expressions"
            yield self.report(call, message, level="error")

    def _judged(self, call: ast.Call, method: ast.Attribute, filtered: FilteredEntity, ctx: Context) -> Finding:
        given = [filtered.answer]
        code = code_of(filtered)
        if code is None:
            message = "filter_by() hides which class its keywords speak of"
            return self.report(call, message, missing=filtered.missing, given=given)
        message = f"filter_by() hides that its keywords speak of {code}"
        for key in keys_of(call):
            kind = ctx.key_kind(filtered.entity, key) if filtered.entity is not None else "unknown"
            owner = filtered.entity.model.name if filtered.entity is not None else code
            if kind == "property":
                wrong = f"{owner}.{key} is no column: filter_by({key}=...) decides the same for every row"
                return self.report(call, wrong, given=given, level="error")
            if kind == "absent":
                return self.report(call, message, missing=f"no attribute {key} of {owner} is seen", given=given)
        if missing := ctx.looked_for_elsewhere(filtered, keys_of(call)):
            return self.report(call, message, missing=missing, given=given)
        if filtered.spelling is not None and filtered.spelling.cycle:
            missing = f"importing {filtered.spelling.code} here would close a circle of imports"
            return self.report(call, message, missing=missing, given=given)
        edits = [rename(method, verb_of(filtered)), *terms(call, filtered, code, ctx)]
        unsafe = doubt(filtered) or ctx.unseen_query_class(filtered.statement) or _pinned(filtered.statement, ctx)
        return self.fix(call, message, *edits, given=given, unsafe=unsafe or None)


def _pinned(statement: Statement, ctx: Context) -> str | None:
    """Which test prepares the call on a mock; no mock stands for a select, update or delete construct."""
    if statement.style != "query":
        return None
    steps = [name for name, _ in statement.steps]
    return ctx.pinned(*([] if statement.dynamic else ["query"]), *steps, "filter_by")
