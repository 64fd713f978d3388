"""What becomes of a Query that stands where a statement stands: a subquery, a scalar, an argument of `execute()`."""

from __future__ import annotations

import ast
from typing import Final

from alchemod.facts.module import last_name
from alchemod.inference.translation.changes import Change, Removed, Renamed, Replaced, UntranslatedError
from alchemod.inference.translation.endings import Ending
from alchemod.inference.translation.situation import Situation
from alchemod.inference.translation.uniqueness import loads_collection
from alchemod.inference.translation.uses import SET_OPERATIONS, TAKING_STATEMENTS
from alchemod.inference.values import Answer, ColumnObject, Engine, Expression, ModelAttribute, Outside, Session

_LABELLED: Final = "{_}.set_label_style({sqlalchemy.LABEL_STYLE_TABLENAME_PLUS_COL})"


def statement_use(here: Situation) -> Ending:
    """What becomes of the use. Raises UntranslatedError when it has no counterpart."""
    match here.use.kind:
        case "call":
            return _method(here)
        case "attribute":
            return _attribute(here)
        case "compared":
            return _compared(here)
    return _argument(here)


def _method(here: Situation) -> Ending:
    """`subquery()`, `cte()`, `label()`, `as_scalar()`, `scalar_subquery()`."""
    call = here.use.node
    assert isinstance(call, ast.Call)
    assert isinstance(call.func, ast.Attribute)
    if here.statement.has_step("from_statement"):
        raise UntranslatedError(f"{here.use.name}() after from_statement() has no counterpart")
    if here.use.name == "as_scalar":
        return Ending((Renamed(call.func, "scalar_subquery", here.path),))
    if here.use.name != "subquery":
        return Ending(())
    changes: list[Change] = []
    labelled = here.statement.has_step("with_labels", "apply_labels")
    for keyword in call.keywords:
        match keyword:
            case ast.keyword(arg="name"):
                pass
            case ast.keyword(arg="with_labels", value=ast.Constant(value=bool() as wanted)):
                labelled = labelled or wanted
                changes.append(Removed(keyword, here.path))
            case _:
                raise UntranslatedError(f"subquery({ast.unparse(keyword)}) is not understood")
    if len(call.args) > 1:
        raise UntranslatedError("the arguments of subquery() are not understood")
    if labelled:
        changes.append(Replaced(here.use.receiver, _LABELLED, here.path))
    return Ending(tuple(changes))


def _attribute(here: Situation) -> Ending:
    """`query.statement` is the statement itself; the other attributes are those of the statement."""
    node = here.use.node
    assert isinstance(node, ast.Attribute)
    if here.use.name in {"statement", "selectable"}:
        return Ending((Replaced(node, "{statement}", here.path, {"statement": here.use.receiver}),))
    if here.use.name == "column_descriptions" and here.columns.nameless:
        raise UntranslatedError("the names of expressions without a label differ")
    return Ending(())


def _argument(here: Situation) -> Ending:
    """`column.in_(query)`, `session.execute(query)`, `insert(T).from_select([...], query)`."""
    match here.use.node:
        case ast.Call(func=ast.Attribute(value=receiver, attr=name)) if name in TAKING_STATEMENTS:
            answer = here.resolver.value(receiver, here.place_of(receiver))
            if name != "execute":
                return Ending(())
            if answer is not None and isinstance(answer.value, Session | Engine):
                if loads_collection(here.statement, here.columns, here.place_of, here.resolver):
                    raise UntranslatedError("a result with a collection that is joined has to be made unique")
                return Ending(())
        case ast.Call(func=function) if last_name(function) in SET_OPERATIONS:
            match here.resolver.value(function, here.place_of(function)):
                case Answer(value=Outside(canonical=str() as name)) if name in SET_OPERATIONS:
                    return Ending(())
    shown = last_name(here.use.node) if isinstance(here.use.node, ast.expr) else ""
    raise UntranslatedError(f"what {shown or 'the call'}() does with the Query is not seen")


def _compared(here: Situation) -> Ending:
    """`column == query`: a scalar subquery. A value of Python is never equal to a Query, but to a subquery in SQL."""
    match here.use.node:
        case ast.Compare(ops=[ast.Is() | ast.IsNot()]):
            return Ending(())
        case ast.Compare(ops=[_], left=left, comparators=[right]):
            other = right if left is here.use.receiver else left
            match here.resolver.value(other, here.place_of(other)):
                case Answer(value=ModelAttribute() | ColumnObject() | Expression(), certainty="proved"):
                    return Ending((Replaced(here.use.receiver, "{_}.scalar_subquery()", here.path),))
    raise UntranslatedError("what the Query is compared with is not seen")
