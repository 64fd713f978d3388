"""What `get()` of a Query becomes: `Session.get()`, with what the chain set as its arguments.

"Getting an Object by primary key" in the 2.0 migration guide.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any, Final

from alchemod.inference.translation.changes import Replaced, UntranslatedError
from alchemod.inference.translation.endings import Ending
from alchemod.inference.translation.sessions import Executor
from alchemod.inference.translation.situation import Situation
from alchemod.inference.values import ModelClass

_WITHOUT_EFFECT: Final = frozenset({"order_by", "distinct", "autoflush", "reset_joinpoint", "with_session"})


def get_ending(here: Situation, executor: Executor) -> Ending:
    """`get(identity)`."""
    if not here.web.is_expression:
        raise UntranslatedError("the Query that get() is called on is held in a variable")
    if here.columns.kind != "entity":
        raise UntranslatedError("get() needs a Query for one class")
    entity = here.columns.columns[0]
    if any(isinstance(owner, ModelClass) and owner.alias is not None for owner in entity.owners):
        raise UntranslatedError("get() of an alias raises")
    call = here.use.node
    assert isinstance(call, ast.Call)
    match call:
        case ast.Call(args=[identity], keywords=[]) if not isinstance(identity, ast.Starred):
            pass
        case ast.Call(args=[], keywords=[ast.keyword(arg="ident", value=identity)]):
            pass
        case _:
            raise UntranslatedError("what get() is given is not seen")
    holes: dict[str, Any] = {"session": executor.session, "entity": entity.node, "identity": identity}
    arguments = ["{entity}", "{identity}", *_keywords(here, holes)]
    template = f"{executor.hole}.get({', '.join(arguments)})"
    return Ending((Replaced(call, template, here.path, holes),))


def _keywords(here: Situation, holes: dict[str, Any]) -> Iterator[str]:
    """The keyword arguments that the steps of the chain become; their values go into `holes`."""
    options: list[str] = []
    execution: list[str] = []
    locking = populating = ""
    for name, call in here.statement.steps:
        if any(isinstance(argument, ast.Starred) for argument in call.args) or any(
            keyword.arg is None for keyword in call.keywords
        ):
            raise UntranslatedError(f"what {name}() gets is not seen")
        match name:
            case "options":
                options += [_hole(argument, holes) for argument in call.args]
            case "populate_existing":
                populating = "populate_existing=True"
            case "with_for_update":
                pairs = [f'"{keyword.arg}": {_hole(keyword.value, holes)}' for keyword in call.keywords]
                if call.args:
                    raise UntranslatedError("the arguments of with_for_update() are not understood")
                locking = f"with_for_update={{{{{', '.join(pairs)}}}}}" if pairs else "with_for_update=True"
            case "execution_options":
                execution += [f'"{keyword.arg}": {_hole(keyword.value, holes)}' for keyword in call.keywords]
            case _ if name in _WITHOUT_EFFECT:
                pass
            case _:
                raise UntranslatedError(f"a Query with {name}() refuses get(): this call raises")
    if options:
        yield f"options=[{', '.join(options)}]"
    if populating:
        yield populating
    if locking:
        yield locking
    if execution:
        yield f"execution_options={{{{{', '.join(execution)}}}}}"


def _hole(node: ast.expr, holes: dict[str, Any]) -> str:
    name = f"part_{len(holes)}"
    holes[name] = node
    return f"{{{name}}}"
