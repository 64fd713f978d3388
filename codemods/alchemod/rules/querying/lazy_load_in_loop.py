"""ALC202: a relationship read of each row of a query is loaded with the query."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from alchemod.edits.verbs import Code, Verb, add_argument, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.facts.project import Project
from alchemod.inference.loading.given import RowsOfCallers
from alchemod.inference.loading.insertion import Insertion, insertions
from alchemod.inference.loading.loads import ASKING, RowLoops, lazy_names
from alchemod.inference.loading.loop import Loading, RowLoop, reached
from alchemod.inference.loading.verdict import Verdict
from alchemod.inference.scoping.scopes import Body
from alchemod.inference.values import Place


class LazyLoadInLoop(Rule):
    """Loads a relationship that a loop reads of each row together with the rows.

    What it does:
        Adds a loader option to the statement whose rows a loop goes over, for each relationship that is read of the
        rows or of what they lead to: by the loop itself, also where they were put into lists and dictionaries before or
        are kept by an object, by methods and properties of the model, by functions that get the rows, by pydantic
        schemas (`model_validate`, a response model of FastAPI) and Jinja templates of the project. It is
        `selectinload`; `joinedload` for a many-to-one where the statement has nothing but filters and is sorted by the
        primary key; `contains_eager` for one that the statement joins. A statement that has options already gets the
        missing ones, in the function that asks for the rows, wherever that is. A relationship that is
        read for nothing but its key becomes a read of the foreign key column.

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
        several columns, when the read lies in other code or is more than one relationship away, and under AsyncSession.
        A report when the objects are expired, expunged or committed before the read, when a row gets to code that may
        look at what is loaded (`__dict__`, `vars`, an unknown callee) or that goes on from row to row, where
        marshmallow or GraphQL decides what is read, where a template cannot be read, and where the options of the
        statement are not seen. What loads eagerly or raises by itself, dynamic relationships,
        wildcards, loader criteria and single objects are left alone. The order of a collection without `order_by` is
        the database's choice, before and after.

    References:
        - https://docs.sqlalchemy.org/en/20/orm/queryguide/relationships.html
        - https://docs.sqlalchemy.org/en/20/orm/extensions/asyncio.html#preventing-implicit-io-when-using-asyncsession
    """

    code = "ALC202"

    def names_from(self, project: Project) -> Iterable[str]:
        """The methods that ask for rows, the functions of the project that may give some, and what may load in them."""
        lazy = set(lazy_names(project.models))
        return {*ASKING, *project.givers.names, *project.givers.keeping, *lazy} if lazy else ()

    def find_FunctionDef(self, node: Body, ctx: Context) -> Iterator[Finding]:
        """Looks at one function, or at the code of a module outside of functions."""
        inside = ctx.inference.inside(ctx.path, node)
        if inside is None:
            return
        yield from self._given(inside, ctx)
        loops = ctx.ask(RowLoops)
        for loop in loops.of(inside):
            judged = [(loading, loops.verdict(loop, loading)) for loading in loop.loadings]
            yield from (self._keyed(loop, *pair) for pair in judged if pair[0].key_reads)
            judged = [pair for pair in judged if not pair[0].key_reads]
            for kind in ("safe", "unsafe", "report"):
                if alike := [(loading, verdict) for loading, verdict in judged if verdict.kind == kind]:
                    yield self._finding(loop, [loading for loading, _ in alike], alike[0][1], ctx)

    def _given(self, inside: Place, ctx: Context) -> Iterator[Finding]:
        """Rows that come from callers of which not all are seen."""
        for rows in ctx.ask(RowsOfCallers).of(inside):
            missing = f"{rows.parameter} comes from the callers, and not all of them are seen"
            yield self.report(rows.node, _said(rows.labels, "loaded row by row"), missing=missing, given=[rows.answer])

    find_AsyncFunctionDef = find_Module = find_FunctionDef

    def _keyed(self, loop: RowLoop, loading: Loading, verdict: Verdict) -> Finding:
        column = loading.key_reads[0].column
        has_it = f"{loading.entity.model.name}.{column}"
        message = f"{loading.label} is loaded row by row for nothing but its key, which {has_it} has"
        if verdict.kind == "report":
            return self.report(loop.node, message, missing=verdict.missing, given=[loop.answer])
        edits = [swap(read.node, f"{{row}}.{column}", row=read.row) for read in loading.key_reads]
        return self.fix(loop.node, message, *edits, given=[loop.answer], unsafe=verdict.missing)

    def _finding(self, loop: RowLoop, loadings: list[Loading], verdict: Verdict, ctx: Context) -> Finding:
        message = _message(loop, loadings)
        given = [reached(loop, loadings)]
        if verdict.kind == "report":
            return self.report(loop.node, message, missing=verdict.missing, given=given)
        if ctx.overrides_query_method("options", loop.origin.statement):
            missing = "a query class of the project has its own options()"
            return self.report(loop.node, message, missing=missing, given=given)
        unsafe = verdict.missing or ctx.unseen_query_class(loop.origin.statement) or _pinned(loop, ctx)
        edits = [_edit(insertion) for insertion in insertions(loop, loadings)]
        home = loop.origin.place.module.path
        if home == ctx.path:
            return self.fix(loop.node, message, *edits, given=given, unsafe=unsafe)
        return self.fix(loop.node, message, given=given, unsafe=unsafe, elsewhere=[(home, edit) for edit in edits])


def _message(loop: RowLoop, loadings: list[Loading]) -> str:
    labels = list(dict.fromkeys(loading.label for loading in loadings))
    if loop.origin.is_async:
        them = "them" if len(labels) > 1 else "it"
        return _said(labels, f"not loaded with the rows, so reading {them} raises MissingGreenlet")
    return _said(labels, "loaded row by row")


def _said(labels: Sequence[str], what: str) -> str:
    *others, last = labels
    return f"{', '.join(others)} and {last} are {what}" if others else f"{last} is {what}"


def _edit(insertion: Insertion) -> Verb:
    holes: dict[str, Any] = {hole: Code(name) for hole, name in insertion.names.items()} | dict(insertion.nodes)
    if insertion.is_argument and isinstance(insertion.target, ast.Call):
        return add_argument(insertion.target, insertion.code, **holes)
    return swap(insertion.target, insertion.code, **holes)


def _pinned(loop: RowLoop, ctx: Context) -> str | None:
    """Which test prepares on a mock the two calls that `options()` comes between."""
    if loop.extended is not None or loop.origin.statement.style != "query":
        return None
    following = loop.origin.behind_start[0][0] if loop.origin.behind_start else "all"
    return ctx.pinned("query", following)
