"""What an expression may be, as far as one session is concerned: the session, its objects, lazy values, a parameter."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Final

from alchemod.inference.ownership.knowledge import SessionKnowledge
from alchemod.inference.ownership.patterns import subjects_in
from alchemod.inference.ownership.state import NONE, NOTHING, SESSION, Facts, Ref, Value
from alchemod.inference.scoping.scopes import UNITS, Scope

_NOT_CARRYING: Final = {"bind", "info", "dialect", "new", "dirty", "is_active"}
TIED: Final = frozenset(["session", "data", "rows", "lazy", "carrier", "holder", "unknown"])
"""The kinds of ref that have to do with the session or with objects."""
ASKING: Final = TIED - {"data", "rows", "unknown"}
"""Those that may send statements by themselves."""
OBJECTS: Final = frozenset(["data", "rows", "unknown"])


class Values:
    """The values of expressions in one function, for the session that comes from `site`, or is called `given` from
    the start. `gives` is what `site` gives, if that is no session."""

    def __init__(
        self, site: ast.AST, scope: Scope, knowledge: SessionKnowledge, given: str | None = None, gives: Ref = SESSION
    ) -> None:
        self._site: Final = site
        self._gives: Final = gives
        self._given: Final = given if given is not None and "." in given else None
        self._scope: Final = scope
        self._knowledge: Final = knowledge
        self._made: dict[ast.expr, Value] = {}
        self._subjects: dict[ast.pattern, tuple[ast.expr, bool]] | None = None

    def made(self, node: ast.expr, value: Value) -> None:
        """Note what a call, comprehension or subscript gave when it was evaluated."""
        if value:
            self._made[node] = self._made.get(node, NOTHING) | value

    def of(self, node: ast.expr | None, facts: Facts) -> Value:
        """What `node` may be, once it has been evaluated. Empty for values without interest."""
        match node:
            case ast.Name(id=name):
                return self._name(name, facts)
            case ast.Constant(value=None):
                return frozenset([NONE])
            case ast.Call():
                return frozenset([self._gives]) if node is self._site else self._made.get(node, NOTHING)
            case ast.Await(value=value) | ast.NamedExpr(value=value) | ast.Starred(value=value):
                return self.of(value, facts)
            case ast.Attribute():
                return self._attribute(node, facts)
            case ast.IfExp(body=body, orelse=orelse):
                return self.of(body, facts) | self.of(orelse, facts)
            case ast.BoolOp(values=parts) | ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
                return self.union(parts, facts)
            case ast.Dict(keys=keys, values=parts):
                return self.union([*(key for key in keys if key is not None), *parts], facts)
            case ast.BinOp(left=left, right=right):
                is_text = isinstance(left, ast.Constant) and isinstance(left.value, str)
                kinds = OBJECTS if is_text else TIED
                return frozenset(ref for ref in self.union((left, right), facts) if ref.kind in kinds)
            case None:
                return NOTHING
        return self._made.get(node, NOTHING)

    def union(self, nodes: Iterable[ast.expr], facts: Facts) -> Value:
        """What any of `nodes` may be."""
        return NOTHING.union(*(self.of(node, facts) for node in nodes))

    def element(self, value: Value, node: ast.expr | None = None) -> Value:
        """What an element of something may be."""
        return frozenset(_element(ref) for ref in value if ref.kind != "none")

    def matched(self, pattern: ast.pattern, facts: Facts) -> Value:
        """What a pattern of a `match` statement matches: its subject, or a part of that."""
        if self._subjects is None:
            assert isinstance(self._scope.node, UNITS)
            self._subjects = subjects_in(self._scope.node)
        subject, is_whole = self._subjects[pattern]
        value = self.of(subject, facts)
        if is_whole:
            return value
        parts = (Ref("unknown", ref.site) for ref in value if ref.kind in OBJECTS)
        return value.union(self.element(value), parts)

    def _name(self, name: str, facts: Facts) -> Value:
        if name in facts.names:
            return facts.names[name]
        return NOTHING if name in self._scope.bindings else frozenset([Ref("outer", name)])

    def _attribute(self, node: ast.Attribute, facts: Facts) -> Value:
        if self._given is not None and dotted(node) == self._given:
            return facts.names.get(self._given, NOTHING)
        result: set[Ref] = set()
        for ref in self.of(node.value, facts):
            match ref.kind:
                case "session" if node.attr not in _NOT_CARRYING:
                    result.add(Ref("carrier", node))
                case "lazy" | "parameter" | "outer" | "carrier" | "rows":
                    result.add(ref)
                case "holder" if self._knowledge.product(node).kind != "plain":
                    result.add(ref)
                case "data":
                    result |= self._of_object(ref, node)
                case "unknown" if self._knowledge.product(node).kind != "plain":
                    result.add(ref)
        return frozenset(result)

    def _of_object(self, ref: Ref, node: ast.Attribute) -> Value:
        kind = self._knowledge.attribute(node)
        if kind in ("column", "computed", "deferred"):
            return NOTHING
        product = self._knowledge.product(node).kind
        if kind in ("relationship", "eager"):
            return frozenset([ref.step(node.attr, "rows" if product == "objects" else "data")])
        return NOTHING if product == "plain" else frozenset([Ref("unknown", ref.site)])


def receiver_of(scope: Scope) -> str | None:
    """The parameter of a method that gets the object it belongs to; None for other functions."""
    if scope.parent is None or not isinstance(scope.parent.node, ast.ClassDef) or not scope.parameters:
        return None
    is_static = any(getattr(part, "id", "") == "staticmethod" for part in getattr(scope.node, "decorator_list", ()))
    return None if is_static else scope.parameters[0].arg


def tested_for_none(test: ast.expr) -> tuple[str, bool] | None:
    """The name that `test` asks about, and the truth of the test that means None."""
    match test:
        case ast.Name(id=name) | ast.NamedExpr(target=ast.Name(id=name)):
            return name, False
        case ast.Compare(
            left=ast.Name(id=name) | ast.NamedExpr(target=ast.Name(id=name)),
            ops=[ast.Is() | ast.IsNot() | ast.Eq() | ast.NotEq() as operator],
            comparators=[ast.Constant(value=None)],
        ):
            return name, isinstance(operator, (ast.Is, ast.Eq))
    return None


def dotted(node: ast.expr) -> str | None:
    """`a.b.c` for a name or the attributes of one, None for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else None


def _element(ref: Ref) -> Ref:
    match ref.kind:
        case "rows":
            return ref.step("[]")
        case "lazy":
            return Ref("data", ref.site, ("[]",))
    return ref
