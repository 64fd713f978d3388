"""What a class derives from, up to the declarative base that maps it.

Declarative styles of SQLAlchemy 1.3 to 2.1: `declarative_base()`, `DeclarativeBase`, `@as_declarative`,
`registry.generate_base()`, a base with `metaclass=DeclarativeMeta`, `@registry.mapped`, automap, Flask-SQLAlchemy and
SQLModel ("Declarative Mapping Styles").
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from alchemod.facts.lookup import External, Lookup, Variable
from alchemod.facts.module import ClassFacts, FunctionFacts, Module, last_name
from alchemod.facts.vocabulary import FLASK

_BASE_MAKERS = frozenset({"declarative_base", "automap_base", "generate_base", "dynamic_declarative_base"})
_BASE_CLASSES = frozenset({"DeclarativeBase", "DeclarativeBaseNoMeta"})
_REFLECTING = frozenset({"automap_base", "DeferredReflection"})
_HARMLESS = frozenset(
    {
        "object", "ABC", "abc.ABC", "Generic", "typing.Generic", "MappedAsDataclass", "AsyncAttrs", "Protocol",
        "typing.Protocol", "UserMixin", "flask_login.UserMixin",
    }
)  # fmt: skip
_MAX_ANCESTORS = 200

Registry = tuple[Path, str] | ClassFacts | str
"""What tells one declarative base from another: a variable, a class, or the name of a library's base."""


@dataclass(slots=True)
class Ancestry:
    """What a class derives from.

    `classes` are those of the project in the order attributes are looked up. `roots` are the kinds of declarative
    bases reached: `declarative`, `flask`, `sqlmodel`; `registries` are these bases, `variables` those that variables
    hold. `unseen` says whether attributes may come from elsewhere: a base class that is not seen, or a table that is
    read from the database.
    """

    classes: list[ClassFacts] = field(default_factory=list)
    roots: set[str] = field(default_factory=set)
    registries: set[Registry] = field(default_factory=set)
    variables: list[Variable] = field(default_factory=list)
    unseen: bool = False


def ancestry(facts: ClassFacts, lookup: Lookup) -> Ancestry:
    """What a class of the project derives from."""
    return _Climb(lookup).climb(facts)


def is_base(facts: ClassFacts, lookup: Lookup) -> bool:
    """Whether a class is a declarative base itself: it derives from `DeclarativeBase` or is `@as_declarative`."""
    if any(last_name(decorator) == "as_declarative" for decorator in facts.decorators):
        return True
    bases = (lookup.expression(facts.module, base) for base in facts.bases)
    return any(
        isinstance(base, External) and base.canonical in _BASE_CLASSES and base.name.startswith("sqlalchemy.")
        for base in bases
    )


class _Climb:
    """One way up, from a class to its bases."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._found = Ancestry()
        self._pending: list[tuple[Module, ast.expr]] = []

    def climb(self, facts: ClassFacts) -> Ancestry:
        met: list[ClassFacts] = []
        self._push_bases(facts)
        while self._pending and len(met) < _MAX_ANCESTORS:
            module, expression = self._pending.pop()
            if isinstance(expression, ast.Subscript):
                expression = expression.value  # Base[T]
            match self._lookup.expression(module, expression):
                case ClassFacts() as ancestor if ancestor is not facts:
                    met.append(ancestor)
                    self._push_bases(ancestor)
                    self._of_class(ancestor)
                case External() as external:
                    self._of_library(external, module, expression)
                case Variable() as variable if all(
                    self._makes_base(variable.module, assigned.value)
                    for assigned in (variable.assigned, *variable.others)
                ):
                    self._of_maker(variable.module, variable.assigned.value, (variable.module.path, variable.name))
                    self._found.variables.append(variable)
                case None if self._makes_base(module, expression):
                    self._of_maker(module, expression, facts)
                case _:
                    self._found.unseen = self._found.unseen or last_name(expression) not in _HARMLESS
        # The last mention of a class met twice gives Python's order (C3) for every diamond that has one.
        self._found.classes = list(dict.fromkeys(reversed(met)))[::-1]
        return self._found

    def _push_bases(self, facts: ClassFacts) -> None:
        self._pending.extend((facts.module, base) for base in reversed(facts.bases))

    def _of_class(self, ancestor: ClassFacts) -> None:
        metaclasses = (keyword.value for keyword in ancestor.keywords if keyword.arg == "metaclass")
        is_meta = any(last_name(metaclass) == "DeclarativeMeta" for metaclass in metaclasses)
        if is_meta or any(last_name(decorator) == "as_declarative" for decorator in ancestor.decorators):
            self._add("declarative", ancestor)
        elif is_base(ancestor, self._lookup):
            self._found.registries.add(ancestor)

    def _of_library(self, external: External, module: Module, expression: ast.expr) -> None:
        match external.canonical:
            case "DeclarativeBase" | "DeclarativeBaseNoMeta":
                self._found.roots.add("sqlmodel" if external.name.startswith("sqlmodel") else "declarative")
                if not external.name.startswith("sqlalchemy."):
                    self._found.registries.add(external.name)
            case name if name == FLASK + "Model":
                self._add("flask", name)
                self._pending.extend(self._model_class(module, expression))
            case "DeferredReflection":
                self._found.unseen = True
            case None:
                self._found.unseen = self._found.unseen or external.name not in _HARMLESS

    def _of_maker(self, module: Module, call: ast.expr | None, registry: Registry) -> None:
        self._add("declarative", registry)
        self._found.unseen = self._found.unseen or (call is not None and last_name(call) in _REFLECTING)
        self._pending.extend((module, base) for base in _keywords(call, "cls"))

    def _add(self, root: str, registry: Registry) -> None:
        self._found.roots.add(root)
        self._found.registries.add(registry)

    def _model_class(self, module: Module, base: ast.expr) -> Iterator[tuple[Module, ast.expr]]:
        """The class that `db = SQLAlchemy(model_class=...)` builds `db.Model` on, and the module that says so."""
        if isinstance(base, ast.Attribute):
            database = self._lookup.expression(module, base.value)
            if isinstance(database, Variable):
                for given in _keywords(database.assigned.value, "model_class"):
                    yield database.module, given

    def _makes_base(self, module: Module, call: ast.expr | None) -> bool:
        if not isinstance(call, ast.Call):
            return False
        definition = self._lookup.expression(module, call.func)
        match definition:
            case External():
                return definition.canonical in _BASE_MAKERS
            case FunctionFacts(makes_base=ast.expr() as maker):
                made = self._lookup.expression(definition.module, _opened(maker))
                return isinstance(made, External) and made.canonical in _BASE_MAKERS | _BASE_CLASSES | {
                    "as_declarative"
                }
        return definition is None and last_name(call) == "generate_base"


def _keywords(call: ast.expr | None, name: str) -> Iterator[ast.expr]:
    """The value of the keyword `name` of a call, if it has one."""
    if isinstance(call, ast.Call):
        yield from (keyword.value for keyword in call.keywords if keyword.arg == name)


def _opened(maker: ast.expr) -> ast.expr:
    """`as_declarative` of the decorator `as_declarative(...)`."""
    return maker.func if isinstance(maker, ast.Call) else maker
