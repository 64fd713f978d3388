"""List comprehensions that only unpack the rows of a single column: what they make, `scalars()` gives by itself."""

from __future__ import annotations

import ast

from alchemod.inference.translation.changes import Replaced
from alchemod.inference.translation.endings import Ending
from alchemod.inference.translation.sessions import Executor
from alchemod.inference.translation.situation import Result, Situation
from alchemod.inference.uses.parents import parents_of


def unpacked_list(here: Situation, executor: Executor, result: Result) -> Ending | None:
    """`[x for (x,) in query]`, `[row[0] for row in query.all()]`; None when the rows are used in another way."""
    if here.columns.kind != "columns" or len(here.columns.columns) != 1 or here.columns.columns[0].kind == "bundle":
        return None
    made = _comprehension(here)
    if made is None or not _only_unpacks(made):
        return None
    holes = {"session": executor.session, "statement": here.use.receiver}
    return Ending((Replaced(made, f"{result.scalars}.all()", here.path, holes),))


def _comprehension(here: Situation) -> ast.ListComp | None:
    """The comprehension that goes over the rows of the use, and over nothing else."""
    tree = here.use.place.scope.root.node
    assert isinstance(tree, ast.Module)
    parents = parents_of(tree)
    is_all = here.use.kind == "call" and here.use.name == "all"
    clause = parents.of(here.use.node) if is_all else here.use.node
    made = parents.of(clause) if isinstance(clause, ast.comprehension) else None
    return made if isinstance(made, ast.ListComp) else None


def _only_unpacks(made: ast.ListComp) -> bool:
    match made:
        case ast.ListComp(
            elt=ast.Name(id=given),
            generators=[ast.comprehension(target=ast.Tuple(elts=[ast.Name(id=taken)]), ifs=[], is_async=0)],
        ):
            return given == taken
        case ast.ListComp(
            elt=ast.Subscript(value=ast.Name(id=given), slice=ast.Constant(value=0)),
            generators=[ast.comprehension(target=ast.Name(id=taken), ifs=[], is_async=0)],
        ):
            return given == taken
    return False
