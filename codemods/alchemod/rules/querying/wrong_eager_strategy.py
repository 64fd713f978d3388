"""ALC204: collections are loaded by a join, or by a subquery, where a second query is better."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from alchemod.edits.verbs import Verb, rename, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.inference.loading.eager import EagerLoading, EagerOption

_BY_DEFAULT = frozenset({"joined", "subquery", False})


class WrongEagerStrategy(Rule):
    """Loads collections with `selectinload` where a join or a subquery costs more.

    What it does:
        Turns `joinedload` of a collection into `selectinload` where the statement asks for some rows only (`limit()`,
        `offset()`, `first()`, a slice), or joins another collection beside it; and `subqueryload` into `selectinload`
        everywhere. A collection that its model loads by `lazy="joined"`, `lazy="subquery"` or `lazy=False` is reported.

    Why:
        A joined collection repeats its row once for each element, two of them once for each pair; a limit then needs a
        subquery around the whole. `subqueryload` runs the original statement again inside its own. `selectinload` asks
        for the elements by the keys of the rows that came. What a model loads by default, every query for it loads.

    Example:
        ```python
        def page(session):
            return session.query(Author).options(joinedload(Author.books)).limit(20).all()
        ```

    Use instead:
        ```python
        def page(session):
            return session.query(Author).options(selectinload(Author.books)).limit(20).all()
        ```

    Fix safety:
        Unsafe: the rows are the same, but number and shape of the statements change, and a second statement sees what
        was committed in between. A report for what the model says, since every query for it would change, and for
        keys of several columns, which not every database can compare in one list. `joinedload` of a many-to-one and
        `contains_eager` are left alone.

    References:
        - https://docs.sqlalchemy.org/en/20/orm/queryguide/relationships.html#what-kind-of-loading-to-use
        - https://docs.sqlalchemy.org/en/20/orm/queryguide/relationships.html#subquery-eager-loading
    """

    code = "ALC204"
    names = ("joinedload", "subqueryload", "relationship")

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one loader option, or at the declaration of one relationship."""
        loading = ctx.ask(EagerLoading)
        if (lazy := _lazy(call)) is not None:
            if (found := loading.by_default(ctx.path, call)) is not None:
                model, relationship = found
                message = f"{model.name}.{relationship.name} loads with every {model.name}"
                yield self.report(lazy, message, missing="what each query needs is not known; say it there")
            return
        option = loading.option(ctx.path, call)
        why = _why(option) if option is not None else None
        if option is None or why is None:
            return
        if option.composite:
            missing = "selectinload compares a key of several columns, which not every database can"
            yield self.report(call, why, missing=missing, given=[option.answer])
            return
        unsafe = "selectinload sends a statement of its own"
        yield self.fix(call, why, _edit(call, option), given=[option.answer], unsafe=unsafe)


def _lazy(call: ast.Call) -> ast.keyword | None:
    """The `lazy=` of a relationship that loads it with its class."""
    for keyword in call.keywords:
        if keyword.arg == "lazy" and isinstance(keyword.value, ast.Constant) and keyword.value.value in _BY_DEFAULT:
            return keyword
    return None


def _why(option: EagerOption) -> str | None:
    if option.loader == "subqueryload":
        return f"subqueryload runs the statement again to load {option.label}"
    if not option.many:
        return None
    if option.limited:
        return f"{option.limited} wraps the statement in a subquery, because {option.label} is joined"
    if option.beside:
        return f"{option.label} is joined beside {' and '.join(option.beside)}, so that their rows multiply"
    return None


def _edit(call: ast.Call, option: EagerOption) -> Verb:
    if option.is_link:
        return rename(call.func, "selectinload")
    return swap(call.func, "{sqlalchemy.orm.selectinload}")
