"""Which names a function, class, module, lambda or comprehension binds, and which it takes from outside.

A `Scope` is scanned when first asked, and scans its own code only, not that of the scopes inside it. So a
question about one function of a large module costs little. Rules of the Python reference, section 4.2
"Naming and binding".
"""

from __future__ import annotations

import ast
from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import cached_property
from itertools import accumulate
from typing import Any, Final, TypeAlias

from alchemod.facts import nodes
from alchemod.inference.scoping.bindings import BINDING, Binding, BindingKind, bindings_in

FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
Body: TypeAlias = FunctionNode | ast.Module
"""Code that is walked as one: a function, or a module outside of functions."""
Comprehension: TypeAlias = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
ScopeNode: TypeAlias = ast.Module | FunctionNode | ast.Lambda | ast.ClassDef | Comprehension

COMPREHENSIONS: Final = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
UNITS: Final = (*FUNCTIONS, ast.Module)
_SCOPES: Final = (*FUNCTIONS, ast.Lambda, ast.ClassDef, *COMPREHENSIONS)
_MEMO: Final = "_alchemod_scope"
_Position: TypeAlias = tuple[int, int]


class Scope:
    """A block of code with its own names.

    `node` is the module, function, lambda, class or comprehension; `parent` is the scope around it (None at
    the root).
    """

    def __init__(self, node: ScopeNode, parent: Scope | None = None) -> None:
        self.node: Final = node
        self.parent: Final = parent

    @cached_property
    def _facts(self) -> _Facts:
        return _scan(self)

    @property
    def bindings(self) -> dict[str, list[Binding]]:
        """Every place that binds each name here, in source order, but not names declared global or
        nonlocal."""
        return self._facts.bindings

    @property
    def reads(self) -> set[str]:
        """Names loaded or deleted directly in this scope, not in scopes inside it."""
        return self._facts.reads

    @property
    def global_names(self) -> frozenset[str]:
        """Names declared `global` here."""
        return self._facts.global_names

    @property
    def nonlocal_names(self) -> frozenset[str]:
        """Names declared `nonlocal` here."""
        return self._facts.nonlocal_names

    @property
    def outer_bindings(self) -> list[Binding]:
        """Bindings made here of names that live elsewhere: declared global or nonlocal."""
        return self._facts.outer_bindings

    @property
    def children(self) -> list[Scope]:
        """The scopes directly inside, in source order."""
        return self._facts.children

    @cached_property
    def named(self) -> dict[str, list[Scope]]:
        """The functions and classes directly inside, by name, in source order."""
        found: dict[str, list[Scope]] = {}
        for child in self.children:
            if isinstance(child.node, (*FUNCTIONS, ast.ClassDef)):
                found.setdefault(child.node.name, []).append(child)
        return found

    @cached_property
    def binding_of(self) -> dict[ast.AST, Binding]:
        """The binding of each target node of this scope, those of global and nonlocal names included."""
        found = {binding.target: binding for places in self.bindings.values() for binding in places}
        found.update((binding.target, binding) for binding in self.outer_bindings)
        return found

    def within(self) -> Iterator[Scope]:
        """This scope and all scopes inside it."""
        stack = [self]
        while stack:
            scope = stack.pop()
            yield scope
            stack += scope.children

    @cached_property
    def rebound_inside(self) -> set[str]:
        """Names that this scope or one inside it rebinds through `nonlocal` or `global`."""
        return {binding.name for scope in self.within() for binding in scope.outer_bindings}

    @property
    def is_function(self) -> bool:
        """Whether this is a function or lambda."""
        return isinstance(self.node, (*FUNCTIONS, ast.Lambda))

    @property
    def is_comprehension(self) -> bool:
        """Whether this is a comprehension or generator expression."""
        return isinstance(self.node, COMPREHENSIONS)

    @property
    def parameters(self) -> list[ast.arg]:
        """The parameters of a function or lambda in the order they are written; empty for other scopes."""
        if not isinstance(self.node, (*FUNCTIONS, ast.Lambda)):
            return []
        return [parameter for parameter, _ in _parameters(self.node.args)]

    def free_names(self) -> set[str]:
        """Names read here or in scopes inside that come from outside this scope."""
        inside = set(self.within())
        free = set()
        for scope in inside:
            for name in scope.reads | scope.nonlocal_names | scope.global_names:
                if scope.owner(name) not in inside:
                    free.add(name)
        return free

    def owner(self, name: str) -> Scope | None:
        """The scope whose variable `name` means here; None for a builtin or a name from outside the root."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.global_names:
                return scope.root if name in scope.root.bindings else None
            visible = scope is self or not isinstance(scope.node, ast.ClassDef)
            if visible and name in scope.bindings:
                return scope
            scope = scope.parent
        return None

    @property
    def root(self) -> Scope:
        """The outermost scope: the module, unless the scopes were asked of a function alone."""
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope

    def innermost(self, node: ast.expr | ast.stmt) -> Scope:
        """The scope in which `node`, a node inside this scope, is evaluated. Decorators, defaults,
        annotations, bases and the first iterable of a comprehension belong to the scope around."""
        scope = self
        while (inner := scope._child_around(node)) is not None:
            scope = inner
        return scope

    def _child_around(self, node: ast.expr | ast.stmt) -> Scope | None:
        """The scope directly inside in which `node` is evaluated."""
        starts, reached, children = self._sorted
        at = bisect_right(starts, _start(node)) - 1
        while at >= 0 and reached[at] >= _end(node):
            if children[at].node is not node and children[at]._evaluates(node):
                return children[at]
            at -= 1
        return None

    @cached_property
    def _sorted(self) -> tuple[list[_Position], list[_Position], list[Scope]]:
        """The scopes directly inside by their starts: these, how far each and those before it reach, and they."""
        nodes = [child.node for child in self.children if not isinstance(child.node, ast.Module)]
        order = sorted(range(len(nodes)), key=lambda index: _start(nodes[index]))
        reached = accumulate((_end(nodes[index]) for index in order), max)
        return [_start(nodes[index]) for index in order], list(reached), [self.children[index] for index in order]

    def find(self, node: ScopeNode) -> Scope | None:
        """The scope of `node`, a scope node somewhere inside this one; None if there is none."""
        if node is self.node:
            return self
        if isinstance(node, ast.Module):
            return None
        return self.innermost(node)._by_node.get(node)

    @cached_property
    def _by_node(self) -> dict[ScopeNode, Scope]:
        return {child.node: child for child in self.children}

    def _evaluates(self, node: ast.expr | ast.stmt) -> bool:
        own = self.node
        assert not isinstance(own, ast.Module)
        if not contains(own, node):
            return False
        if isinstance(own, (*FUNCTIONS, ast.ClassDef)) and _start(node) >= _start(own.body[0]):
            return True
        return not any(contains(part, node) for part in _outer_parts(own))


def scope_of(tree: ast.Module | FunctionNode) -> Scope:
    """The root scope of a module, or of a function alone (then names from outside it have no owner). Kept
    with the tree."""
    scope = tree.__dict__.get(_MEMO)
    if not isinstance(scope, Scope):
        scope = tree.__dict__[_MEMO] = Scope(tree)
    return scope


def reads_of(name: str, scope: Scope) -> list[ast.Name]:
    """The places that mention the variable `name` of this scope, those in scopes inside included, its bindings not."""
    if not any(name in inner.reads for inner in scope.within()):
        return []
    return [
        node
        for node in ast.walk(scope.node)
        if isinstance(node, ast.Name)
        and node.id == name
        and isinstance(node.ctx, ast.Load)
        and scope.innermost(node).owner(name) is scope
    ]


class _Facts:
    __slots__ = ("bindings", "children", "global_names", "nonlocal_names", "outer_bindings", "reads")

    def __init__(self) -> None:
        self.bindings: dict[str, list[Binding]] = {}
        self.outer_bindings: list[Binding] = []
        self.reads: set[str] = set()
        self.global_names: frozenset[str] = frozenset()
        self.nonlocal_names: frozenset[str] = frozenset()
        self.children: list[Scope] = []

    def bind(self, binding: Binding) -> None:
        self.bindings.setdefault(binding.name, []).append(binding)


def _scan(scope: Scope) -> _Facts:
    facts = _Facts()
    node = scope.node
    stack: list[ast.AST] = []
    if isinstance(node, (*FUNCTIONS, ast.Lambda)):
        for parameter, default in _parameters(node.args):
            facts.bind(Binding(parameter.arg, "parameter", parameter, parameter, default))
    if isinstance(node, COMPREHENSIONS):
        stack += [*_results(node), *reversed(node.generators)]
    elif isinstance(node, ast.Lambda):
        stack.append(node.body)
    else:
        stack += reversed(node.body)
    for type_parameter in getattr(node, "type_params", ()):
        facts.bind(Binding(type_parameter.name, "type", type_parameter, type_parameter))
    _walk(scope, facts, stack)
    for name in facts.global_names | facts.nonlocal_names:
        facts.outer_bindings += facts.bindings.pop(name, [])
    return facts


def _walk(scope: Scope, facts: _Facts, stack: list[ast.AST]) -> None:
    while stack:
        node = stack.pop()
        if type(node) is ast.Name:
            if type(node.ctx) is ast.Load:
                facts.reads.add(node.id)
        elif (visit := _VISITS.get(type(node))) is not None:
            visit(node, scope, facts, stack)
        else:
            stack += reversed(nodes.children(node))


def _visit_global(node: ast.Global, scope: Scope, facts: _Facts, stack: list[ast.AST]) -> None:
    facts.global_names |= {*node.names}


def _visit_nonlocal(node: ast.Nonlocal, scope: Scope, facts: _Facts, stack: list[ast.AST]) -> None:
    facts.nonlocal_names |= {*node.names}


def _visit_binding(node: ast.AST, scope: Scope, facts: _Facts, stack: list[ast.AST]) -> None:
    if not (scope.is_comprehension and isinstance(node, ast.NamedExpr)):
        for binding in bindings_in(node):
            facts.bind(binding)
            if binding.kind in ("augmented", "delete"):
                facts.reads.add(binding.name)
    stack += reversed(nodes.children(node))


def _visit_clause(node: ast.comprehension, scope: Scope, facts: _Facts, stack: list[ast.AST]) -> None:
    for binding in bindings_in(node):
        facts.bind(binding)
    stack += (*reversed(node.ifs), node.target)
    if not (isinstance(scope.node, COMPREHENSIONS) and node is scope.node.generators[0]):
        stack.append(node.iter)


def _visit_scope(
    node: FunctionNode | ast.Lambda | ast.ClassDef | Comprehension, scope: Scope, facts: _Facts, stack: list[ast.AST]
) -> None:
    facts.children.append(Scope(node, scope))
    if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
        kind: BindingKind = "class" if isinstance(node, ast.ClassDef) else "function"
        facts.bind(Binding(node.name, kind, node, node))
    elif isinstance(node, COMPREHENSIONS) and not scope.is_comprehension:
        for walrus in _walruses(node):
            for binding in bindings_in(walrus):
                facts.bind(binding)
    stack += reversed(_outer_parts(node))


_VISITS: Final[dict[type[ast.AST], Callable[[Any, Scope, _Facts, list[ast.AST]], None]]] = {
    **dict.fromkeys(BINDING, _visit_binding),
    ast.comprehension: _visit_clause,
    ast.Global: _visit_global,
    ast.Nonlocal: _visit_nonlocal,
    **dict.fromkeys(_SCOPES, _visit_scope),
}
"""What is done with a node that binds names or begins a scope; what is to be visited next goes onto the stack."""


def _walruses(comprehension: Comprehension) -> Iterator[ast.NamedExpr]:
    """The assignment expressions in a comprehension, which bind in the scope around it (PEP 572)."""
    stack: list[ast.AST] = [comprehension]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.NamedExpr):
            yield node
        if not isinstance(node, ast.Lambda):
            stack += nodes.children(node)


def _parameters(arguments: ast.arguments) -> Iterator[tuple[ast.arg, ast.expr | None]]:
    positional = [*arguments.posonlyargs, *arguments.args]
    missing: list[ast.expr | None] = [None] * (len(positional) - len(arguments.defaults))
    yield from zip(positional, [*missing, *arguments.defaults], strict=True)
    if arguments.vararg is not None:
        yield arguments.vararg, None
    yield from zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    if arguments.kwarg is not None:
        yield arguments.kwarg, None


def _results(node: Comprehension) -> list[ast.expr]:
    return [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]


def _outer_parts(node: FunctionNode | ast.Lambda | ast.ClassDef | Comprehension) -> list[ast.expr]:
    """The expressions written inside a scope's source that the scope around evaluates."""
    if isinstance(node, COMPREHENSIONS):
        return [node.generators[0].iter]
    if isinstance(node, ast.ClassDef):
        return [*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords)]
    arguments = node.args
    parts = [*arguments.defaults, *(default for default in arguments.kw_defaults if default is not None)]
    annotations = (parameter.annotation for parameter, _ in _parameters(arguments))
    parts += [annotation for annotation in annotations if annotation is not None]
    if isinstance(node, FUNCTIONS):
        parts = [*node.decorator_list, *parts]
        if node.returns is not None:
            parts.append(node.returns)
    return parts


def contains(outer: ast.expr | ast.stmt, inner: ast.expr | ast.stmt) -> bool:
    """Whether the source of `inner` lies within that of `outer`."""
    return outer.lineno <= inner.lineno and _start(outer) <= _start(inner) and _end(inner) <= _end(outer)


def _start(node: ast.expr | ast.stmt) -> _Position:
    return node.lineno, node.col_offset


def _end(node: ast.expr | ast.stmt) -> _Position:
    return node.end_lineno or node.lineno, node.end_col_offset or 0
