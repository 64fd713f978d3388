"""ALC210: objects that are filtered, sorted or added up in Python."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from alchemod.edits.verbs import Verb, dissolve, drop, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.inference.querying.postprocessing import LocalWork, Postprocessing
from alchemod.inference.querying.python_filters import PythonFilters
from alchemod.inference.scoping.scopes import Comprehension
from alchemod.inference.values import Place


class WorkDoneInPython(Rule):
    """Lets the database filter, sort and add up, where Python does it with fetched objects.

    What it does:
        Moves the condition of a comprehension, of a loop or of `filter()` over the objects of a query into the query,
        the key of `sorted()` into an `order_by()`, and `sum()`, `max()` and `min()` of a column into the query.

    Why:
        All rows are sent and made into objects, most of them to be dropped. The database does it where the rows are,
        with its indexes.

    Example:
        ```python
        def active(session):
            users = session.query(User)
            return [user.name for user in users.all() if user.active]


        def by_name(session):
            return sorted(session.query(User).all(), key=lambda user: user.name)
        ```

    Use instead:
        ```python
        def active(session):
            users = session.query(User)
            return [user.name for user in users.filter(User.active == true()).all()]


        def by_name(session):
            return session.query(User).order_by(User.name).all()
        ```

    Fix safety:
        Always unsafe: to the database NULL is neither equal nor unequal to anything, its collation decides about case
        and order, it may add numbers in another type, and the largest of no rows is NULL, where `max()` raises
        ValueError (the sum of none stays 0). A report where the condition or key is more than columns, and where the
        statement has a limit or another step behind which the work means something else. Conditions and keys that call
        methods, read properties, hybrids or relationships are left alone, and so are lists that are used whole too, or
        later than in the next statement, and loops whose turns change what the condition asks for.

    References:
        - https://docs.sqlalchemy.org/en/20/core/operators.html
        - https://docs.sqlalchemy.org/en/20/core/functions.html
    """

    code = "ALC210"
    names = ("query", "select", "scalars", "all", "fetchall", "sorted", "sum", "max", "min", "filter")

    def find_ListComp(self, loop: Comprehension | ast.For, ctx: Context) -> Iterator[Finding]:
        """Looks at one comprehension or loop."""
        if isinstance(loop, ast.For):
            tests = isinstance(loop.body[0], ast.If)
        else:
            tests = bool(loop.generators[0].ifs)
        place = ctx.place(loop) if tests else None
        work = ctx.ask(PythonFilters).of(loop, place) if place is not None else None
        if work is not None:
            yield self._judged(work)

    find_SetComp = find_DictComp = find_GeneratorExp = find_For = find_ListComp

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one call of a builtin over objects, or of what lists them."""
        work = None
        match call:
            case ast.Call(func=ast.Attribute(attr="all" | "fetchall"), args=[]):
                place = ctx.place(call)
                work = ctx.ask(PythonFilters).next_to(call, place) if place is not None else None
            case ast.Call(func=ast.Name(id="filter" | "sorted" | "sum" | "max" | "min" as name), args=[_, *_]):
                place = ctx.place(call)
                if place is not None and place.scope.owner(name) is None:
                    work = self._by_builtin(name, call, place, ctx)
        if work is not None:
            yield self._judged(work)

    def _by_builtin(self, name: str, call: ast.Call, place: Place, ctx: Context) -> LocalWork | None:
        area = ctx.ask(Postprocessing)
        if name == "filter":
            return ctx.ask(PythonFilters).of(call, place)
        return area.sorted_rows(call, place) if name == "sorted" else area.added_up(call, place)

    def _judged(self, work: LocalWork) -> Finding:
        message, unsafe = _SAID[work.work]
        given = [work.execution.answer]
        if work.missing:
            return self.report(work.node, message, missing=work.missing, given=given)
        return self.fix(work.node, message, *_edits(work), given=given, unsafe=unsafe)


_SAID = {
    "filter": ("objects are fetched and then filtered in Python", "the database compares NULL and text in its own way"),
    "sort": ("objects are fetched and then sorted in Python", "the database puts NULL and text in its own order"),
    "sum": ("objects are fetched to be added up in Python", "the database may add in another type"),
    "max": ("objects are fetched for the largest value of a column", "of no rows it is None, where max() raises"),
    "min": ("objects are fetched for the smallest value of a column", "of no rows it is None, where min() raises"),
}


def _edits(work: LocalWork) -> Iterator[Verb]:
    if work.template:
        yield swap(work.node, work.template, **work.holes)
    if work.statement is not None:
        is_guard = isinstance(work.statement.body[0], ast.Continue)
        yield drop(work.statement) if is_guard else dissolve(work.statement)
    if work.step:
        yield swap(work.execution.query, work.step, **work.filling)
