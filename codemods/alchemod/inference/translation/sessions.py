"""The session that executes the statement a Query becomes: a Query carries it along, `select()` does not."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from alchemod.facts.lookup import Variable
from alchemod.facts.nodes import walk
from alchemod.inference.names.spelling import closes_cycle
from alchemod.inference.resolving.computed import computed, set_again
from alchemod.inference.resolving.resolver import Resolver
from alchemod.inference.scoping.bindings import Binding
from alchemod.inference.scoping.scopes import Scope
from alchemod.inference.translation.borrowing import Borrowing
from alchemod.inference.translation.changes import Source, UntranslatedError
from alchemod.inference.translation.web import Origin, Use, Web
from alchemod.inference.uses.parents import parents_of
from alchemod.inference.values import Answer, ModelClass, Place, Session

_UNCERTAIN: Final = "which session the Query belongs to where it is used is not certain"
_LOOPS: Final = (ast.For, ast.AsyncFor, ast.While)


@dataclass(frozen=True, slots=True)
class Executor:
    """What executes the statement, for the hole `session` of a template. `imported` is a dotted name to write instead.

    `doubt` says why it may not be the session of the Query, "" when it is.
    """

    session: Any
    imported: str | None = None
    doubt: str = ""

    @property
    def hole(self) -> str:
        """The hole of a template that stands for the session."""
        return f"{{{self.imported}}}" if self.imported else "{session}"


def executor(web: Web, use: Use, borrowing: Borrowing, resolver: Resolver) -> Executor:
    """The session for one use of a web. Raises UntranslatedError when it cannot be written there."""
    if web.is_expression:
        return _in_place(web, resolver)
    if all(isinstance(origin.node, ast.Attribute) for origin in web.origins):
        return _of_properties(web, use, resolver)
    sessions = [origin.session for origin in web.origins]
    if None in sessions or any(step.name == "with_session" for step in web.steps):
        raise UntranslatedError(_UNCERTAIN)
    if web.passages or web.kept:
        return Executor(Source(borrowing.code(use.place)), doubt="the Query gets from one function to another")
    session = sessions[0]
    assert session is not None
    if len({ast.unparse(one) for one in sessions if one is not None}) != 1:
        raise UntranslatedError(_UNCERTAIN)
    return Executor(Source(ast.unparse(session)), doubt=_why_not_there(session, web, use, resolver))


def _in_place(web: Web, resolver: Resolver) -> Executor:
    """The session of a single chain: the expression that it begins with moves to the end."""
    origin = web.origins[0]
    given = [step for step in web.steps if step.name == "with_session"]
    if given:
        match given[-1].call:
            case ast.Call(args=[session], keywords=[]):
                return Executor(session)
    if origin.session is not None:
        return Executor(origin.session)
    if isinstance(origin.node, ast.Attribute):
        return _of_property(origin, resolver)
    raise UntranslatedError("the Query has no session that is seen")


def _of_properties(web: Web, use: Use, resolver: Resolver) -> Executor:
    """The one registry behind all `Model.query` of a web, where it is written as it is where they begin."""
    found = [_of_property(origin, resolver) for origin in web.origins]
    is_one = len({(one.session, one.imported) for one in found}) == 1
    if not is_one or any(origin.place.module is not use.place.module for origin in web.origins):
        raise UntranslatedError(_UNCERTAIN)
    return found[0]


def _of_property(origin: Origin, resolver: Resolver) -> Executor:
    """The registry behind `Model.query`, made by `registry.query_property()`."""
    assert isinstance(origin.node, ast.Attribute)
    answer = resolver.value(origin.node.value, origin.place)
    doubt = f"which session {ast.unparse(origin.node)} uses is told by where the property is made"
    match answer:
        case Answer(value=ModelClass(model=model)):
            made = model.attributes.get("query")
            match made.value if made is not None else None:
                case ast.Call(func=ast.Attribute(value=ast.Name() as registry, attr="query_property"), args=[]) as call:
                    assert made is not None
                    path = _written_in(call, resolver) or made.owner.module.path
                    return _registry(registry, path, origin, resolver, doubt)
    raise UntranslatedError(f"the session behind {ast.unparse(origin.node)} is not seen")


def _written_in(call: ast.Call, resolver: Resolver) -> Path | None:
    """The file in which a property is made: `Base.query = session.query_property()` stands where Base does."""
    project = resolver.project
    for path in project.files_mentioning("query_property"):
        module = project.facts(path)
        top = resolver.module_place(module) if module is not None else None
        for node in walk(top.scope.node) if top is not None else ():
            is_there = isinstance(node, ast.Call) and (node.lineno, node.col_offset) == (call.lineno, call.col_offset)
            if is_there and ast.dump(node) == ast.dump(call):
                return path
    return None


def _registry(registry: ast.Name, path: Path, origin: Origin, resolver: Resolver, doubt: str) -> Executor:
    project = resolver.project
    module = project.facts(path)
    definition = project.lookup.name(module, registry.id) if module is not None else None
    if not isinstance(definition, Variable):
        raise UntranslatedError(f"the registry {registry.id} is not seen")
    here = origin.place
    for name in here.module.bindings:
        found = project.lookup.name(here.module, name)
        owner = here.scope.owner(name)
        is_global = owner is None or owner.parent is None
        if is_global and isinstance(found, Variable) and found.assigned is definition.assigned:
            return Executor(Source(name), doubt=doubt)
    if closes_cycle(project, here.module, definition.module):
        raise UntranslatedError(f"importing {definition.name} here would close a circle of imports")
    return Executor(None, f"{definition.module.name}.{definition.name}", doubt)


def _why_not_there(session: ast.expr, web: Web, use: Use, resolver: Resolver) -> str:
    """Why an expression for the session may mean something else where the web is used than where it begins."""
    root = session
    while isinstance(root, ast.Attribute):
        root = root.value
    if not isinstance(root, ast.Name):
        raise UntranslatedError(f"{ast.unparse(session)} may give another session each time it is evaluated")
    for origin in web.origins:
        if (anew := computed(session, origin.place, resolver)) is not None:
            raise UntranslatedError(f"{anew} may give another session each time it is read")
        owner = origin.place.scope.owner(root.id)
        if use.place.module is not origin.place.module or use.place.scope.owner(root.id) is not owner:
            raise UntranslatedError(f"{ast.unparse(session)} means something else where the Query is used")
        if owner is None or owner.parent is None:
            if len(origin.place.module.bindings.get(root.id, ())) > 1:
                return f"{root.id} may be bound again before the Query is used"
            continue
        bindings = _bound_around(root.id, owner, origin, use)
        tree = origin.place.scope.root.node
        assert isinstance(tree, ast.Module)
        if root.id in owner.rebound_inside or not _are_behind(bindings, origin, owner.node, tree):
            raise UntranslatedError(f"{root.id} may be bound again between the Query and its use")
        if isinstance(session, ast.Attribute) and _is_assigned(session, owner.node):
            raise UntranslatedError(f"{ast.unparse(session)} is assigned in this function")
        setter = set_again(session, origin.place, resolver)
        if setter is not None and _calls_between(root.id, origin.node, use.receiver, owner.node):
            return f"{setter} sets {ast.unparse(session)}, and may run before the Query is used"
        loops = _loops_around(bindings[0], owner.node, tree)
        if loops and loops[0] not in parents_of(tree).around(origin.node):
            return f"{root.id} is bound again in each turn of a loop"
    return ""


def _bound_around(name: str, owner: Scope, origin: Origin, use: Use) -> Sequence[Binding]:
    """The bindings of the session's name that count: that of the `with` alone that both origin and use stand in."""
    bindings = owner.bindings[name]
    tree = origin.place.scope.root.node
    assert isinstance(tree, ast.Module)
    parents = parents_of(tree)
    around = parents.around(use.receiver)
    for block in parents.around(origin.node):
        if isinstance(block, ast.With) and block in around:
            inside = [binding for binding in bindings if block in parents.around(binding.target)]
            if inside:
                return inside
    return bindings


