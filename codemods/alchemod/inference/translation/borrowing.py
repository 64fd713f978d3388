"""How the session of a Query is written in another function than the one that begins the Query."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from alchemod.inference.functions import enclosing_function
from alchemod.inference.resolver import Resolver
from alchemod.inference.translation.changes import UntranslatedError
from alchemod.inference.translation.passages import Passage
from alchemod.inference.translation.web import Origin, Use, Web
from alchemod.inference.values import Place


def session_in(web: Web, origin: Origin, use: Use, resolver: Resolver) -> str:
    """The code for the session of `origin` at `use`. Raises UntranslatedError when there is none that is certain."""
    session = origin.session
    assert session is not None
    code = ast.unparse(session)
    root = session
    while isinstance(root, ast.Attribute):
        root = root.value
    if not isinstance(root, ast.Name):
        raise UntranslatedError(f"{code} may give another session each time it is evaluated")
    owner = origin.place.scope.owner(root.id)
    if owner is None or owner.parent is None:
        return _of_module(root.id, code, origin, use, resolver)
    if owner.bindings[root.id][0].kind != "parameter" or len(owner.bindings[root.id]) > 1:
        if _function(origin.place) is _function(use.place):
            return code
        raise UntranslatedError(f"{code} is known in the function only that begins the Query")
    if _function(origin.place) is _function(use.place):
        return code
    found = set(_given(web, owner.node, root.id, use))
    if len(found) != 1:
        raise UntranslatedError(f"what stands for {code} where the Query is used is not certain")
    there = found.pop()
    name = there.partition(".")[0]
    where = use.place.scope.owner(name)
    if where is not None and where.parent is not None and len(where.bindings[name]) > 1:
        raise UntranslatedError(f"{name} may be bound again before the Query is used")
    return there + code[len(root.id) :]


def _function(place: Place) -> ast.AST | None:
    function = enclosing_function(place.scope)
    return function.node if function is not None else None


def _of_module(name: str, code: str, origin: Origin, use: Use, resolver: Resolver) -> str:
    """A session of the module, where the same name stands for it."""
    lookup = resolver.project.lookup
    there = use.place.scope.owner(name)
    is_global = there is None or there.parent is None
    here, other = origin.place.module, use.place.module
    if not is_global or (here is not other and not _is_same(lookup.name(here, name), lookup.name(other, name))):
        raise UntranslatedError(f"{code} means something else where the Query is used")
    return code


def _is_same(one: object, other: object) -> bool:
    return one is not None and (one is other or getattr(one, "assigned", one) is getattr(other, "assigned", None))


def _given(web: Web, function: ast.AST, parameter: str, use: Use) -> Iterator[str]:
    """What the calls in the function of the use give for a parameter of the function that begins the Query."""
    for passage in web.passages:
        if passage.function is function:
            for site in passage.sites:
                if _function(site.place) is _function(use.place):
                    yield _written(passage, site.call, parameter, passage.actual(site, parameter))


def _written(passage: Passage, call: ast.Call, parameter: str, actual: ast.expr | None) -> str:
    arguments = passage.function.args
    first = next(iter((*arguments.posonlyargs, *arguments.args)), None)
    if actual is None and first is not None and first.arg == parameter and isinstance(call.func, ast.Attribute):
        actual = call.func.value
    if actual is None or not _is_dotted(actual):
        raise UntranslatedError(f"what {passage.function.name}() gets for {parameter} has no name")
    return ast.unparse(actual)


def _is_dotted(node: ast.expr) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)
