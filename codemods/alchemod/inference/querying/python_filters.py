"""Objects that are fetched and then filtered in Python: by a comprehension, a test in a loop, or `filter()`."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from alchemod.facts.nodes import children
from alchemod.inference.area import Area
from alchemod.inference.control.reaching import definitions
from alchemod.inference.names.spelling import spelling_of
from alchemod.inference.querying.executions import Execution
from alchemod.inference.querying.iteration import Iterations
from alchemod.inference.querying.postprocessing import SORTABLE, LocalWork, entity_of, listed, other_step
from alchemod.inference.querying.predicates import ObjectColumns, Translation
from alchemod.inference.scoping.scopes import COMPREHENSIONS, Comprehension, contains
from alchemod.inference.uses.usage import Usage, Uses
from alchemod.inference.values import Place

_NARROWED: Final = SORTABLE | {"order_by"}
"""Steps after which a further filter means the same rows."""
_OPPOSITE: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.GtE, ast.GtE: ast.Lt, ast.Gt: ast.LtE, ast.LtE: ast.Gt,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
Filtering: TypeAlias = ast.For | Comprehension | ast.Call


@dataclass(frozen=True, slots=True)
class _Tested:
    """Rows, the name that holds each of them, and the conditions under which something is done with it."""

    node: Filtering
    rows: ast.expr
    name: str
    tests: tuple[ast.expr, ...]
    statement: ast.If | None = None


class PythonFilters(Area):
    """Which objects are left out in Python."""

    def of(self, node: Filtering, place: Place) -> LocalWork | None:
        """The filter of a loop, a comprehension or a call of `filter()` over objects; None when it uses more of them
        than columns, or there is none."""
        tested = _tested(node)
        found = self.inference.ask(Iterations).source(tested.rows, place) if tested is not None else None
        if tested is None or found is None or found[2] is not None:
            return None
        return self._judged(tested, found[0], found[1], place)

    def next_to(self, call: ast.expr, place: Place) -> LocalWork | None:
        """The filter over the list that `call` gives, where a variable holds it for the very next statement only."""
        uses = self.inference.ask(Usage).of(call, place)
        if uses.variable is None or len(uses.every) != 1:
            return None
        around = self.inference.ask(Usage).around(place)
        node = _going_over(uses, around)
        tested = _tested(node) if node is not None else None
        found = self.inference.ask(Iterations).source(tested.rows, place) if tested is not None else None
        if tested is None or found is None or not _is_next(uses.variable, tested.node, around):
            return None
        return self._judged(tested, found[0], found[1], place)

    def _judged(self, tested: _Tested, execution: Execution, source: ast.expr, place: Place) -> LocalWork | None:
        entity = entity_of(execution)
        if entity is None:
            return None
        columns = ObjectColumns(tested.name, entity.model, self.inference.resolver)
        tests = tested.tests
        if any(columns.touches_more(test) or columns.hands_on(test) or columns.is_free(test) for test in tests):
            return None
        if isinstance(tested.node, ast.For) and not self._is_the_same_each_turn(tested, tested.node, place):
            return None
        into = Translation()
        terms = [columns.translated(test, into) for test in tests]
        work = LocalWork("filter", tested.node, execution, statement=tested.statement)
        if None in terms:
            return replace(work, missing="the condition is no comparison of columns")
        if (other := other_step(execution, _NARROWED)) is not None:
            return replace(work, missing=f"a filter after {other}() is not the same")
        spelling = spelling_of(entity, source, place, self.inference.resolver)
        template, holes = _without_conditions(tested, execution)
        if isinstance(tested.node, ast.Call) and _is_gone_over(tested.node, self.inference.ask(Usage).around(place)):
            template = "{source}"
        if spelling is None or spelling.imported is not None or (not template and tested.statement is None):
            return replace(work, missing="what is left of the loop is not known")
        step = f"{{_}}.{'filter' if execution.session is None else 'where'}({', '.join(filter(None, terms))})"
        filling = {**into.holes, "entity": spelling.code}
        return replace(work, template=template, holes=holes, step=step, filling=filling)

    def _is_the_same_each_turn(self, tested: _Tested, loop: ast.For, place: Place) -> bool:
        """Whether the turns of a loop leave what its conditions ask for alone, and its last row is not read later."""
        asked = {part.id for test in tested.tests for part in ast.walk(test) if isinstance(part, ast.Name)}
        if any(name in asked - {tested.name} for statement in loop.body for name in _touched(statement, tested)):
            return False
        unit, root = self.inference.ask(Usage).unit(place), place.scope.root.node
        binding = place.scope.binding_of.get(loop.target) if isinstance(loop.target, ast.Name) else None
        for node in ast.walk(unit):
            if not isinstance(node, ast.Name) or node.id != tested.name or contains(loop, node):
                continue
            if not isinstance(node.ctx, ast.Load) or not isinstance(root, ast.Module):
                continue
            if not place.scope.is_function or binding in definitions(root, node).sites:
                return False
        return True


def _tested(node: Filtering) -> _Tested | None:
    match node:
        case ast.For(target=ast.Name(id=name), iter=rows, body=[ast.If(orelse=[]) as test, *rest]):
            if not rest:
                return _Tested(node, rows, name, tuple(_terms(test.test)), test)
            if len(test.body) == 1 and isinstance(test.body[0], ast.Continue):
                return _Tested(node, rows, name, tuple(_opposite(test.test)), test)
        case ast.Call(
            func=ast.Name(id="filter"),
            args=[ast.Lambda(args=ast.arguments(args=[ast.arg(arg=name)], defaults=[]) as parameters, body=body), rows],
            keywords=[],
        ):
            if not (parameters.posonlyargs or parameters.vararg or parameters.kwonlyargs or parameters.kwarg):
                return _Tested(node, rows, name, tuple(_terms(body)))
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            match node.generators[0]:
                case ast.comprehension(target=ast.Name(id=name), iter=rows, ifs=[_, *_] as tests, is_async=0):
                    return _Tested(node, rows, name, tuple(term for test in tests for term in _terms(test)))
    return None


def _terms(test: ast.expr) -> list[ast.expr]:
    """The conditions that a test asks for together."""
    return test.values if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) else [test]


def _opposite(test: ast.expr) -> list[ast.expr]:
    """The conditions that hold together where a test does not."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return _terms(operand)
        case ast.BoolOp(op=ast.Or(), values=values):
            return [term for value in values for term in _opposite(value)]
        case ast.Compare(left=left, ops=[op], comparators=comparators) if type(op) in _OPPOSITE:
            return [ast.Compare(left, [_OPPOSITE[type(op)]()], comparators)]
    return [ast.UnaryOp(ast.Not(), test)]


