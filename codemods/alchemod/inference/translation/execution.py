"""What one use of a Query becomes."""

from __future__ import annotations

import ast

from alchemod.inference.translation import bulk, counting, endings, fetching, slicing, statements
from alchemod.inference.translation.changes import UntranslatedError
from alchemod.inference.translation.endings import Ending
from alchemod.inference.translation.sessions import Executor, executor, has_scalars
from alchemod.inference.translation.situation import Result, Situation
from alchemod.inference.translation.uniqueness import loads_collection, needs_unique
from alchemod.inference.translation.unpacking import unpacked_list
from alchemod.inference.translation.uses import EXECUTING, why_unknown


def translated_use(here: Situation) -> Ending:
    """The changes at a use of a Query. Raises UntranslatedError when it has no counterpart."""
    match here.purpose:
        case "unknown":
            raise UntranslatedError(why_unknown(here.use))
        case "statement":
            return statements.statement_use(here)
        case "exists":
            return counting.exists_ending(here)
    assert here.purpose in EXECUTING
    run = executor(here.web, here.use, here.borrowing, here.resolver)
    done = _executed(here, run)
    return Ending(done.changes, (run.doubt, *done.doubts))


def _executed(here: Situation, run: Executor) -> Ending:
    match here.purpose:
        case "get":
            return fetching.get_ending(here, run)
        case "bulk":
            return bulk.bulk_ending(here, run)
        case "count":
            return counting.count_ending(here, run)
        case "value":
            return endings.value_ending(here, run)
    result, doubt = _result(here, run)
    if here.purpose in {"loop", "rows"} and (unpacked := unpacked_list(here, run, result)) is not None:
        return unpacked
    match here.purpose:
        case "loop":
            done = endings.iterated(here, run, result)
        case "slice":
            done = slicing.slice_ending(here, run, result)
        case "scalar":
            done = endings.scalar_ending(here, run, result)
        case "values":
            done = endings.values_ending(here, run, result)
        case _:
            done = endings.row_ending(here, run, result)
    return Ending(done.changes, (doubt, *done.doubts))


def _result(here: Situation, run: Executor) -> tuple[Result, str]:
    """How the statement is executed, and why the rows may then be others."""
    if len({columns.kind for _, columns in here.ways}) > 1:
        raise UntranslatedError("the Queries that meet here have rows of different kinds")
    unique = any(needs_unique(statement, columns, here.place_of, here.resolver) for statement, columns in here.ways)
    doubt = ""
    if unique and here.columns.kind == "rows" and (column := here.columns.unhashable) is not None:
        if loads_collection(here.statement, here.columns, here.place_of, here.resolver):
            raise UntranslatedError("rows with a column that cannot be hashed, and a collection that is joined")
        unique = False
        shown = ast.unparse(column.node) if column.node is not None else "a column"
        doubt = f"equal rows stay, as {shown} may not be hashable"
    session = run.session if isinstance(run.session, ast.expr) else here.web.origins[0].session
    short = has_scalars(session, here.web.origins[0].place, here.resolver)
    return Result.of_session(run.hole, has_scalars=short, unique=unique), doubt