def _are_behind(bindings: Sequence[Binding], origin: Origin, function: ast.AST, tree: ast.Module) -> bool:
    """Whether no binding of a name can come after a Query is begun: a single one, or all before it and in no loop."""
    begun = origin.node.lineno, origin.node.col_offset
    return len(bindings) == 1 or all(
        _position(binding.target) < begun and not _loops_around(binding, function, tree) for binding in bindings
    )


def _position(node: ast.AST) -> tuple[int, int]:
    return getattr(node, "lineno", 0), getattr(node, "col_offset", 0)


def _loops_around(binding: Binding, function: ast.AST, tree: ast.Module) -> list[ast.AST]:
    """The loops of a function that a binding stands in, from the inside."""
    return [node for node in _within(parents_of(tree).around(binding.target), function) if isinstance(node, _LOOPS)]


def _within(around: list[ast.AST], function: ast.AST) -> Iterator[ast.AST]:
    for node in around:
        if node is function:
            return
        yield node


def _is_assigned(attribute: ast.Attribute, function: ast.AST) -> bool:
    return any(
        isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and node.attr == attribute.attr
        for node in walk(function)
    )


def _calls_between(name: str, first: ast.expr, last: ast.expr, function: ast.AST) -> bool:
    """Whether a method of what a variable holds is called between two expressions."""
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == name
        and _position(first) < _position(node) < _position(last)
        for node in walk(function)
    )


def has_scalars(session: ast.expr | None, place: Place, resolver: Resolver) -> bool:
    """Whether the session has `scalars()` in every version allowed: Session since 1.4.24, scoped_session 1.4.26."""
    answer = resolver.value(session, place) if session is not None else None
    is_plain = answer is not None and isinstance(answer.value, Session) and not answer.value.scoped
    return resolver.project.versions.allows("1.4.24" if is_plain else "1.4.26")
