"""ALC202: a relationship read of each row of a query is loaded with the query."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from alchemod.edits.verbs import Code, Verb, add_argument, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.facts.gates import PRODUCING
from alchemod.facts.project import Project
from alchemod.inference.loading.loads import lazy_names
from alchemod.inference.loading.loop import Loading, Loop, RowLoop
from alchemod.inference.loading.verdict import Verdict


class LazyLoadInLoop(Rule):
    """Loads a relationship that a loop reads of each row together with the rows.

    What it does:
        Adds a loader option to the statement whose rows a loop or comprehension goes over, for each relationship that
        it reads of every row: `selectinload`, or `joinedload` for a many-to-one where the statement has nothing but
        filters and is sorted by the primary key. A statement that has options already gets the missing ones.

    Why:
        A relationship that is not loaded with its object sends a query when it is read, so a loop over 1,000 rows sends
        1,001. Under AsyncSession the read raises MissingGreenlet instead. `selectinload` sends one query more for all
        rows and leaves the statement alone; a join could change the order in which rows come that compare equal.

    Example:
        ```python
        def titles(session):
            books = session.query(Book).all()
            for book in books:
                print(book.title, book.author.name)
        ```

    Use instead:
        ```python
        def titles(session):
            books = session.query(Book).options(selectinload(Book.author)).all()
            for book in books:
                print(book.title, book.author.name)
        ```

    Fix safety:
        Safe when the rows are those of one entity, the relationship is read of each of them, and nothing is written
        between the query and the reads. Unsafe when only some rows are read, when a write may change what the
        relationship holds, when the statement is also used elsewhere or built on several ways, when its rows have
        several columns, and under AsyncSession. A report when the objects are expired, expunged or committed before the
        read, when a row gets to code that may look at what is loaded (`__dict__`, `vars`, an unknown callee), and where
        the options of the statement are not seen. What loads eagerly or raises by itself, dynamic relationships,
        wildcards, loader criteria and single objects are left alone. The order of a collection without `order_by` is
        the database's choice, before and after.

    References:
        - https://docs.sqlalchemy.org/en/20/orm/queryguide/relationships.html
        - https://docs.sqlalchemy.org/en/20/orm/extensions/asyncio.html#preventing-implicit-io-when-using-asyncsession
    """

    code = "ALC202"
    tokens = PRODUCING

    def names_from(self, project: Project) -> Iterable[str]:
        """The names of the relationships that load when they are read, those that backrefs make included."""
        return lazy_names(project.models)

    def find_For(self, node: Loop, ctx: Context) -> Iterator[Finding]:
        """Looks at one loop or comprehension."""
        for loop in ctx.row_loops(node):
            judged = [(loading, ctx.loading_verdict(loop, loading)) for loading in loop.loadings]
            for kind in ("safe", "unsafe", "report"):
                if alike := [(loading, verdict) for loading, verdict in judged if verdict.kind == kind]:
                    yield self._finding(loop, [loading for loading, _ in alike], alike[0][1], ctx)

    find_AsyncFor = find_ListComp = find_SetComp = find_DictComp = find_GeneratorExp = find_For

    def _finding(self, loop: RowLoop, loadings: list[Loading], verdict: Verdict, ctx: Context) -> Finding:
        message = _message(loop, loadings)
        if verdict.kind == "report":
            return self.report(loop.loop, message, missing=verdict.missing, given=[loop.answer])
        if ctx.overrides_query_method("options", loop.origin.statement):
            missing = "a query class of the project has its own options()"
            return self.report(loop.loop, message, missing=missing, given=[loop.answer])
        unsafe = verdict.missing or ctx.unseen_query_class(loop.origin.statement) or _pinned(loop, ctx)
        return self.fix(loop.loop, message, _edit(loop, loadings), given=[loop.answer], unsafe=unsafe)


def _message(loop: RowLoop, loadings: list[Loading]) -> str:
    *others, last = [loading.label for loading in loadings]
    labels = f"{', '.join(others)} and {last}" if others else last
    verb = "are" if others else "is"
    if loop.origin.is_async:
        return (
            f"{labels} {verb} not loaded with the rows, so reading {'them' if others else 'it'} raises MissingGreenlet"
        )
    return f"{labels} {verb} loaded row by row"


def _edit(loop: RowLoop, loadings: list[Loading]) -> Verb:
    holes: dict[str, Any] = {}
    options = []
    for index, loading in enumerate(loadings):
        assert loading.spelling is not None
        entity = f"entity{index}"
        holes[entity] = Code(loading.spelling.code)
        hole = f"{{{loading.spelling.imported}}}" if loading.spelling.imported else f"{{{entity}}}"
        options.append(f"{{sqlalchemy.orm.{loading.strategy}}}({hole}.{loading.name})")
    if loop.extended is not None:
        return add_argument(loop.extended, ", ".join(options), **holes)
    return swap(loop.origin.start, f"{{_}}.options({', '.join(options)})", **holes)


def _pinned(loop: RowLoop, ctx: Context) -> str | None:
    """Which test prepares on a mock the two calls that `options()` comes between."""
    if loop.extended is not None or loop.origin.statement.style != "query":
        return None
    following = loop.origin.behind_start[0][0] if loop.origin.behind_start else "all"
    return ctx.pinned("query", following)
