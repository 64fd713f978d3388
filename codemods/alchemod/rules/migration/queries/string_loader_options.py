"""MIG415: names given to loader options as strings become attributes of their classes."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from alchemod.edits.verbs import Verb, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.engine.spelled import spelled
from alchemod.facts.module import last_name
from alchemod.inference.loading.paths import (
    COLUMN_OPTIONS,
    RELATIONSHIP_OPTIONS,
    Lead,
    LoaderPaths,
    Path,
    Step,
    is_name,
)
from alchemod.inference.values import Place


class StringLoaderOptions(Rule):
    """Writes the attributes of classes where loader options name them by strings.

    What it does:
        Replaces the strings that `joinedload()`, `defer()`, `load_only()` and the other loader options take in 1.x by
        attributes of the class that they belong to: the first class of the statement, in a chain of options the class
        that the step before leads to. A path with dots and several arguments become a chain; of such a path only the
        last step loads as the option says, which `defaultload()` for the steps before keeps.

    Why:
        SQLAlchemy 2.0 takes no names of attributes as strings, only `"*"`.

    Example:
        ```python
        def authors(session):
            return session.query(Author).options(joinedload("books.tags")).all()
        ```

    Use instead:
        ```python
        def authors(session):
            return (
                session.query(Author)
                .options(defaultload(Author.books).joinedload(Book.tags))
                .all()
            )
        ```

    Fix safety:
        Safe when the class of the statement is known and everything the path goes through is seen; classes are imported
        where needed. Unsafe with several arguments, and for an attribute that a `backref` makes when the option stands
        away from the statement: it does not exist before the mappers are configured. A report when the statement is not
        seen, when a second class of it has the name too, and when a class cannot be written here. `"*"` stays.

    References:
        - https://docs.sqlalchemy.org/en/20/changelog/migration_20.html#orm-query-joining-loading-on-relationships-uses-attributes-not-strings
        - https://docs.sqlalchemy.org/en/14/orm/loading_relationships.html
    """

    code = "MIG415"
    since = "1.4"
    names = tuple(sorted(RELATIONSHIP_OPTIONS | COLUMN_OPTIONS))

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterable[Finding]:
        """Looks at one call that may be a loader option."""
        named = [argument for argument in call.args if is_name(argument)]
        unknown = [argument for argument in call.args if isinstance(argument, ast.Name) and ctx.value(argument) is None]
        place = ctx.place(call) if named or unknown or len(call.args) > 1 else None
        if place is None:
            return
        paths = ctx.ask(LoaderPaths)
        name = paths.name_of(call, place)
        if name is not None and unknown and not named and (handed := _handed_in(unknown, place)):
            message = f"{last_name(call)}() takes no strings in 2.0"
            yield self.report(call, message, missing=f"whether {handed} is a string; give it an attribute of a class")
            return
        attributes = paths.attributes(call, place) if name is not None else ()
        several = len(attributes) > 1 and name != "load_only"
        if name is None or not (several or any(map(is_name, attributes))):
            return
        if name == "contains_eager" and any(keyword.arg == "alias" for keyword in call.keywords):
            return  # MIG416
        yield self._judged(call, attributes, name, paths, place)

    def _judged(
        self, call: ast.Call, attributes: Sequence[ast.expr], name: str, paths: LoaderPaths, place: Place
    ) -> Finding:
        shown = last_name(call)
        message = f"{shown}() names attributes by strings, which 2.0 refuses"
        if not any(map(is_name, attributes)):
            message = f"{shown}() takes one attribute; of several only the last one loads so"
        starred = any(isinstance(argument, ast.Starred) for argument in call.args)
        if starred or any(keyword.arg is None for keyword in call.keywords):
            return self.report(call, message, missing="not all of its arguments are seen")
        lead = paths.lead(call, place)
        if isinstance(lead, str):
            if (filtered := paths.at_run_time(call, place)) is not None and _is_one_step(attributes, name):
                edits = [swap(one, f"{filtered.runtime}.{_parts(one)[0]}") for one in attributes if is_name(one)]
                return self.fix(call, message, *edits, given=[filtered.answer], unsafe=filtered.missing)
            return self.report(call, message, missing=lead)
        doubled = _second(attributes, lead, paths)
        if doubled is not None:
            return self.report(call, message, missing=doubled, given=[lead.answer])
        if name == "load_only":
            return self._columns(call, message, lead, paths, place)
        path = paths.path([part for argument in attributes for part in _parts(argument)], lead, call, place)
        if isinstance(path, str):
            return self.report(call, message, missing=path, given=[lead.answer])
        unsafe = None
        if len(attributes) > 1:
            unsafe = "of several arguments only the last one loads so, which may not be meant"
        return self.fix(
            call, message, *_edits(call, attributes, path), given=[lead.answer], unsafe=unsafe or path.doubt(lead)
        )

    def _columns(self, call: ast.Call, message: str, lead: Lead, paths: LoaderPaths, place: Place) -> Finding:
        """The fix of `load_only("a", "b")`, whose arguments are columns of one class."""
        edits: list[Verb] = []
        for argument in call.args:
            if is_name(argument):
                path = paths.path(_parts(argument), lead, call, place)
                if isinstance(path, str):
                    return self.report(call, message, missing=path, given=[lead.answer])
                if len(path.steps) > 1:
                    missing = "load_only() takes no path"
                    return self.report(call, message, missing=missing, given=[lead.answer])
                template, holes = _attribute(path.steps[0], 0)
                edits.append(swap(argument, template, **holes))
        return self.fix(call, message, *edits, given=[lead.answer])


def _handed_in(names: Sequence[ast.Name], place: Place) -> str:
    """The first of the names that a parameter or a loop binds; "" when none does."""
    for name in names:
        owner = place.scope.owner(name.id)
        kinds = {binding.kind for binding in owner.bindings.get(name.id, ())} if owner is not None else set()
        if kinds & {"parameter", "loop", "comprehension"}:
            return name.id
    return ""


def _is_one_step(attributes: Sequence[ast.expr], name: str) -> bool:
    """Whether all attributes are those of the first class: columns, or one relationship."""
    return all(len(_parts(one)) == 1 for one in attributes) and (len(attributes) == 1 or name == "load_only")


def _parts(argument: ast.expr) -> Sequence[str]:
    """The names that an argument stands for: those of its string, or that of the attribute."""
    match argument:
        case ast.Constant(value=str(text)):
            return text.split(".")
        case ast.Attribute(attr=name):
            return [name]
    return [ast.unparse(argument)]


def _second(arguments: Sequence[ast.expr], lead: Lead, paths: LoaderPaths) -> str | None:
    """Why it is not certain that the name belongs to the first class of the statement."""
    first = _parts(arguments[0])[0] if arguments else ""
    for other in lead.others:
        if paths.inference.project.models.attribute(other.model, first) is not None:
            return f"{other.model.name} has an attribute {first} too, and the name is that of {lead.entity.model.name}"
    return None


def _attribute(step: Step, index: int) -> tuple[str, dict[str, Any]]:
    """The template of an attribute of a class, and its holes."""
    owner, holes = spelled(step.spelling, f"cls_{index}")
    return f"{owner}.{step.attribute.name}", holes


def _edits(call: ast.Call, attributes: Sequence[ast.expr], path: Path) -> Iterator[Verb]:
    if len(path.steps) == 1 == len(attributes):
        template, of_class = _attribute(path.steps[0], 0)
        yield swap(attributes[0], template, **of_class)
        return
    *before, last = [_attribute(step, index) for index, step in enumerate(path.steps)]
    holes: dict[str, Any] = {name: code for _, codes in (*before, last) for name, code in codes.items()}
    settings = {f"setting_{index}": argument for index, argument in enumerate(call.args[len(attributes) :])}
    holes |= settings | {f"{keyword.arg}": keyword.value for keyword in call.keywords}
    keywords = (f"{keyword.arg}={{{keyword.arg}}}" for keyword in call.keywords)
    given = ", ".join([last[0], *(f"{{{name}}}" for name in settings), *keywords])
    chain = [f"defaultload({template})" for template, _ in before]
    match call.func:
        case ast.Attribute(value=ast.Call() as option, attr=name):
            template = ".".join(["{option}", *chain, f"{name}({given})"])
            holes["option"] = option
        case _:
            chain[0] = "{sqlalchemy.orm.defaultload}" + chain[0].removeprefix("defaultload")
            template = ".".join([*chain, f"{last_name(call)}({given})"])
    yield swap(call, template, **holes)
