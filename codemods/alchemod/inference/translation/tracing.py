"""Follows a Query through the code of its function, and finds the ones that meet it in a variable."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from alchemod.inference.control.reaching import Definitions, definitions
from alchemod.inference.resolving.resolver import Resolver
from alchemod.inference.scoping.bindings import Binding
from alchemod.inference.translation.keeping import Keeping
from alchemod.inference.translation.passages import Passage, Passages
from alchemod.inference.translation.web import STEPS, Origin, Step, Use, UseKind, Web
from alchemod.inference.uses.parents import Parents, parents_of
from alchemod.inference.values import Answer, Outside, Place, Statement

_ASSIGNING: Final = frozenset({"assignment", "annotation", "walrus"})


def origins_in(root: ast.Module, top: Place, resolver: Resolver) -> Iterator[Origin]:
    """The expressions of a module that begin a Query of a session, in source order."""
    stack: list[ast.AST] = [root]
    while stack:
        node = stack.pop()
        stack += reversed(list(ast.iter_child_nodes(node)))
        if isinstance(node, ast.Call | ast.Attribute) and (origin := origin_at(node, top, resolver)) is not None:
            yield origin


def origin_at(node: ast.expr, top: Place, resolver: Resolver) -> Origin | None:
    """The origin that an expression is, None when it begins no Query. `top` is the top level of its module."""
    if not _may_begin(node):
        return None
    place = Place(top.module, top.scope.innermost(node))
    answer = resolver.value(node, place)
    match answer:
        case Answer(value=Statement(style="query", dynamic=False, steps=(), node=begun)) if begun is node:
            pass
        case _:
            return None
    match node:
        case ast.Attribute():
            return Origin(node, place, None)
        case ast.Call(func=ast.Attribute(value=session, attr="query") as method):
            is_class = isinstance(getattr(resolver.value(method, place), "value", None), Outside)
            return Origin(node, place, None if is_class else session)
        case ast.Call():
            return Origin(node, place, _session_argument(node))
    return None


def _may_begin(node: ast.expr) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(attr="query" | "Query") | ast.Name(id="Query")):
            return True
        case ast.Attribute(attr="query", ctx=ast.Load()):
            return True
    return False


def _session_argument(call: ast.Call) -> ast.expr | None:
    named = (keyword.value for keyword in call.keywords if keyword.arg == "session")
    return next(named, call.args[1] if len(call.args) > 1 else None)


class Tracer:
    """Traces one web, from an origin."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver: Final = resolver
        self._passages: Final = Passages(resolver)
        self._keeping: Final = Keeping(resolver)
        self._followed: Final[set[ast.expr]] = set()
        self._left: Final[set[ast.AST]] = set()
        self._meetings: Final[list[tuple[ast.expr, Place]]] = []
        self._seen: Final[dict[ast.Name, Definitions]] = {}
        self.web: Final = Web()

    def trace(self, origin: Origin) -> Web:
        """The web that `origin` belongs to."""
        self._begin(origin)
        while (unknown := self._next_unknown()) is not None:
            self._include(*unknown)
        return self.web

    def _begin(self, origin: Origin) -> None:
        if all(known.node is not origin.node for known in self.web.origins):
            self.web.origins.append(origin)
            self._follow(origin.node, origin.place)

    def _parents(self, place: Place) -> Parents:
        root = place.scope.root.node
        assert isinstance(root, ast.Module)
        return parents_of(root)

    def _follow(self, node: ast.expr, place: Place) -> None:
        """Follow the value of an expression outwards, to its uses."""
        pending = [node]
        while pending:
            current = pending.pop()
            if current in self._followed:
                continue
            self._followed.add(current)
            if (beyond := self._beyond(current, place)) is not None:
                pending.append(beyond)

    def _beyond(self, node: ast.expr, place: Place) -> ast.expr | None:
        """The expression around `node` that is a Query too; None where the Query is used."""
        parents = self._parents(place)
        above = parents.of(node)
        match above:
            case ast.Attribute(value=value, attr=name) if value is node:
                call = parents.of(above)
                if not (isinstance(call, ast.Call) and call.func is above):
                    self._use("attribute", node, above, place, name)
                elif name in STEPS:
                    self.web.steps.append(Step(name, call, place))
                    return call
                else:
                    self._use("call", node, call, place, name)
            case ast.Subscript(value=value) if value is node:
                self._use("subscript", node, above, place)
            case ast.IfExp(test=test) if test is not node:
                others = (branch for branch in (above.body, above.orelse) if branch is not node)
                self._meetings.extend((branch, place) for branch in others)
                return above
            case ast.Assign(targets=targets) if all(isinstance(target, ast.Name) for target in targets):
                for target in targets:
                    self._bind(target, place)
            case ast.Assign(targets=[ast.Attribute() as target]) if self._keep(target, place):
                pass
            case ast.AnnAssign(target=ast.Name() as target):
                self._bind(target, place)
            case ast.NamedExpr(target=target):
                self._bind(target, place)
                return above
            case ast.Return() if (passage := self._passages.out_of(place)) is not None:
                self._leave(passage)
            case ast.Call() | ast.keyword() if self._enter(node, above, place):
                pass
            case _:
                self._use(_kind_of_use(node, above), node, above, place)
        return None

    def _keep(self, target: ast.Attribute, place: Place) -> bool:
        """Follow what an object keeps to where it is read; whether it is an attribute of a class of the project."""
        if any(target.attr == kept.name and self._parents(place).holds(target) for kept in self.web.kept):
            return True
        kept = self._keeping.kept(target, place)
        if kept is None:
            return False
        self.web.kept.append(kept)
        if kept.problem:
            self.web.problems.append(kept.problem)
            return True
        for read, where in kept.reads:
            self._follow(read, where)
        self._meetings.extend(kept.stores)
        return True

    def _leave(self, passage: Passage) -> None:
        """Follow what a function returns to its calls."""
        if passage.function not in self._left:
            self._left.add(passage.function)
            self.web.passages.append(passage)
            self._meetings.extend((value, passage.inside) for value in passage.returned())
            for site in passage.sites:
                self._follow(site.call, site.place)

    def _enter(self, node: ast.expr, above: ast.AST, place: Place) -> bool:
        """Follow an argument into the function that is called; whether that is possible."""
        call = self._parents(place).of(above) if isinstance(above, ast.keyword) else above
        if not isinstance(call, ast.Call):
            return False
        if self._passages.goes_through(call, node, place):
            self._use("listed", node, call, place)
            return True
        if (passage := self._passages.into(call, place)) is None:
            return False
        binding = passage.parameter(call, node)
        if binding is None or not _may_be_query(binding):
            return False
        if binding not in self.web.bindings:
            self.web.passages.append(replace(passage, enters=binding))
            for site in passage.sites:
                actual = passage.actual(site, binding.name)
                if actual is None:
                    self.web.problems.append(f"a call of {passage.function.name}() gives no Query")
                else:
                    self._meetings.append((actual, site.place))
            self._read(binding, passage.inside)
        return True

    def _use(self, kind: UseKind, node: ast.expr, by: ast.AST, place: Place, name: str = "") -> None:
        self.web.uses.append(Use(kind, node, by, place, name))

    def _bind(self, target: ast.expr, place: Place) -> None:
        """Follow what a name holds after it was bound."""
        scope = place.scope
        while scope.is_comprehension and scope.parent is not None:
            scope = scope.parent
        binding = scope.binding_of.get(target)
        if binding is None or binding in self.web.bindings:
            return
        if scope.owner(binding.name) is None or binding in scope.outer_bindings:
            self.web.bindings[binding] = place
            self.web.problems.append(f"{binding.name} belongs to another scope")
            return
        self._read(binding, Place(place.module, scope))

    def _read(self, binding: Binding, place: Place) -> None:
        """Follow the reads of a name that see a binding made in `place`."""
        self.web.bindings[binding] = place
        owner = place.scope.owner(binding.name)
        root = place.scope.root
        assert isinstance(root.node, ast.Module)
        for read in self._parents(place).reads(binding.name):
            inner = root.innermost(read)
            if inner.owner(binding.name) is owner:
                found = definitions(root.node, read)
                if binding in found.sites:
                    self._seen[read] = found
                    self.web.reads[read] = Place(place.module, inner)
                    self._follow(read, self.web.reads[read])

    def _next_unknown(self) -> tuple[ast.expr | None, Binding | None, Place] | None:
        """Something that may stand where a Query of the web stands, and that is not of the web yet."""
        while self._meetings:
            node, place = self._meetings.pop()
            if node not in self._followed:
                return node, None, place
        for read, found in self._seen.items():
            for binding in found.sites:
                if binding not in self.web.bindings:
                    return binding.value, binding, self.web.reads[read]
        return None

    def _include(self, node: ast.expr | None, binding: Binding | None, place: Place) -> None:
        """Make what a variable or a branch may also hold part of the web, or note why it is not."""
        if binding is not None and binding.kind not in _ASSIGNING:
            node = None
        if node is not None:
            for start in self._starts(node, place):
                self._begin(start)
        if binding is not None and binding not in self.web.bindings:
            self.web.bindings[binding] = place
            self.web.problems.append(f"{binding.name} may hold something else than this Query")
        elif node is not None and binding is None and node not in self._followed:
            self._followed.add(node)
            self.web.problems.append(f"{ast.unparse(node)} is not known to be a Query")

    def _starts(self, node: ast.expr, place: Place) -> Iterator[Origin]:
        """The origins of the Query that an expression gives, looked for inwards and through variables."""
        pending = [node]
        seen: set[ast.expr] = set()
        top = Place(place.module, place.scope.root)
        while pending:
            current = pending.pop()
            if current in seen:
                continue
            seen.add(current)
            if (origin := origin_at(current, top, self._resolver)) is not None:
                yield origin
                continue
            match current:
                case ast.Call(func=ast.Attribute(value=inner)) | ast.NamedExpr(value=inner):
                    pending.append(inner)
                case ast.IfExp(body=body, orelse=orelse):
                    pending += [body, orelse]
                case ast.Name():
                    root = top.scope.node
                    assert isinstance(root, ast.Module)
                    sites = definitions(root, current).sites
                    pending += [site.value for site in sites if site.value is not None and site.kind in _ASSIGNING]


def _may_be_query(parameter: Binding) -> bool:
    """Whether a parameter may be meant for a Query: one that is annotated as rows gets other things too."""
    annotation = parameter.node.annotation if isinstance(parameter.node, ast.arg) else None
    return annotation is None or "Query" in ast.unparse(annotation) or "Any" in ast.unparse(annotation)


def _kind_of_use(node: ast.expr, above: ast.AST) -> UseKind:
    match above:
        case ast.For() | ast.comprehension() | ast.Starred() | ast.YieldFrom():
            return "iterated"
        case ast.Assign(targets=[ast.Tuple() | ast.List()]):
            return "iterated"
        case ast.Compare(ops=[*_, ast.In() | ast.NotIn()], comparators=[*_, last]) if last is node:
            return "iterated"
        case ast.Compare():
            return "compared"
        case ast.Call() | ast.keyword():
            return "argument"
        case ast.Return() | ast.Lambda():
            return "returned"
        case ast.If(test=test) | ast.While(test=test) | ast.Assert(test=test) | ast.IfExp(test=test) if test is node:
            return "tested"
        case ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
            return "tested"
        case ast.Assign() | ast.Tuple() | ast.List() | ast.Set() | ast.Dict():
            return "stored"
    return "other"
