"""ALC206: objects that are loaded although only columns of them are used."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from alchemod.edits.verbs import Verb, rename, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.facts.module import last_name
from alchemod.inference.querying.iteration import Loop
from alchemod.inference.querying.projection import Projection, Projections
from alchemod.inference.uses.usage import Usage
from alchemod.inference.values import Place


class EntitiesLoadedForColumns(Rule):
    """Selects the columns that are used, where whole objects are loaded for them.

    What it does:
        Replaces `[x.column for x in session.query(Entity).all()]` by a query for the column, and so for sets, dicts and
        loops that collect columns. Where such a list is built for `in_()`, the query itself is put there.

    Why:
        An object takes all columns of its table from the database, a place in the session, and many times the memory of
        the values that are used.

    Example:
        ```python
        def ids(session):
            return [user.id for user in session.query(User).filter(User.active).all()]
        ```

    Use instead:
        ```python
        def ids(session):
            return [user.id for user in session.query(User.id).filter(User.active).all()]
        ```

    Fix safety:
        Safe for a list or set of columns of one class without inheritance, whose statement has neither joins nor
        options nor distinct (a Query gives each object once, columns as often as they come), and where no change that
        is not flushed can be expected back: only keys are read, or autoflush is on in the project and the function has
        changed nothing before. Unsafe for dicts (of equal keys the last one wins, before and after), for loops, for
        subqueries in `in_()`, where a hook may change queries or code runs when objects are loaded, and where a test
        prepares the call on a mock. A report for lists of dicts: `load_only()` keeps the objects. Objects that are
        used otherwise, deferred columns, hybrids, properties and mutable values are left alone.

    References:
        - https://docs.sqlalchemy.org/en/20/orm/queryguide/select.html#selecting-individual-attributes
        - https://docs.sqlalchemy.org/en/20/orm/queryguide/columns.html#using-load-only-to-reduce-loaded-columns
    """

    code = "ALC206"
    names = ("query", "select", "execute", "scalars", "all")
    yields_to = ("ALC210",)

    def find_ListComp(self, loop: Loop, ctx: Context) -> Iterator[Finding]:
        """Looks at one loop or comprehension."""
        place = ctx.place(loop)
        found = ctx.ask(Projections).of(loop, place) if place is not None else None
        if place is not None and found is not None and found.iteration.uses is None:
            yield from self._judged(found, place, ctx)

    find_SetComp = find_DictComp = find_GeneratorExp = find_For = find_ListComp

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one call that gives objects to a variable."""
        place = ctx.place(call) if isinstance(call.func, ast.Attribute) and call.func.attr == "all" else None
        if place is None:
            return
        around = ctx.ask(Usage).around(place)
        if not isinstance(around.get(call), ast.Assign):
            return
        for use in ctx.ask(Usage).of(call, place).every:
            loop = around.get(use.node) if isinstance(use.node, ast.comprehension) else use.node
            if use.kind == "iterated" and isinstance(
                loop, ast.For | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
            ):
                found = ctx.ask(Projections).of(loop, place)
                if found is not None and found.iteration.source is call:
                    yield from self._judged(found, place, ctx)

    def _judged(self, found: Projection, place: Place, ctx: Context) -> Iterator[Finding]:
        iteration, loop = found.iteration, found.iteration.loop
        *others, last = (f"{found.entity}.{column}" for column in found.columns)
        shown = f"{', '.join(others)} and {last}" if others else last
        message = f"whole objects are loaded, and nothing but {shown} is used"
        given = [iteration.execution.answer]
        if isinstance(loop, ast.For) and not _collects(loop):
            return
        if not isinstance(loop, ast.For | ast.DictComp) and isinstance(loop.elt, ast.Dict):
            missing = f"options(load_only({', '.join(f'{found.entity}.{name}' for name in found.columns)})) may do"
            yield self.report(loop, message, missing=missing, given=given)
        elif (compared := _compared(found)) is not None:
            yield self.fix(loop, message, *compared, given=given, unsafe="the values are compared in a subquery")
        else:
            unsafe = found.doubt or _unsafe(found)
            yield self.fix(loop, message, *_edits(found, place, ctx), given=given, unsafe=unsafe)


