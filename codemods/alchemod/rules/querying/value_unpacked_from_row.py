"""ALC207: rows of one column that are taken apart by hand become scalars."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from alchemod.edits.verbs import Verb, drop, rename, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.inference.querying.iteration import Iteration
from alchemod.inference.querying.unpacking import UnpackedRow, UnpackedRows, Unpackings
from alchemod.inference.scoping.scopes import Comprehension
from alchemod.inference.uses.usage import Usage


class ValueUnpackedFromRow(Rule):
    """Asks for the values of a column, where rows of one column are taken apart by hand.

    What it does:
        Replaces `[row[0] for row in session.query(Entity.column).all()]` by `session.scalars(select(...)).all()`, and
        `.first()[0]` and `.one()[0]` of a statement that gives one value by `scalar()` or `scalar_one()`.

    Why:
        `scalars()` gives the values themselves. Code that unpacks rows says three times how many columns there are, and
        breaks when one is added.

    Example:
        ```python
        def names(session: Session):
            return [row[0] for row in session.query(User.name).filter(User.active).all()]


        def newest(session: Session):
            return session.query(func.max(User.id)).first()[0]
        ```

    Use instead:
        ```python
        def names(session: Session):
            return session.scalars(select(User.name).filter(User.active)).all()


        def newest(session: Session):
            return session.query(func.max(User.id)).scalar()
        ```

    Fix safety:
        Safe for rows of one column of which nothing else is read, whose statement a `select` says in the same words,
        sent by what is known to be a session; for the only row of an aggregate without GROUP BY; and for
        `execute(...).one()[0]`. Unsafe where the session is not known, where a hook may change queries, where a test
        prepares the call on a mock, and for `one()` of a Query, whose `scalar()` gives None where there is no row. A
        report for `first()[0]` and `first().column`: there `None` would come where an exception does.

    References:
        - https://docs.sqlalchemy.org/en/20/orm/queryguide/select.html#selecting-individual-attributes
        - https://docs.sqlalchemy.org/en/20/core/connections.html#sqlalchemy.engine.Result.scalar_one
    """

    code = "ALC207"
    names = ("query", "select", "execute", "all", "first", "one", "fetchall", "fetchone")
    yields_to = ("ALC702",)

    def find_ListComp(self, loop: Comprehension, ctx: Context) -> Iterator[Finding]:
        """Looks at one comprehension."""
        place = ctx.place(loop)
        found = ctx.ask(Unpackings).of_rows(loop, place) if place is not None else None
        if found is not None and found.iteration.uses is None:
            yield self._rows(found, ctx)

    find_SetComp = find_DictComp = find_GeneratorExp = find_ListComp

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one call that gives rows to a variable, or one row to what stands behind it."""
        place = ctx.place(call) if isinstance(call.func, ast.Attribute) and not call.args else None
        if place is None:
            return
        parent = ctx.ask(Usage).around(place).get(call)
        if isinstance(parent, ast.Subscript | ast.Attribute):
            if (row := ctx.ask(Unpackings).of_row(parent, place)) is not None:
                yield self._row(parent, row)
        elif isinstance(parent, ast.Assign) and (held := ctx.ask(Unpackings).of_variable(call, place)) is not None:
            yield self._rows(held, ctx)

    def _rows(self, found: UnpackedRows, ctx: Context) -> Finding:
        message = "rows of one column are taken apart by hand; scalars() gives the values"
        given = [found.iteration.execution.answer]
        edits = _edits(found, _assigned_to_itself(found, ctx), direct=ctx.project.versions.allows("1.4.24"))
        return self.fix(found.iteration.loop, message, *edits, given=given, unsafe=found.doubt)

    def _row(self, node: ast.Subscript | ast.Attribute, found: UnpackedRow) -> Finding:
        given = [found.execution.answer]
        if found.way is None:
            message = f"a row is fetched for {found.label or 'its only value'} alone"
            return self.report(node, message, missing=found.missing, given=given, level="note")
        message = f"a row is fetched for its only value, which {found.way.partition('.')[0]}() gives"
        return self.fix(node, message, _of_row(node, found), given=given, unsafe=found.doubt)


