"""Who else than a session may be asked `x.query(Model)`: classes of a project that have something called `query`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from alchemod.facts.attributes import returned
from alchemod.facts.module import FunctionFacts, last_name

_PLAIN: Final = frozenset({"staticmethod", "classmethod", "abstractmethod", "override", "overload"})
_NO_CLASSES: Final = frozenset(
    {"str", "bytes", "int", "float", "bool", "dict", "list", "tuple", "set", "Dict", "List", "Mapping"}
)
"""Annotations of parameters that take no class."""
_OTHER_THINGS: Final = re.compile(
    r"_*(?:session|db|conn|connection|engine|context|ctx|request|sql|statement|stmt|text|string|\w*kwargs|params|filters)"
)
"""Names of parameters that say what they take, which is no class."""
_KEPT: Final = re.compile(rb"self\.query\s*=\s*[\w.]*\.query[^\S\n]*$", re.MULTILINE)
"""An attribute that holds the method of a session."""


@dataclass(frozen=True, slots=True)
class QueryDefiners:
    """`method` is a class whose method `query()` may be called with a class, `proxy` one that hands out the method of a
    session under this name; "" for none."""

    method: str = ""
    proxy: str = ""

    @property
    def any(self) -> str:
        """One of them, "" when there is none."""
        return self.method or self.proxy


def query_definers(methods: Iterable[FunctionFacts], contents: Iterable[tuple[str, bytes]]) -> QueryDefiners:
    """Who defines `query`: among the methods of this name, and the files of these names and contents."""
    named = [(method, method.owner.name) for method in methods if method.owner is not None and not _is_fixture(method)]
    proxies = (name for method, name in named if _hands_out(method))
    kept = (name for name, data in contents if _KEPT.search(data))
    return QueryDefiners(
        next((name for method, name in named if _takes_class(method)), ""),
        next(proxies, "") or next(kept, ""),
    )


def _is_fixture(method: FunctionFacts) -> bool:
    """Whether pytest calls it, by the name of a parameter: nobody reads it as an attribute."""
    return any(last_name(decorator) == "fixture" for decorator in method.decorators)


def _hands_out(method: FunctionFacts) -> bool:
    """Whether it is a property, or decorated with something that may make it one, and gives what is called then."""
    arguments = method.arguments
    takes_more = arguments.vararg or arguments.kwonlyargs or arguments.kwarg
    if takes_more or _parameters(method) or all(last_name(decorator) in _PLAIN for decorator in method.decorators):
        return False
    body = method.owner.bodies.get(method.name) if method.owner is not None else None
    return body is None or not isinstance(returned(body), ast.Call)


def _takes_class(method: FunctionFacts) -> bool:
    """Whether a method can be called with a class: it has a parameter besides `self`, which neither by its name nor by
    its annotation takes something else."""
    parameters = _parameters(method)
    if not parameters:
        return method.arguments.vararg is not None
    first = parameters[0]
    return not _OTHER_THINGS.fullmatch(first.arg) and _root(first.annotation) not in _NO_CLASSES


def _parameters(method: FunctionFacts) -> list[ast.arg]:
    """What can be given by position, the object itself left out."""
    is_static = any(last_name(decorator) == "staticmethod" for decorator in method.decorators)
    return [*method.arguments.posonlyargs, *method.arguments.args][0 if is_static else 1 :]


def _root(annotation: ast.expr | None) -> str:
    """`dict` of `dict[str, Any]`; "" for what is not written as a name."""
    match annotation:
        case ast.Name(id=name) | ast.Subscript(value=ast.Name(id=name)):
            return name
        case ast.Constant(value=str(name)):
            return name
    return ""