def _collects(loop: ast.For) -> bool:
    """Whether a loop does nothing but put what it reads somewhere."""
    match loop.body:
        case [ast.Expr(value=ast.Call(func=ast.Attribute(attr="append" | "add" | "extend" | "update")))]:
            return True
        case [ast.Assign(targets=[ast.Subscript()]) | ast.AugAssign()]:
            return True
    return False


def _unsafe(found: Projection) -> str | None:
    loop = found.iteration.loop
    if isinstance(loop, ast.For):
        return "what the loop puts together may be used while it runs"
    if isinstance(loop, ast.DictComp) or (isinstance(found.around, ast.Call) and last_name(found.around) == "dict"):
        return "of equal keys the last one wins, in the order in which the rows come"
    return None


def _compared(found: Projection) -> list[Verb] | None:
    """The edits that put the statement itself into `in_()`, where the loop builds a list for it."""
    iteration, around = found.iteration, found.around
    if not (isinstance(around, ast.Call) and last_name(around) in _IN and iteration.is_bare and iteration.uses is None):
        return None
    query = iteration.execution.query
    if found.begin is None:
        return [swap(iteration.loop, f"{{query}}.{_narrowing(found)}", query=query, entity=found.entity)]
    if found.begin is query:
        return [swap(iteration.loop, _narrowed(found), callee=found.begin.func, entity=found.entity)]
    narrowed = swap(found.begin, _narrowed(found), callee=found.begin.func, entity=found.entity)
    return [narrowed, swap(iteration.loop, "{query}", query=query)]


_IN = frozenset({"in_", "not_in", "notin_"})


def _columns(found: Projection) -> str:
    return ", ".join(f"{{entity}}.{column}" for column in found.columns)


def _narrowed(found: Projection) -> str:
    """The beginning of the statement with the columns in the place of the class."""
    return f"{{callee}}({_columns(found)})"


def _narrowing(found: Projection) -> str:
    """The method that replaces what a statement gives."""
    method = "with_entities" if found.statement.style == "query" else "with_only_columns"
    return f"{method}({_columns(found)})"


def _edits(found: Projection, place: Place, ctx: Context) -> Iterator[Verb]:
    iteration = found.iteration
    if found.begin is not None:
        yield swap(found.begin, _narrowed(found), callee=found.begin.func, entity=found.entity)
    else:
        yield swap(iteration.execution.query, f"{{_}}.{_narrowing(found)}", entity=found.entity)
    if found.statement.style == "query":
        return
    if len(found.columns) > 1:
        yield from _rows(found, place, ctx)
        return
    loop, source = iteration.loop, iteration.source if iteration.uses is None else iteration.clause.iter
    if iteration.is_bare and isinstance(loop, ast.ListComp):
        given = "{source}" if iteration.execution.taken else "{source}.all()"
        yield swap(loop, given if iteration.is_last else f"list({given})", source=source)
    elif iteration.is_bare and isinstance(loop, ast.SetComp):
        yield swap(loop, "set({source})", source=source)
    else:
        for read in iteration.reads or ():
            yield swap(read.node, "{row}", row=iteration.target.id)  # type: ignore[union-attr]


def _rows(found: Projection, place: Place, ctx: Context) -> Iterator[Verb]:
    """The edits that make a select of several columns give rows, not the first of them."""
    execution = found.iteration.execution
    assert execution.sent is not None
    if execution.path == ("scalars",):
        yield rename(execution.sent.func, "execute")
    else:
        around = ctx.ask(Usage).around(place)
        assert execution.result is not None
        method = around.get(execution.result)
        scalars = around.get(method) if method is not None else None
        assert isinstance(scalars, ast.Call)
        yield swap(scalars, "{result}", result=execution.result)