def _of_row(node: ast.Subscript | ast.Attribute, found: UnpackedRow) -> Verb:
    execution = found.execution
    if found.way == "with_entities":
        template = "{query}.with_entities({entity}.{column}).scalar()"
        assert isinstance(node, ast.Attribute)
        return swap(node, template, query=execution.query, entity=found.column, column=node.attr)
    if found.way == "scalar" and execution.path == ("execute",) and not execution.has_arguments:
        awaits = "await " if execution.is_async else ""
        return swap(
            node, f"{awaits}{{session}}.scalar({{statement}})", session=execution.session, statement=execution.query
        )
    return swap(node, f"{{result}}.{found.way}()", result=found.result)


def _assigned_to_itself(found: UnpackedRows, ctx: Context) -> ast.Assign | None:
    """The statement that gives the variable of the rows their values, and would give it itself: `rows = rows`."""
    loop, rows = found.iteration.loop, found.iteration.clause.iter
    place = ctx.place(loop)
    statement = ctx.ask(Usage).around(place).get(loop) if place is not None else None
    match statement, rows:
        case ast.Assign(targets=[ast.Name(id=target)]), ast.Name(id=name) if target == name:
            has_rows = found.iteration.uses is not None and found.iteration.is_last
            return statement if has_rows and isinstance(loop, ast.ListComp) else None
    return None


def _edits(found: UnpackedRows, needless: ast.Assign | None, *, direct: bool) -> Iterator[Verb]:
    """The edits for rows in a comprehension. `direct`: sessions have `scalars()`, which came with 1.4.24."""
    iteration = found.iteration
    source, holes = "{source}", {"source": iteration.source}
    if found.beginning is not None:
        begun, select = found.beginning, "{sqlalchemy.select}({column})"
        query = select if begun.call is iteration.execution.query else "{query}"
        sends = f"{{session}}.scalars({query})" if direct else f"{{session}}.execute({query}).scalars()"
        source = f"{sends}.all()" if iteration.execution.taken else sends
        holes = {"session": begun.session, "query": iteration.execution.query, "column": begun.call.args[0]}
        if query != select:
            yield swap(begun.call, select, column=begun.call.args[0])
    else:
        yield _sent(iteration, direct=direct)
    yield from _loop(iteration, source, holes, needless)


def _sent(iteration: Iteration, *, direct: bool) -> Verb:
    execution = iteration.execution
    assert execution.sent is not None
    assert execution.result is not None
    return rename(execution.sent.func, "scalars") if direct else swap(execution.result, "{_}.scalars()")


def _loop(iteration: Iteration, source: str, holes: dict[str, Any], needless: ast.Assign | None) -> Iterator[Verb]:
    """The edits of the comprehension, and of what it goes over where that is another expression."""
    loop, listed = iteration.loop, source.endswith(".all()") or iteration.execution.taken
    is_query = iteration.execution.session is None
    if iteration.uses is not None:
        if is_query:
            yield swap(iteration.source, source, **holes)
        source, holes, listed = "{rows}", {"rows": iteration.clause.iter}, True
    if iteration.is_bare and needless is not None:
        yield drop(needless)
        return
    if iteration.is_bare and isinstance(loop, ast.ListComp):
        given = source if listed else f"{source}.all()"
        yield swap(loop, given if iteration.is_last else f"list({given})", **holes)
        return
    if iteration.is_bare and isinstance(loop, ast.SetComp):
        yield swap(loop, f"set({source})", **holes)
        return
    if is_query and iteration.uses is None:
        yield swap(iteration.source, source, **holes)
    assert iteration.target is not None
    if iteration.unpacks:
        yield swap(iteration.clause.target, "{row}", row=iteration.target.id)
    for read in iteration.reads or ():
        if not iteration.unpacks:
            yield swap(read.node, "{row}", row=iteration.target.id)
