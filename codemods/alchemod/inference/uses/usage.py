"""How the value of an expression is used: only its truth is asked, it is compared with None or 0, only its length is
taken, and so on. A value that is assigned to a local variable is used as the variable is.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from alchemod.facts.nodes import walk
from alchemod.inference.area import Area
from alchemod.inference.control.reaching import definitions
from alchemod.inference.resolving.functions import enclosing_function
from alchemod.inference.scoping.bindings import Binding
from alchemod.inference.scoping.scopes import FUNCTIONS, Scope
from alchemod.inference.uses.parents import parents_in
from alchemod.inference.values import Place

UseKind: TypeAlias = Literal[
    "truth", "bool", "is none", "is not none", "zero", "positive", "length", "element", "attribute", "iterated", "none",
    "other",
]  # fmt: skip
"""`truth`: only whether it is true is asked, where it stands. `bool`: `bool(x)`. `is none`, `is not none`: a comparison
with None. `zero`, `positive`: a comparison of a number with 0 or 1. `length`: `len(x)`. `element`: `x[0]`, `x[-1]`.
`attribute`: `x.name`. `iterated`: a loop or comprehension goes over it. `none`: the value is dropped."""


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a value. `read` is the expression that has the value, `node` the one in which it is used."""

    kind: UseKind
    read: ast.expr
    node: ast.AST


@dataclass(frozen=True, slots=True)
class Uses:
    """Every use of the value of an expression. `variable` is the assignment of the local variable that holds it.

    `value` is the expression that has the value: the one asked for, with the `await` before it.
    """

    value: ast.expr
    every: tuple[Use, ...]
    variable: ast.Assign | None = None

    def only(self, *kinds: UseKind) -> bool:
        """Whether the value is used, and in these ways only."""
        return bool(self.every) and all(use.kind in kinds for use in self.every)


class Usage(Area):
    """How values are used."""

    def of(self, node: ast.expr, place: Place) -> Uses:
        """The uses of the value of `node`, which stands in `place`."""
        around = self.around(place)
        parent = around.get(node)
        while isinstance(parent, ast.Await):
            node, parent = parent, around.get(parent)
        if isinstance(parent, ast.Assign) and parent.value is node:
            reads = self._reads(parent, place)
            if reads is None:
                return Uses(node, (Use("other", node, parent),), parent)
            return Uses(node, tuple(use_at(read, around) for read in reads), parent)
        return Uses(node, (use_at(node, around),))

    def assignment(self, name: ast.Name, place: Place) -> ast.Assign | None:
        """The only assignment that a read of a local variable may see; None when there are others."""
        root = place.scope.root.node
        single = definitions(root, name).single if isinstance(root, ast.Module) else None
        if single is None or not isinstance(single.node, ast.Assign) or single.position != ():
            return None
        return single.node if single.node.value is single.value else None

    def unit(self, place: Place) -> ast.AST:
        """The function around a place, or the module: where the uses of a value are looked for."""
        around = enclosing_function(place.scope) or place.scope.root
        while around.parent is not None and isinstance(around.node, ast.Lambda):
            around = enclosing_function(around.parent) or around.root
        return around.node

    def around(self, place: Place) -> dict[ast.AST, ast.AST]:
        """The node around each node of the function of `place`."""
        return parents_in(self.unit(place))

    def _reads(self, assignment: ast.Assign, place: Place) -> list[ast.expr] | None:
        """The reads of the local variable that an assignment binds; None when other values may be read there too."""
        match assignment.targets:
            case [ast.Name() as target]:
                pass
            case _:
                return None
        owner = place.scope
        binding = owner.binding_of.get(target)
        root = place.scope.root.node
        if binding is None or not isinstance(owner.node, FUNCTIONS) or not isinstance(root, ast.Module):
            return None
        if binding in owner.outer_bindings or _looks_at_locals(owner):
            return None
        found: list[ast.expr] = []
        for name in _mentions(target.id, owner):
            seen = definitions(root, name)
            if binding not in seen.sites:
                continue
            if not _is_certain(binding, seen.sites, seen.exact and not seen.captured):
                return None
            if not isinstance(name.ctx, ast.Load):
                return None
            found.append(name)
        return found


def use_at(node: ast.expr, around: dict[ast.AST, ast.AST]) -> Use:
    """The use of the value of `node` by the expression or statement around it."""
    parent = around.get(node)
    match parent:
        case ast.Expr():
            return Use("none", node, parent)
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return Use(_comparison(node, left, op, right), node, parent)
        case ast.Call(func=ast.Name(id="bool"), args=[_], keywords=[]):
            return Use("bool", node, parent)
        case ast.Call(func=ast.Name(id="len"), args=[_], keywords=[]):
            return Use("length", node, parent)
        case ast.Subscript(value=value, slice=ast.Constant(value=int()) | ast.UnaryOp(op=ast.USub())) if (
            value is node and isinstance(parent.ctx, ast.Load)
        ):
            return Use("element", node, parent)
        case ast.Attribute(value=value, ctx=ast.Load()) if value is node:
            return Use("attribute", node, parent)
        case ast.For(iter=iterated) | ast.comprehension(iter=iterated) if iterated is node:
            return Use("iterated", node, parent)
    if is_tested(node, around):
        return Use("truth", node, parent or node)
    return Use("other", node, parent or node)


def is_tested(node: ast.expr, around: dict[ast.AST, ast.AST]) -> bool:
    """Whether only the truth of `node` is asked where it stands."""
    while True:
        parent = around.get(node)
        match parent:
            case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test) | ast.Assert(test=test):
                return test is node
            case ast.UnaryOp(op=ast.Not()):
                return True
            case ast.comprehension(ifs=tests):
                return node in tests
            case ast.match_case(guard=guard):
                return guard is node
            case ast.BoolOp():
                node = parent
            case _:
                return False


def _comparison(node: ast.expr, left: ast.expr, op: ast.cmpop, right: ast.expr) -> UseKind:
    other = right if left is node else left
    if not isinstance(other, ast.Constant):
        return "other"
    match op, other.value:
        case (ast.Is() | ast.Eq(), None):
            return "is none"
        case (ast.IsNot() | ast.NotEq(), None):
            return "is not none"
    if left is not node:
        op = _TURNED.get(type(op), type(op))()
    match op, other.value:
        case (ast.Gt() | ast.NotEq(), 0) | (ast.GtE(), 1):
            return "positive" if type(other.value) is int else "other"
        case (ast.Eq() | ast.LtE(), 0) | (ast.Lt(), 1):
            return "zero" if type(other.value) is int else "other"
    return "other"


_TURNED: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Lt: ast.Gt, ast.Gt: ast.Lt, ast.LtE: ast.GtE, ast.GtE: ast.LtE,
}  # fmt: skip
_OF_LOCALS: Final = frozenset({"locals", "vars", "eval", "exec", "dir"})


def _is_certain(binding: Binding, sites: frozenset[Binding], followed: bool) -> bool:
    return followed and sites == {binding}


def _looks_at_locals(owner: Scope) -> bool:
    return any(not _OF_LOCALS.isdisjoint(scope.reads) for scope in owner.within())


def _mentions(name: str, owner: Scope) -> Iterator[ast.Name]:
    """The places that name a variable, apart from plain assignments to it."""
    for node in walk(owner.node):
        match node:
            case ast.Name(id=found, ctx=ast.Load() | ast.Del()) if found == name:
                yield node
            case ast.AugAssign(target=ast.Name(id=found) as target) if found == name:
                yield target
