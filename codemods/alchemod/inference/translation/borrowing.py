"""How the session of a Query is written in another function than the one that begins the Query.

Where the callers of a function have the session and the function has not, it gets one more parameter.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from alchemod.inference.resolving.callers import Site
from alchemod.inference.resolving.functions import enclosing_function
from alchemod.inference.resolving.resolver import Resolver
from alchemod.inference.scoping.scopes import Scope
from alchemod.inference.translation.changes import Added, Change, Parameter, Source, UntranslatedError
from alchemod.inference.translation.keeping import Kept, stored_as
from alchemod.inference.translation.passages import Passage
from alchemod.inference.translation.web import Origin, Web
from alchemod.inference.values import Place

_NAMES: Final = ("session", "db_session")


class Borrowing:
    """The session in each function of one web."""

    def __init__(self, web: Web, resolver: Resolver) -> None:
        self._web: Final = web
        self._resolver: Final = resolver
        self._codes: Final[dict[ast.AST | None, str]] = {}
        self._handed: Final[dict[ast.AST, tuple[Change, ...]]] = {}
        self._active: Final[set[ast.AST | None]] = set()
        self._looked_at: Final[set[ast.AST | None]] = set()

    def code(self, place: Place) -> str:
        """The code for the session at `place`. Raises UntranslatedError when there is none that is certain."""
        function = enclosing_function(place.scope)
        key = function.node if function is not None else None
        if key not in self._codes:
            if key in self._active:
                raise UntranslatedError("functions that call each other hand the Query on")
            self._active.add(key)
            try:
                self._codes[key] = self._code(function, place)
            finally:
                self._active.discard(key)
        return self._codes[key]

    @property
    def changes(self) -> Iterator[Change]:
        """The parameters that functions get, and what their calls give for them."""
        for changes in self._handed.values():
            yield from changes

    def _code(self, function: Scope | None, place: Place) -> str:
        found = self._of_own(function)
        entering = [one for one in self._web.passages if one.enters is not None and one.inside.scope is function]
        entered = {code for passage in entering for code in self._entered(passage)}
        if not found and entered and (None in entered or len(entered) > 1):
            return self._handed_on(entering[0])
        codes = found | entered
        if not codes and function is not None and function.parent is not None:
            return self._around(function, place)
        code = codes.pop() if len(codes) == 1 else None
        if code is None:
            raise UntranslatedError("which session the Query belongs to where it is used is not certain")
        return code

    def _of_own(self, function: Scope | None) -> set[str]:
        """The sessions of the Queries that begin in a function, or that calls and objects give it.

        What a function gets as an argument and returns is the caller's own.
        """
        key = function.node if function is not None else None
        if key in self._looked_at:
            return set()
        self._looked_at.add(key)
        try:
            origins = [one for one in self._web.origins if enclosing_function(one.place.scope) is function]
            found = {self._of_origin(origin) for origin in origins}
            found.update(code for one in self._web.passages for code in self._returned(one, function))
            found.update(code for kept in self._web.kept for code in self._kept(kept, function))
        finally:
            self._looked_at.discard(key)
        return found

    def _of_origin(self, origin: Origin) -> str:
        if origin.session is None:
            raise UntranslatedError("the Query has no session that is seen")
        code = ast.unparse(origin.session)
        if not _is_dotted(origin.session):
            raise UntranslatedError(f"{code} may give another session each time it is evaluated")
        _check_bound_once(code, origin.place)
        return code

    def _around(self, function: Scope, place: Place) -> str:
        """The session of the function around this one, where its name means the same."""
        assert function.parent is not None
        code = self.code(Place(place.module, function.parent))
        name = code.partition(".")[0]
        if place.scope.owner(name) is not function.parent.owner(name):
            raise UntranslatedError(f"{code} means something else where the Query is used")
        return code

    def _returned(self, passage: Passage, function: Scope | None) -> Iterator[str]:
        """The session in the calls of a function that gives the Query, as far as they stand in `function`."""
        for site in passage.sites if passage.enters is None else ():
            if enclosing_function(site.place.scope) is function:
                for code in self._of_own(passage.inside.scope):
                    yield self._outwards(code, passage, site)

    def _kept(self, kept: Kept, function: Scope | None) -> Iterator[str]:
        """The session where an object is asked for the Query that it keeps."""
        for read, place in kept.reads:
            if enclosing_function(place.scope) is function:
                for _, where in kept.stores:
                    if enclosing_function(where.scope) is not function and enclosing_function(where.scope) is not None:
                        yield self._of_object(kept, self.code(where), where, read, place)

    def _of_object(self, kept: Kept, code: str, where: Place, read: ast.Attribute, place: Place) -> str:
        """What is `code` in a method, in the words of code that has the object."""
        if self._is_global(code.partition(".")[0], where):
            return self._of_module(code, where, place)
        for one in (code, *stored_as(code, where)):
            name, _, attribute = one.partition(".")
            if attribute and self._is_self(name, where) and _is_dotted(read.value):
                if self._stores(kept, attribute.partition(".")[0]) > 1:
                    raise UntranslatedError(f"{one} may be another one when the Query is used")
                return f"{ast.unparse(read.value)}.{attribute}"
        raise UntranslatedError(f"the object that keeps the Query does not keep {code}")

    def _stores(self, kept: Kept, attribute: str) -> int:
        """How often the methods of a class and its ancestors set an attribute."""
        families = self._resolver.project.families
        methods = [method for cls in families.above(kept.owner) for method in cls.methods.values()]
        places = [place for method in methods if (place := self._resolver.function_place(method)) is not None]
        return sum(
            isinstance(node, ast.Attribute) and node.attr == attribute and isinstance(node.ctx, ast.Store)
            for place in places
            for node in ast.walk(place.scope.node)
        )

    def _is_self(self, name: str, place: Place) -> bool:
        function = enclosing_function(place.scope)
        arguments = getattr(function.node, "args", None) if function is not None else None
        first = next(iter((*arguments.posonlyargs, *arguments.args)), None) if arguments is not None else None
        return first is not None and first.arg == name

    def _outwards(self, code: str, passage: Passage, site: Site) -> str:
        """The session of a function in the words of one of its calls."""
        name = code.partition(".")[0]
        if self._is_global(name, passage.inside):
            return self._of_module(code, passage.inside, site.place)
        binding = passage.inside.scope.bindings.get(name, [None])[0]
        if binding is None or binding.kind != "parameter":
            raise UntranslatedError(f"{code} is known in the function only that begins the Query")
        actual = _given(passage, site, name)
        if actual is None or not _is_dotted(actual):
            raise UntranslatedError(f"what {passage.function.name}() gets for {name} has no name")
        given = ast.unparse(actual)
        _check_bound_once(given, site.place)
        return given + code[len(name) :]

    def _entered(self, passage: Passage) -> Iterator[str | None]:
        """The session in a function that the Query enters, in its own words; None where a call gives it none."""
        for site in passage.sites:
            yield self._inwards(self.code(site.place), passage, site)

    def _inwards(self, code: str, passage: Passage, site: Site) -> str | None:
        name = code.partition(".")[0]
        if self._is_global(name, site.place):
            try:
                return self._of_module(code, site.place, passage.inside)
            except UntranslatedError:
                return None
        for parameter, bindings in passage.inside.scope.bindings.items():
            actual = _given(passage, site, parameter) if bindings[0].kind == "parameter" else None
            if actual is not None and len(bindings) == 1:
                given = ast.unparse(actual)
                if code == given or code.startswith(f"{given}."):
                    return parameter + code[len(given) :]
        return None

    def _handed_on(self, passage: Passage) -> str:
        """The name of the new parameter of a function, which each of its calls gives its session."""
        function, place = passage.function, passage.inside
        name = next((one for one in _NAMES if place.scope.owner(one) is None), None)
        if name is None:
            raise UntranslatedError(f"{function.name}() has names already for what would be its session")
        changes: list[Change] = [Parameter(function, name, place.module.path)]
        for site in passage.sites:
            code = Source(self.code(site.place))
            changes.append(Added(site.call, f"{name}={{session}}", site.place.module.path, {"session": code}))
        self._handed[function] = tuple(changes)
        return name

    def _is_global(self, name: str, place: Place) -> bool:
        owner = place.scope.owner(name)
        return owner is None or owner.parent is None

    def _of_module(self, code: str, here: Place, there: Place) -> str:
        """A session of the module, where the same name stands for it."""
        name = code.partition(".")[0]
        lookup = self._resolver.project.lookup
        is_same = here.module is there.module or _is_same(
            lookup.name(here.module, name), lookup.name(there.module, name)
        )
        if not self._is_global(name, there) or not is_same:
            raise UntranslatedError(f"{code} means something else where the Query is used")
        return code


def _given(passage: Passage, site: Site, parameter: str) -> ast.expr | None:
    """What a call gives for a parameter, the receiver of a method included."""
    arguments = passage.function.args
    first = next(iter((*arguments.posonlyargs, *arguments.args)), None)
    if site.is_bound and first is not None and first.arg == parameter and isinstance(site.call.func, ast.Attribute):
        return site.call.func.value
    return passage.actual(site, parameter)


def _is_dotted(node: ast.expr) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def _is_same(one: object, other: object) -> bool:
    return one is not None and (one is other or getattr(one, "assigned", one) is getattr(other, "assigned", None))


def _check_bound_once(code: str, place: Place) -> None:
    """Raises UntranslatedError when the name that code begins with may be bound again before it is used."""
    name = code.partition(".")[0]
    owner = place.scope.owner(name)
    if (
        owner is not None
        and owner.parent is not None
        and (len(owner.bindings[name]) > 1 or name in owner.rebound_inside)
    ):
        raise UntranslatedError(f"{name} may be bound again before the Query is used")
