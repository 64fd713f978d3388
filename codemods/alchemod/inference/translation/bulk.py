"""What `update()` and `delete()` of a Query become: the constructs of that name, executed.

"ORM UPDATE and DELETE with arbitrary WHERE" in the 2.0 migration guide: the way the session is synchronised goes into
the execution options, the number of rows is `rowcount`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any, Final

from alchemod.inference.resolving.functions import enclosing_function
from alchemod.inference.translation.changes import Change, Replaced, Source, UntranslatedError
from alchemod.inference.translation.endings import Ending
from alchemod.inference.translation.sessions import Executor
from alchemod.inference.translation.situation import Situation
from alchemod.inference.uses.parents import parents_of
from alchemod.inference.values import Answer, ModelAttribute, Place

_CRITERIA: Final = frozenset({"filter", "where", "filter_by"})


def bulk_ending(here: Situation, executor: Executor) -> Ending:
    """`update({...})`, `delete()`."""
    if here.columns.kind != "entity":
        raise UntranslatedError(f"{here.use.name}() needs a Query for one class")
    call = here.use.node
    assert isinstance(call, ast.Call)
    values, how, doubt = _arguments(here, call)
    links = ".values({values})" if values is not None else ""
    if how is not None:
        links += ".execution_options(synchronize_session={how})"
    holes: dict[str, Any] = {"session": executor.session, "statement": here.use.receiver}
    tail = "" if _is_unused(here) else ".rowcount"
    if here.is_shared:
        holes |= {"entity": _entity(here), "values": values, "how": how}
        made = f"{{sqlalchemy.{here.use.name}}}({{entity}}).where({{statement}}.whereclause){links}"
        changed = Replaced(call, f"{executor.hole}.execute({made}){tail}", here.path, holes)
        return Ending((changed,), ("the criteria are those of a statement that is used for something else too",))
    changes: list[Change] = [] if here.use is not here.web.uses[0] else list(_constructs(here))
    if links:
        changes.append(Replaced(here.use.receiver, f"{{_}}{links}", here.path, {"values": values, "how": how}))
    changes.append(Replaced(call, f"{executor.hole}.execute({{statement}}){tail}", here.path, holes))
    return Ending(tuple(changes), (doubt,))


def _entity(here: Situation) -> Source:
    """The class of a Query that is used for something else too, where its criteria alone are to be taken."""
    if not any(
        name in _CRITERIA and call in here.certain and _says_something(call) for name, call in here.statement.steps
    ):
        raise UntranslatedError(
            f"whether there are criteria is not seen, without which {here.use.name}() hits all rows"
        )
    refused = next((name for name, _ in here.statement.steps if name not in {*_CRITERIA, "options"}), "")
    if refused:
        raise UntranslatedError(f"a Query with {refused}() refuses {here.use.name}()")
    node = here.columns.columns[0].node
    place = here.statement.terms[0].entity.place if here.statement.terms[0].entity is not None else here.statement.place
    if node is None or place is None or any(term.node is None for one, _ in here.ways for term in one.terms):
        raise UntranslatedError("how the class is written where the Query is used is not known")
    code = ast.unparse(node)
    name = code.partition(".")[0]
    is_same = here.use.place.scope.owner(name) is place.scope.owner(name) and here.use.place.module is place.module
    both_methods = name in {"self", "cls"} and here.resolver.enclosing_class(_around(place)) is not None
    if not is_same and not (both_methods and here.use.place.module is place.module):
        raise UntranslatedError(f"{code} means something else where the Query is used")
    return Source(code)


def _around(place: Place) -> Place:
    function = enclosing_function(place.scope)
    return Place(place.module, function) if function is not None else place


def _says_something(call: ast.Call) -> bool:
    return bool(call.keywords) or any(not isinstance(one, ast.Constant | ast.Starred) for one in call.args)


def _constructs(here: Situation) -> Iterator[Change]:
    """The constructs in the place of the expressions that begin the Query."""
    template = f"{{sqlalchemy.{here.use.name}}}({{entity}})"
    for origin in here.web.origins:
        match origin.node:
            case ast.Call(args=[entity], keywords=[]) | ast.Attribute(value=entity):
                yield Replaced(origin.node, template, origin.place.module.path, {"entity": entity})
            case _:
                raise UntranslatedError("the arguments of Query() are not understood")


def _arguments(here: Situation, call: ast.Call) -> tuple[ast.expr | None, ast.expr | None, str]:
    """The values, the way of synchronising, and why the values are doubtful."""
    names = ["values", "synchronize_session"] if here.use.name == "update" else ["synchronize_session"]
    if any(isinstance(argument, ast.Starred) for argument in call.args) or len(call.args) > len(names):
        raise UntranslatedError(f"what {here.use.name}() gets is not seen")
    given = dict(zip(names, call.args, strict=False))
    for keyword in call.keywords:
        if keyword.arg not in names or keyword.arg in given:
            raise UntranslatedError(f"{here.use.name}({ast.unparse(keyword)}) is not understood")
        given[keyword.arg] = keyword.value
    values = given.get("values")
    if here.use.name == "update" and values is None:
        raise UntranslatedError("what update() sets is not seen")
    return values, given.get("synchronize_session"), _why_unknown(here, values)


def _why_unknown(here: Situation, values: ast.expr | None) -> str:
    match values:
        case None:
            return ""
        case ast.Dict(keys=[_, *_] as keys) if all(key is not None and _is_key(key, here) for key in keys):
            return ""
        case ast.Dict():
            return "not all keys of the values are seen"
    return f"the keys of {ast.unparse(values)} are not seen"


def _is_key(node: ast.expr, here: Situation) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str)
    match here.resolver.value(node, here.place_of(node)):
        case Answer(value=ModelAttribute()):
            return True
    return False


def _is_unused(here: Situation) -> bool:
    tree = here.use.place.scope.root.node
    assert isinstance(tree, ast.Module)
    return isinstance(parents_of(tree).of(here.use.node), ast.Expr)
