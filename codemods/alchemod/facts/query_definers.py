"""Who else than a session may be asked `x.query(Model)`: classes of a project that have something called `query`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from typing import Final

from alchemod.facts.attributes import returned
from alchemod.facts.module import FunctionFacts, FunctionNode, last_name
from alchemod.facts.nodes import statements

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
_DEFINED: Final = re.compile(rb"def query\(")


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


@dataclass(frozen=True, slots=True)
class _Method:
    """A method `query` of the class `owner`; `body` is None where it is not kept."""

    owner: str
    arguments: ast.arguments
    decorators: Sequence[ast.expr]
    body: FunctionNode | None


def query_definers(methods: Iterable[FunctionFacts], contents: Iterable[tuple[str, bytes]]) -> QueryDefiners:
    """Who defines `query`: among the methods of this name, and the files of these names and contents."""
    known = list(methods)
    found = [_Method(m.owner.name, m.arguments, m.decorators, m.owner.bodies.get(m.name)) for m in known if m.owner]
    lines = {(method.module.path.name, method.line) for method in known}
    kept = ""
    for name, data in contents:
        found += _inside_functions(data, {line for file, line in lines if file == name})
        kept = kept or (name if _KEPT.search(data) else "")
    found = [method for method in found if not _is_fixture(method)]
    return QueryDefiners(
        next((method.owner for method in found if _takes_class(method)), ""),
        next((method.owner for method in found if _hands_out(method)), kept),
    )


def _inside_functions(source: bytes, known: Set[int]) -> Iterator[_Method]:
    """The methods of classes that functions define, as tests do: those of a file which are not in the known lines."""
    if all(source.count(b"\n", 0, found.start()) + 1 in known for found in _DEFINED.finditer(source)):
        return
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return
    for cls in (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)):
        for node in statements(cls.body):
            if isinstance(node, ast.FunctionDef) and node.name == "query" and node.lineno not in known:
                yield _Method(cls.name, node.args, node.decorator_list, node)


def _is_fixture(method: _Method) -> bool:
    """Whether pytest calls it, by the name of a parameter: nobody reads it as an attribute."""
    return any(last_name(decorator) == "fixture" for decorator in method.decorators)


def _hands_out(method: _Method) -> bool:
    """Whether it is a property, or decorated with something that may make it one, and gives what is called then."""
    arguments = method.arguments
    takes_more = arguments.vararg or arguments.kwonlyargs or arguments.kwarg
    if takes_more or _parameters(method) or all(last_name(decorator) in _PLAIN for decorator in method.decorators):
        return False
    return method.body is None or not isinstance(returned(method.body), ast.Call)


def _takes_class(method: _Method) -> bool:
    """Whether a method can be called with a class: it has a parameter besides `self`, which neither by its name nor by
    its annotation takes something else."""
    parameters = _parameters(method)
    if not parameters:
        return method.arguments.vararg is not None
    first = parameters[0]
    return not _OTHER_THINGS.fullmatch(first.arg) and _root(first.annotation) not in _NO_CLASSES


def _parameters(method: _Method) -> list[ast.arg]:
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