def _touched(statement: ast.stmt, tested: _Tested) -> Iterator[str]:
    """The names that a statement in a loop binds, and those of objects that it may change; its test left aside."""
    stack: list[ast.AST] = [statement]
    while stack:
        node = stack.pop()
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                yield name
            case ast.Attribute(ctx=ast.Store() | ast.Del()) | ast.Subscript(ctx=ast.Store() | ast.Del()):
                yield _root(node)
            case ast.AugAssign(target=target):
                yield _root(target)
            case ast.Call(func=function, args=arguments, keywords=keywords):
                if isinstance(function, ast.Attribute):
                    yield _root(function)
                yield from map(_root, (*arguments, *(keyword.value for keyword in keywords)))
        stack += (child for child in children(node) if tested.statement is None or child is not tested.statement.test)


def _root(node: ast.expr) -> str:
    """The name from which an expression reads on: `seen` of `seen.names[0]`."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _going_over(uses: Uses, around: dict[ast.AST, ast.AST]) -> Filtering | None:
    """The loop, comprehension or call that goes over the only use of a list."""
    (use,) = uses.every
    match use.node:
        case ast.For() | ast.Call(func=ast.Name(id="filter")):
            return use.node
        case ast.comprehension():
            loop = around.get(use.node)
            if isinstance(loop, COMPREHENSIONS) and loop.generators[0] is use.node:
                return loop
    return None


def _is_gone_over(node: ast.expr, around: dict[ast.AST, ast.AST]) -> bool:
    """Whether an expression is only iterated over, once, so that it need be no iterator."""
    match around.get(node):
        case ast.For(iter=rows) | ast.comprehension(iter=rows):
            return rows is node
        case ast.Call(func=ast.Name(id="list" | "tuple" | "set" | "sorted" | "sum" | "any" | "all"), args=[rows, *_]):
            return rows is node
    return False


def _is_next(assignment: ast.Assign, node: Filtering, around: dict[ast.AST, ast.AST]) -> bool:
    """Whether the statement below an assignment is, or evaluates once, what goes over the list."""
    statement: ast.AST = node
    while not isinstance(statement, ast.stmt):
        statement = around[statement]
        if isinstance(statement, (*COMPREHENSIONS, ast.Lambda, ast.While, ast.FunctionDef, ast.ClassDef)):
            return False
    if isinstance(statement, ast.For) and statement is not node and not contains(statement.iter, node):
        return False
    suites: Sequence[Any] = [getattr(around[assignment], name, []) for name in ("body", "orelse", "finalbody")]
    return any([assignment, statement] == suite[at : at + 2] for suite in suites for at in range(len(suite)))


def _without_conditions(tested: _Tested, execution: Execution) -> tuple[str, dict[str, Any]]:
    """A template for what goes over the rows without its conditions; "" for a loop, and where none is known."""
    holes: dict[str, Any] = {"source": tested.rows, "target": tested.name}
    match tested.node:
        case ast.Call():
            return "iter({source})", holes
        case ast.DictComp(generators=[_], key=key, value=value):
            return "{{{key}: {value} for {target} in {source}}}", holes | {"key": key, "value": value}
        case ast.SetComp(generators=[_], elt=element):
            is_whole = isinstance(element, ast.Name) and element.id == tested.name
            made = "set({source})" if is_whole else "{{{element} for {target} in {source}}}"
            return made, holes | {"element": element}
        case ast.ListComp(generators=[_], elt=element):
            is_whole = isinstance(element, ast.Name) and element.id == tested.name
            made = listed(execution) if is_whole else "[{element} for {target} in {source}]"
            return made, holes | {"element": element}
    return "", holes
