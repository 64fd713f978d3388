"""What the slices and items of a Query become: `slice()` or `limit()`, executed."""

from __future__ import annotations

import ast

from alchemod.inference.translation.changes import Replaced, UntranslatedError
from alchemod.inference.translation.endings import Ending
from alchemod.inference.translation.sessions import Executor
from alchemod.inference.translation.situation import Result, Situation


def slice_ending(here: Situation, executor: Executor, result: Result) -> Ending:
    """`query[i:j]` and `query[i]`."""
    node = here.use.node
    assert isinstance(node, ast.Subscript)
    if here.statement.has_step("from_statement"):
        raise UntranslatedError("a Query with from_statement() refuses slices")
    holes = {"session": executor.session, "statement": here.use.receiver}
    run = result.of(here.columns)
    match node.slice:
        case ast.Slice(lower=lower, upper=upper, step=step):
            narrowed, doubt = _narrowed(here, lower, upper)
            template = f"{run}.all()"
            if step is not None:
                holes["step"] = step
                template, doubt = f"{run}.all()[::{{step}}]", "the step is applied to the list"
        case index:
            narrowed, doubt = _item(here, index)
            template = f"{run}.all()[0]"
    return Ending((*narrowed, Replaced(node, template, here.path, holes)), (doubt,))


def _narrowed(here: Situation, lower: ast.expr | None, upper: ast.expr | None) -> tuple[list[Replaced], str]:
    bounds = [_bound(bound) for bound in (lower, upper)]
    doubt = ""
    if any(isinstance(bound, ast.expr) for bound in bounds):
        doubt = "a bound may be negative, which select() refuses in another way"
    if lower is None and upper is None:
        return [], doubt
    first, last = bounds
    if upper is not None and isinstance(first, int) and isinstance(last, int) and last <= first:
        raise UntranslatedError("the slice is empty, and a Query then sends nothing")
    if lower is None or (bounds[0] == 0 and upper is not None):
        return [Replaced(here.use.receiver, "{_}.limit({upper})", here.path, {"upper": upper})], doubt
    if upper is None:
        return [Replaced(here.use.receiver, "{_}.slice({lower}, None)", here.path, {"lower": lower})], doubt
    holes = {"lower": lower, "upper": upper}
    return [Replaced(here.use.receiver, "{_}.slice({lower}, {upper})", here.path, holes)], doubt


def _item(here: Situation, index: ast.expr) -> tuple[list[Replaced], str]:
    match _bound(index):
        case int() as number:
            return [Replaced(here.use.receiver, f"{{_}}.slice({number}, {number + 1})", here.path)], ""
    if not isinstance(index, ast.Name):
        raise UntranslatedError("which item is asked for is not seen")
    template = "{_}.slice({index}, {index} + 1)"
    return [Replaced(here.use.receiver, template, here.path, {"index": index.id})], "the index may be negative"


def _bound(node: ast.expr | None) -> int | ast.expr | None:
    """The bound as a number, if it is a literal."""
    match node:
        case None | ast.Constant(value=None):
            return 0
        case ast.Constant(value=bool()):
            raise UntranslatedError("a bound of the slice is no number")
        case ast.Constant(value=int() as number):
            return number
        case ast.UnaryOp(op=ast.USub()):
            raise UntranslatedError("a negative index loads all rows in 1.4 and raises in 2.0")
    return node
