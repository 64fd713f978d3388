"""MIG416: loader options of 1.x that are gone, and forms of others that are."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Any

from alchemod.edits.verbs import Verb, drop, spread, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.engine.spelled import spelled
from alchemod.inference.loading.paths import RENAMED_OPTIONS, LoaderPaths, Step, is_name
from alchemod.inference.values import Answer, ModelClass, Place, Statement


class RenamedLoaderOptions(Rule):
    """Replaces loader options of 1.x that are gone.

    What it does:
        `eagerload()` becomes `joinedload()`; `joinedload_all()` and its like become a chain in which every step loads
        so; `contains_alias()`, which does nothing, goes; `contains_eager(..., alias=a)` becomes
        `contains_eager(A.b.of_type(a))`; a list of options becomes arguments of `options()`. Options on `insert()`,
        `update()` and `delete()` are reported.

    Why:
        SQLAlchemy 1.4 or 2.0 has no such names and forms any more.

    Example:
        ```python
        def authors(session):
            return session.query(Author).options([joinedload(Author.books), selectinload(Author.books)]).all()
        ```

    Use instead:
        ```python
        def authors(session):
            return session.query(Author).options(joinedload(Author.books), selectinload(Author.books)).all()
        ```

    Fix safety:
        Safe where one name simply stands for another, and where the class of every step is seen. Unsafe for
        `contains_eager(alias=)`. A report when the alias is no `aliased()` class, when the statement that names belong
        to is not seen, and for options on statements that load nothing.

    References:
        - https://docs.sqlalchemy.org/en/14/changelog/migration_14.html
        - https://docs.sqlalchemy.org/en/20/orm/queryguide/relationships.html#sqlalchemy.orm.contains_eager
    """

    code = "MIG416"
    since = "1.4"
    names = (*sorted(RENAMED_OPTIONS), "contains_eager", "options")

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterable[Finding]:
        """Looks at one call that may be a loader option, or be given some."""
        place = ctx.place(call)
        if place is None:
            return
        paths = ctx.ask(LoaderPaths)
        if isinstance(call.func, ast.Attribute) and call.func.attr == "options":
            yield from self._options(call, call.func.value, paths, place, ctx)
            return
        name = paths.name_of(call, place)
        if name == "eagerload":
            edit = swap(call.func, "{sqlalchemy.orm.joinedload}")
            yield self.fix(call, "eagerload() is called joinedload()", edit)
        elif name is not None and name.endswith("_all"):
            yield self._all(call, name, paths, place)
        elif name == "contains_eager":
            yield from self._with_alias(call, paths, place, ctx)

    def _options(
        self, call: ast.Call, receiver: ast.expr, paths: LoaderPaths, place: Place, ctx: Context
    ) -> Iterator[Finding]:
        gone = [one for one in call.args if isinstance(one, ast.Call) and paths.name_of(one, place) == "contains_alias"]
        if gone:
            edits: list[Verb] = [swap(call, "{receiver}", receiver=receiver)]
            if len(gone) < len(call.args):
                edits = [drop(argument) for argument in gone]
            yield self.fix(call, "contains_alias() does nothing", *edits)
            return
        match call.args:
            case [ast.List() | ast.Tuple() as display]:
                is_options = any(isinstance(one, ast.Call) and paths.name_of(one, place) for one in display.elts)
                answer = ctx.value(receiver)
                if is_options and answer is not None and isinstance(answer.value, Statement):
                    yield self.fix(call, "options() takes options, not a list of them", spread(display), given=[answer])
                return
        match ctx.value(receiver):
            case Answer(value=Statement(style="insert" | "update" | "delete" as style)) as answer:
                if any(isinstance(one, ast.Call) and paths.name_of(one, place) for one in call.args):
                    message = f"a loader option means nothing to {style}(), and becomes an error"
                    yield self.report(call, message, given=[answer])

    def _all(self, call: ast.Call, name: str, paths: LoaderPaths, place: Place) -> Finding:
        """`joinedload_all("a.b")`: a chain in which each step loads so."""
        new = {"subqueryload_all": "subqueryload"}.get(name, "joinedload")
        message = f"{name}() is gone: each step is an option of its own"
        if call.keywords or any(isinstance(argument, ast.Starred) for argument in call.args) or not call.args:
            return self.report(call, message, missing="not all of its arguments are seen")
        if not any(is_name(argument) for argument in call.args):
            holes: dict[str, Any] = {f"step_{index}": argument for index, argument in enumerate(call.args)}
            return self.fix(call, message, swap(call, _chain(new, [f"{{{hole}}}" for hole in holes]), **holes))
        if not all(is_name(argument) for argument in call.args):
            return self.report(call, message, missing="its arguments are strings and attributes")
        found = paths.along(call, [part for argument in call.args for part in _parts(argument)], place)
        if isinstance(found, str):
            return self.report(call, message, missing=found)
        lead, path = found
        steps = [_attribute(step, f"cls_{index}") for index, step in enumerate(path.steps)]
        holes = {name: code for _, codes in steps for name, code in codes.items()}
        edit = swap(call, _chain(new, [template for template, _ in steps]), **holes)
        return self.fix(call, message, edit, given=[lead.answer], unsafe=path.doubt(lead))

    def _with_alias(self, call: ast.Call, paths: LoaderPaths, place: Place, ctx: Context) -> Iterator[Finding]:
        """`contains_eager(A.bs, alias=b)`: the alias says itself what it is."""
        alias = next((keyword for keyword in call.keywords if keyword.arg == "alias"), None)
        if alias is None:
            return
        message = "contains_eager() takes the alias by of_type()"
        answer = ctx.value(alias.value)
        if answer is None or not isinstance(answer.value, ModelClass) or answer.value.alias is None:
            missing = f"{ast.unparse(alias.value)} is not known to be an aliased() class"
            yield self.report(call, message, missing=missing)
            return
        holes: dict[str, Any] = {"attribute": call.args[0]} if call.args else {}
        template = "{attribute}"
        found = paths.along(call, _parts(call.args[0]), place) if call.args and is_name(call.args[0]) else None
        if isinstance(found, str) or len(call.args) != 1 or (found is not None and len(found[1].steps) > 1):
            missing = found if isinstance(found, str) else "a path of several attributes has one alias"
            yield self.report(call, message, missing=missing, given=[answer])
            return
        if found is not None:
            template, holes = _attribute(found[1].steps[0], "cls")
        narrowed = swap(call.args[0], f"{template}.of_type({{alias}})", alias=alias.value, **holes)
        unsafe = "the rows of the alias must be those that the statement joins"
        yield self.fix(call, message, narrowed, drop(alias), given=[answer], unsafe=unsafe)


def _parts(argument: ast.expr) -> list[str]:
    """The names of a path in a string."""
    return str(ast.literal_eval(argument)).split(".")


def _attribute(step: Step, hole: str) -> tuple[str, dict[str, Any]]:
    """The template of an attribute of a class, and its holes."""
    owner, holes = spelled(step.spelling, hole)
    return f"{owner}.{step.attribute.name}", holes


def _chain(name: str, steps: list[str]) -> str:
    """The template of a chain of options, one for each step."""
    first, *rest = steps
    return f"{{sqlalchemy.orm.{name}}}({first})" + "".join(f".{name}({step})" for step in rest)
