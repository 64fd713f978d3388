"""ALC210: objects that are filtered, sorted or added up in Python."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from alchemod.edits.verbs import Verb, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.inference.querying.postprocessing import LocalWork, Postprocessing
from alchemod.inference.scoping.scopes import Comprehension


class WorkDoneInPython(Rule):
    """Lets the database filter, sort and add up, where Python does it with fetched objects.

    What it does:
        Moves the condition of a comprehension over the objects of a query into a filter, the key of `sorted()` into an
        `order_by()`, and `sum()`, `max()` and `min()` of a column into the query.

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
        methods, read properties, hybrids or relationships are left alone, and so are lists that are used whole too.

    References:
        - https://docs.sqlalchemy.org/en/20/core/operators.html
        - https://docs.sqlalchemy.org/en/20/core/functions.html
    """

    code = "ALC210"
    names = ("query", "select", "scalars", "all", "sorted", "sum", "max", "min")

    def find_ListComp(self, loop: Comprehension, ctx: Context) -> Iterator[Finding]:
        """Looks at one comprehension."""
        place = ctx.place(loop) if loop.generators[0].ifs else None
        work = ctx.ask(Postprocessing).filtered(loop, place) if place is not None else None
        if work is not None:
            yield self._judged(work)

    find_SetComp = find_DictComp = find_GeneratorExp = find_ListComp

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one call of `sorted()`, `sum()`, `max()` or `min()`."""
        match call:
            case ast.Call(func=ast.Name(id="sorted" | "sum" | "max" | "min" as name), args=[_]):
                place = ctx.place(call)
            case _:
                return
        if place is None or place.scope.owner(name) is not None:
            return
        area = ctx.ask(Postprocessing)
        work = area.sorted_rows(call, place) if name == "sorted" else area.added_up(call, place)
        if work is not None:
            yield self._judged(work)

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
    yield swap(work.node, work.template, **work.holes)
    if work.step:
        yield swap(work.execution.query, work.step, **work.filling)
