"""Where the code hands conditions to SQLAlchemy: the arguments of `filter()`, `and_()`, `any()` and the like.

A condition in a variable is followed to where the variable is assigned, one in a list to where the list is built.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from alchemod.facts.nodes import walk
from alchemod.inference.area import Area
from alchemod.inference.control.reaching import definitions
from alchemod.inference.querying.operators import Operators
from alchemod.inference.scoping.scopes import Scope
from alchemod.inference.values import (
    Answer,
    Exists,
    Expression,
    FunctionObject,
    LocalFunction,
    Method,
    ModelAttribute,
    Outside,
    Place,
    Statement,
)

TAKING: Final = (
    *("filter", "where", "having", "join", "outerjoin", "any", "has"),
    *("and_", "or_", "not_", "case"),
)
"""Names of the methods and functions that take conditions."""
_METHODS: Final = frozenset({"filter", "where", "having"})
_JOINS: Final = frozenset({"join", "outerjoin"})
_OF_RELATIONSHIPS: Final = frozenset({"any", "has"})
_FUNCTIONS: Final = frozenset({"and_", "or_", "not_"})
_ADDING: Final = frozenset({"append", "extend", "insert"})
_MAX_DEPTH: Final = 20


class Conditions(Area):
    """The conditions that calls get."""

    def of(self, call: ast.Call, place: Place) -> tuple[Answer, list[ast.expr]] | None:
        """Who takes the conditions that `call` is given, and these, `&`, `|`, `~` and `if` expressions opened.

        None when the call takes none, or belongs to the project itself. The answer is inferred where nothing is known
        of the receiver of a method.
        """
        given = [*self._given(call)]
        if not given:
            return None
        taker = self._taker(call, place)
        if taker is None:
            return None
        found: list[ast.expr] = []
        for node in given:
            found += self._opened(node, call, place, 0)
        return taker, found

    def _given(self, call: ast.Call) -> Iterator[ast.expr]:
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if name in _JOINS:
            yield from call.args[1:2]
            yield from (keyword.value for keyword in call.keywords if keyword.arg == "onclause")
        elif name == "case":
            for argument in call.args:
                pairs = argument.elts if isinstance(argument, ast.List) else [argument]
                yield from (pair.elts[0] for pair in pairs if isinstance(pair, ast.Tuple) and pair.elts)
        elif name in TAKING:
            yield from call.args

    def _taker(self, call: ast.Call, place: Place) -> Answer | None:
        value = self.inference.resolver.value
        callee = value(call.func, place)
        match callee:
            case Answer(value=Outside() as function):
                return callee if function.canonical in {*_FUNCTIONS, "case"} else None
            case Answer(value=Method(owner=owner, name=name)):
                return callee if _takes(owner, name) else None
            case Answer(value=FunctionObject() | LocalFunction()):
                return None
            case None if isinstance(call.func, ast.Attribute) and call.func.attr in _METHODS:
                if self.inference.ask(Operators).is_expression(call.func.value, place.module.path):
                    return Answer(Expression())
                if value(call.func.value, place) is None:
                    return Answer(Expression()).weakened(f"what {ast.unparse(call.func.value)} is, is not known")
        return None

    def _opened(self, node: ast.expr, call: ast.Call, place: Place, depth: int) -> Iterator[ast.expr]:
        if depth > _MAX_DEPTH:
            return
        inner: list[ast.expr]
        match node:
            case ast.Starred(value=ast.List(elts=inner) | ast.Tuple(elts=inner)):
                pass
            case ast.Starred(value=ast.ListComp(elt=element) | ast.GeneratorExp(elt=element)):
                inner = [element]
            case ast.Starred(value=ast.Name() as name):
                inner = self._listed(name, call, place)
            case ast.Name():
                inner = self._assigned(node, call, place)
            case ast.BinOp(left=left, op=ast.BitAnd() | ast.BitOr(), right=right):
                inner = [left, right]
            case ast.UnaryOp(op=ast.Invert(), operand=operand):
                inner = [operand]
            case ast.IfExp(body=body, orelse=orelse):
                inner = [body, orelse]
            case ast.Starred():
                return
            case _:
                yield node
                return
        for part in inner:
            yield from self._opened(part, call, place, depth + 1)

    def _assigned(self, name: ast.Name, call: ast.Call, place: Place) -> list[ast.expr]:
        """What a variable that holds a condition is assigned; nothing where another call comes first."""
        sites = self._sites(name, place)
        if not sites or not _is_first(name, call, place):
            return []
        return sites

    def _listed(self, name: ast.Name, call: ast.Call, place: Place) -> list[ast.expr]:
        """What is put into the list of conditions that a variable holds."""
        found: list[ast.expr] = []
        sites = self._sites(name, place)
        owner = place.scope.owner(name.id)
        if not sites or owner is None or not _is_first(name, call, place):
            return []
        for value in sites:
            found += value.elts if isinstance(value, ast.List | ast.Tuple) else []
        for node in walk(owner.node):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id=held), attr=method), args=[*_, added]) if (
                    held == name.id and method in _ADDING
                ):
                    many = isinstance(added, ast.List | ast.Tuple) and method == "extend"
                    found += added.elts if many else [added]  # type: ignore[attr-defined]
                case ast.AugAssign(target=ast.Name(id=held), value=ast.List(elts=parts)) if held == name.id:
                    found += parts
        return found

    def _sites(self, name: ast.Name, place: Place) -> list[ast.expr]:
        root = place.scope.root.node
        assert isinstance(root, ast.Module)
        seen = definitions(root, name)
        if seen.captured or seen.owner is None or seen.owner.parent is None:
            return []
        values = [site.value for site in seen.sites if site.value is not None and site.position == ()]
        return sorted(values, key=lambda value: (value.lineno, value.col_offset))


def _takes(owner: object, name: str) -> bool:
    match owner:
        case Statement():
            return name in _METHODS or name in _JOINS
        case ModelAttribute(attribute=attribute):
            return name in _OF_RELATIONSHIPS and attribute.kind in {"relationship", "proxy"}
        case Expression() | Exists():
            return name in _METHODS
    return False


def _is_first(name: ast.Name, call: ast.Call, place: Place) -> bool:
    """Whether no earlier call takes the same variable as a condition: it is spoken of once."""
    owner: Scope | None = place.scope.owner(name.id)
    if owner is None:
        return False
    takers = [node for node in walk(owner.node) if isinstance(node, ast.Call) and _holds(node, name.id)]
    return not takers or min(takers, key=lambda node: (node.end_lineno or 0, node.end_col_offset or 0)) is call


def _holds(call: ast.Call, name: str) -> bool:
    called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if called not in TAKING:
        return False
    return any(isinstance(part, ast.Name) and part.id == name for given in call.args for part in walk(given))
