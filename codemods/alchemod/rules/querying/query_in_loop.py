"""ALC203: a query by key in each turn of a loop becomes a relationship read, or one query before the loop."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from alchemod.edits.verbs import Code, Verb, add_argument, insert, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.inference.loading.batches import Batch
from alchemod.inference.loading.insertion import Insertion, insertions
from alchemod.inference.loading.lookups import ENDINGS
from alchemod.inference.loading.loopqueries import LoopQueries, LoopQuery
from alchemod.inference.scoping.scopes import Body


class QueryInLoop(Rule):
    """Asks once for what a loop looks up row by row.

    What it does:
        Finds queries by key in the turns of a loop or comprehension, `session.get(Person, bill.payer_id)` or
        `session.query(Person).filter(Person.id == bill.payer_id).first()`. Where a relationship of the row leads to the
        same objects, it is read instead and loaded with the rows; else one `IN` query before the loop fills a
        dictionary. Counts by key, and queries that depend on the turn before, are reported.

    Why:
        A loop over 1,000 rows sends 1,000 queries, each of which waits for the database and comes back with one row.

    Example:
        ```python
        def names(session):
            books = session.query(Book).all()
            for book in books:
                print(session.query(Author).filter(Author.id == book.author_id).one().name)
        ```

    Use instead:
        ```python
        def names(session):
            books = session.query(Book).options(selectinload(Book.author)).all()
            for book in books:
                print(book.author.name)
        ```

    Fix safety:
        Unsafe: a query in a loop sees what is in the database at each turn, and where no row has the key a query by
        `one()` fails in another way. A report when something is written, committed or expired in the loop, when several
        rows may have the key, when the key is worked out in the loop, an item of a dictionary, or one of several that
        are compared, when the rows may be those of another session or come from a place that is not seen. Loops that
        poll, queries that are asked in the last turn only, and those that ask for many keys at once, are left alone.

    References:
        - https://docs.sqlalchemy.org/en/20/orm/queryguide/relationships.html
        - https://docs.sqlalchemy.org/en/20/core/sqlelement.html#sqlalchemy.sql.expression.ColumnElement.in_
    """

    code = "ALC203"
    names = tuple(ENDINGS)

    def find_FunctionDef(self, node: Body, ctx: Context) -> Iterator[Finding]:
        """Looks at one function, or at the code of a module outside of functions."""
        inside = ctx.inference.inside(ctx.path, node)
        for query in ctx.ask(LoopQueries).of(inside) if inside is not None else ():
            found = query.lookup
            message = f"{found.entity.model.name} is looked up by {ast.unparse(found.key)} in each turn"
            if query.obstacle:
                yield self.report(found.node, message, missing=query.obstacle, given=[found.answer])
            elif query.rows is not None:
                yield self._read(query, message, ctx)
            elif query.batch is not None:
                yield self._batched(query, query.batch, message, ctx)

    find_AsyncFunctionDef = find_Module = find_FunctionDef

    def _read(self, query: LoopQuery, message: str, ctx: Context) -> Finding:
        """The relationship is read, and loaded with the rows."""
        assert query.rows is not None
        assert query.relationship is not None
        name, rows = query.relationship.name, query.rows
        edits = [swap(query.whole, f"{{row}}.{name}", row=query.row)]
        placed = [_edit(insertion) for insertion in insertions(rows, rows.loadings)]
        home = rows.origin.place.module.path
        return self.fix(
            query.lookup.node, f"{message}, and {name} leads there", *edits, *(placed if home == ctx.path else ()),
            given=[query.lookup.answer, rows.answer], unsafe=_why(query),
            elsewhere=[(home, verb) for verb in placed] if home != ctx.path else (),
        )  # fmt: skip

    def _batched(self, query: LoopQuery, batch: Batch, message: str, ctx: Context) -> Finding:
        """One query before the loop fills a dictionary."""
        found = query.lookup
        taken = "[{key}]" if _raises(query) else ".get({key})"
        holes: dict[str, Any] = {
            "entity": Code(ast.unparse(found.entity.node) if found.entity.node else found.entity.model.name),
            "session": Code(ast.unparse(found.session)),
            "rows": Code(ctx.source.segment(batch.iterated).decode()),
        }
        edits: list[Verb] = [
            insert(batch.code, before=batch.before, **holes),
            swap(query.whole, f"{batch.name}{taken}", key=found.key),
        ]
        if batch.listed:
            edits.append(swap(batch.iterated, batch.listed))
        return self.fix(found.node, f"{message}; one query will do", *edits, given=[found.answer], unsafe=_why(query))


def _raises(query: LoopQuery) -> bool:
    return query.lookup.gives == "one_or_raises"


def _why(query: LoopQuery) -> str:
    if _raises(query):
        return "where no row has the key, another exception is raised, or none"
    return "what is written elsewhere during the loop is not seen"


def _edit(insertion: Insertion) -> Verb:
    holes: dict[str, Any] = {hole: Code(name) for hole, name in insertion.names.items()} | dict(insertion.nodes)
    if insertion.is_argument and isinstance(insertion.target, ast.Call):
        return add_argument(insertion.target, insertion.code, **holes)
    return swap(insertion.target, insertion.code, **holes)
