"""The order in which Python evaluates an expression.

An expression becomes a list of steps: the nodes at which something happens, in the order of the Python
reference (section 6.16 "Evaluation order"), with a `Fork` where evaluation may take more than one way.
Nothing here recurses on the depth of a chain, so a chain of 1,000 calls is one list of steps.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from alchemod.facts.nodes import children
from alchemod.inference.scoping.scopes import COMPREHENSIONS, Comprehension

Forking: TypeAlias = ast.BoolOp | ast.IfExp | ast.Compare | Comprehension


@dataclass(frozen=True, slots=True)
class Fork:
    """A part of an expression that is evaluated as control flow: `and`, `or`, a conditional, a chained
    comparison, a comprehension."""

    node: Forking


class MayRaise:
    """A step at which nothing happens but that may raise."""


MAY_RAISE: Final = MayRaise()
Step: TypeAlias = ast.AST | Fork | MayRaise

_NEVER_RAISE: Final = (
    ast.Name,
    ast.Constant,
    ast.Lambda,
    ast.GeneratorExp,
    ast.List,
    ast.Tuple,
    ast.Starred,
    ast.JoinedStr,
    ast.Slice,
)
_LEAVES: Final = frozenset({ast.Name, ast.Constant})


def can_raise(node: ast.AST) -> bool:
    """Whether what happens at this node itself, its parts evaluated, can raise. Names, constants, `is`,
    `not`, displays of lists and tuples, and making a function cannot."""
    if isinstance(node, ast.Compare):
        return not all(isinstance(operator, (ast.Is, ast.IsNot)) for operator in node.ops)
    if isinstance(node, (ast.List, ast.Tuple)) and isinstance(node.ctx, ast.Store):
        return True
    if isinstance(node, ast.UnaryOp):
        return not isinstance(node.op, ast.Not) and not isinstance(node.operand, ast.Constant)
    return isinstance(node, (ast.expr, ast.comprehension)) and not isinstance(node, _NEVER_RAISE)


def steps_of(
    expression: ast.expr,
    wanted: frozenset[type[ast.AST]] | None,
    runs_now: Callable[[ast.GeneratorExp, ast.Call], bool],
) -> list[Step]:
    """The steps of evaluating (or, for a target, binding) `expression`.

    With `wanted`, nodes of other types leave only `MAY_RAISE`. `runs_now(generator, call)` says whether a
    generator expression that is an argument of a call is consumed by that call; otherwise only its first
    iterable is evaluated.
    """
    steps: list[Step] = []
    consumed: set[ast.GeneratorExp] = set()
    stack: list[tuple[ast.AST, bool]] = [(expression, False)]
    while stack:
        node, parts_done = stack.pop()
        if parts_done:
            _emit(node, wanted, steps)
            continue
        if _forks(node, consumed):
            assert isinstance(node, (ast.BoolOp, ast.IfExp, ast.Compare, *COMPREHENSIONS))
            steps.append(Fork(node))
            continue
        if isinstance(node, ast.Call):
            arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
            consumed.update(part for part in arguments if isinstance(part, ast.GeneratorExp) and runs_now(part, node))
        if isinstance(node, (ast.Tuple, ast.List)) and isinstance(node.ctx, ast.Store):
            _emit(node, wanted, steps)
        else:
            stack.append((node, True))
        stack += [(part, type(part) in _LEAVES) for part in reversed(_parts(node))]
    return steps


def _forks(node: ast.AST, consumed: set[ast.GeneratorExp]) -> bool:
    if isinstance(node, ast.GeneratorExp):
        return node in consumed
    if isinstance(node, ast.Compare):
        return len(node.ops) > 1
    return isinstance(node, (ast.BoolOp, ast.IfExp, *COMPREHENSIONS))


def _emit(node: ast.AST, wanted: frozenset[type[ast.AST]] | None, steps: list[Step]) -> None:
    if isinstance(node, (ast.Constant, ast.NamedExpr, ast.keyword)):
        return
    if wanted is None or type(node) in wanted:
        steps.append(node)
    elif can_raise(node) and not (steps and steps[-1] is MAY_RAISE):
        steps.append(MAY_RAISE)


def _parts(node: ast.AST) -> list[ast.expr]:
    """The expressions evaluated before what happens at `node`, in order. Leaves have none."""
    match node:
        case ast.Name() | ast.Constant():
            return []
        case ast.Attribute(value=value):
            return [value]
        case ast.Call(func=func, args=args, keywords=keywords):
            return [func, *args, *(keyword.value for keyword in keywords)]
        case ast.NamedExpr(target=target, value=value):
            return [value, target]
        case ast.Dict(keys=keys, values=values):
            pairs = zip(keys, values, strict=True)
            return [part for pair in pairs for part in pair if part is not None]
        case ast.Lambda(args=arguments):
            return [*arguments.defaults, *(part for part in arguments.kw_defaults if part is not None)]
        case ast.GeneratorExp(generators=[first, *_]):
            return [first.iter]
        case _:
            return [part for part in children(node) if isinstance(part, ast.expr)]
