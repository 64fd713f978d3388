"""Queries by key in the turns of a loop: what they look up, and what could be asked once instead."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeAlias

from alchemod.facts.attributes import Attribute
from alchemod.facts.keys import key_to
from alchemod.facts.model import Model
from alchemod.facts.module import last_name
from alchemod.inference.area import Area
from alchemod.inference.loading.batches import Batch, batch_for
from alchemod.inference.loading.loads import RowLoops
from alchemod.inference.loading.lookups import ENDINGS, Lookup, lookup
from alchemod.inference.loading.loop import RowLoop
from alchemod.inference.loading.strategy import is_many_to_one
from alchemod.inference.mapping.keys import primary_key
from alchemod.inference.resolving.containers import element_of
from alchemod.inference.resolving.functions import own_nodes
from alchemod.inference.rows.reads import position
from alchemod.inference.rows.turns import is_in_turn
from alchemod.inference.scoping.scopes import COMPREHENSIONS, FUNCTIONS, Comprehension
from alchemod.inference.summaries.table import Summaries
from alchemod.inference.summaries.vocabulary import effects_of
from alchemod.inference.values import ModelClass, Object, Place, Session, Value

if TYPE_CHECKING:
    from alchemod.inference import Inference

Turning: TypeAlias = ast.For | ast.AsyncFor | ast.While | Comprehension

_LOOPING: Final = re.compile(rb"\b(?:for|while)\b")
_COUNTING: Final = frozenset({"range", "count", "repeat"})
"""What numbers the tries of a loop, which asks until it has found what it seeks."""
_LOOKING_UP: Final = re.compile(rb"\.(?:%b)\(" % "|".join(ENDINGS).encode())


@dataclass(frozen=True, slots=True)
class LoopQuery:
    """A query by key in a turn of a loop.

    `whole` is its expression, `await` included. `obstacle` says why nothing can be offered. Otherwise `relationship`
    leads from the `row` to what is looked up, and `rows` is the loop over rows that an option can be added to; or a
    `batch` of objects can be asked for before the loop.
    """

    lookup: Lookup
    loop: Turning
    whole: ast.expr
    row: ast.expr | None = None
    relationship: Attribute | None = None
    rows: RowLoop | None = None
    batch: Batch | None = None
    obstacle: str = ""


class LoopQueries(Area):
    """The queries in loops of one project."""

    def __init__(self, inference: Inference) -> None:
        super().__init__(inference)
        self._resolver: Final = inference.local
        self._summaries: Final = inference.ask(Summaries)
        self._memo: Final[dict[ast.AST, list[LoopQuery]]] = {}

    def of(self, inside: Place) -> list[LoopQuery]:
        """The queries by key in the loops of a function or module, in source order."""
        node = inside.scope.node
        source = self._resolver.project.source(inside.module.path)
        text = source.utf8 if isinstance(node, ast.Module) else source.segment(node)
        if not (_LOOPING.search(text) and _LOOKING_UP.search(text)):
            return []
        if node not in self._memo:
            self._memo[node] = sorted(self._found(inside), key=lambda found: position(found.lookup.node))
        return self._memo[node]

    def _found(self, inside: Place) -> Iterator[LoopQuery]:
        assert isinstance(inside.scope.node, (*FUNCTIONS, ast.Module))
        nodes = list(own_nodes(inside.scope.node))
        loops = [node for node in nodes if isinstance(node, (ast.For, ast.AsyncFor, ast.While, *COMPREHENSIONS))]
        calls = [node for node in nodes if isinstance(node, ast.Call) and _may_look_up(node)]
        for call in calls if loops else ():
            around = [loop for loop in loops if _turns_around(call, loop)]
            if not around:
                continue
            names = {part.id for part in ast.walk(call) if isinstance(part, ast.Name)}
            inwards = sorted(around, key=position, reverse=True)
            loop = next((one for one in inwards if names & _changing(one, call)), None)
            found = lookup(call, self._place(call, inside), self._resolver) if loop is not None else None
            if loop is not None and found is not None:
                yield from self._judged(found, loop, nodes, inside)

    def _judged(self, found: Lookup, loop: Turning, nodes: list[ast.AST], inside: Place) -> Iterator[LoopQuery]:
        awaits = {node.value: node for node in nodes if isinstance(node, ast.Await)}
        if found.beside:
            found = _by_what_changes(found, _changing(loop, found.node))
        query = LoopQuery(found, loop, awaits.get(found.node, found.node))
        root = _root_of(found.key)
        if root is None:
            return
        if root.id not in _targets(loop):
            if root.id in _assigned_by(loop, found.node):
                yield replace(query, obstacle="each query depends on the turn before")
            elif root.id in _worked_out(loop):
                yield replace(query, obstacle=f"{root.id} is worked out in the loop")
            return
        if (writing := self._writing(loop, found, inside)) is not None:
            yield replace(query, obstacle=f"line {writing} may change what the queries find")
        elif found.gives == "count":
            yield replace(query, obstacle="one query that counts by groups is not written for you")
        elif found.beside:
            columns = [column for column, _ in found.beside]
            are = "is" if len(columns) == 1 else "are"
            yield replace(query, obstacle=f"{' and '.join(columns)} {are} compared too")
        elif isinstance(found.key, ast.Subscript):
            yield replace(query, obstacle=f"not every {root.id} may have {ast.unparse(found.key.slice)}")
        else:
            yield self._offered(query, root, nodes, inside)

    def _offered(self, query: LoopQuery, root: ast.Name, nodes: list[ast.AST], inside: Place) -> LoopQuery:
        key = query.lookup.key
        value = self._value(root, inside) or self._numbered(query.loop, root, inside)
        if isinstance(key, ast.Attribute) and isinstance(value, Object) and isinstance(value.of, ModelClass):
            relationship = self._leading(value.of.model, key.attr, query.lookup)
            if relationship is not None:
                rows = self._rows(query, relationship, inside)
                obstacle = "" if rows is not None else "where the rows come from is not seen"
                if rows is not None and not self._is_same_session(query.lookup, rows, inside):
                    obstacle = "the rows may be those of another session"
                return replace(query, row=root, relationship=relationship, rows=rows, obstacle=obstacle)
        if query.lookup.gives == "many":
            return replace(query, obstacle="no relationship leads there, and one query would have to be grouped")
        found = batch_for(query.lookup, query.loop, root, nodes, inside, self._resolver)
        return replace(query, obstacle=found) if isinstance(found, str) else replace(query, batch=found)

    def _leading(self, model: Model, attribute: str, found: Lookup) -> Attribute | None:
        """The relationship of the rows that leads to what is looked up by one of their columns; the only one."""
        models, target = self._resolver.project.models, found.entity.model
        if found.gives == "many":
            matches = key_to(target, model) == (found.column, attribute)
        else:
            matches = key_to(model, target) == (attribute, found.column) and primary_key(target) == found.column
        if not matches:
            return None
        leading = [
            one
            for one in list(model.attributes.values())
            if one.kind == "relationship"
            and models.target(one, model) is target
            and models.lazy(one) in {"select", "eager"}
            and (self._is_whole(one, model) if found.gives == "many" else is_many_to_one(model, one, models))
        ]
        return leading[0] if len(leading) == 1 else None

    def _is_whole(self, relationship: Attribute, model: Model) -> bool:
        """Whether a collection has all rows that refer to its object, in no order of its own."""
        written = relationship.reverse_of or relationship
        asked = ("secondary", "primaryjoin", "order_by", "collection_class")
        plain = all(written.keyword(name) is None for name in asked)
        return plain and self._resolver.project.models.is_collection(relationship, model) is True

    def _rows(self, query: LoopQuery, relationship: Attribute, inside: Place) -> RowLoop | None:
        loops = self.inference.ask(RowLoops)
        return loops.reading(inside, query.loop, relationship.name, query.lookup.node)

    def _is_same_session(self, found: Lookup, rows: RowLoop, inside: Place) -> bool:
        """Whether rows and lookup belong to one session, as far as it is written: the same name, or one registry."""
        asked, executing = self._value(found.session, inside), rows.origin.session
        scoped = isinstance(asked, ModelClass) or (isinstance(asked, Session) and asked.scoped)
        if scoped:
            return executing is None or executing.scoped
        name = ast.unparse(found.session)
        parts = (part for part in ast.walk(rows.site) if isinstance(part, ast.Name | ast.Attribute))
        return any(ast.unparse(part) == name for part in parts)

    def _writing(self, loop: Turning, found: Lookup, inside: Place) -> int | None:
        """The line of a turn that may write, commit or expire; None when none does."""
        for node in ast.walk(loop):
            if any(node is part for part in ast.walk(found.node)):
                continue
            place = Place(inside.module, inside.scope)
            match node:
                case ast.Call():
                    deeds = self._summaries.deeds_of_call(node, self._place(node, inside))
                case ast.Attribute(ctx=ast.Store() | ast.Del()):
                    deeds = self._summaries.deeds_of_assignment(node, self._place(node, inside))
                case ast.withitem(context_expr=manager):
                    deeds = self._summaries.deeds_of_leaving(manager, place)
                case _:
                    continue
            if effects_of(deeds):
                return int(getattr(node, "lineno", 0) or position(node)[0])
        return None

    def _numbered(self, loop: Turning, root: ast.Name, inside: Place) -> Value | None:
        """What the second name of `for number, row in enumerate(rows)` stands for."""
        match loop:
            case ast.For(
                target=ast.Tuple(elts=[_, ast.Name(id=name)]),
                iter=ast.Call(func=ast.Name(id="enumerate"), args=[rows, *_]),
            ) if name == root.id:
                element = element_of(self._resolver.value(rows, self._place(rows, inside)))
                return element.value if element is not None else None
        return None

    def _value(self, node: ast.expr, inside: Place) -> Value | None:
        answer = self._resolver.value(node, self._place(node, inside))
        return answer.value if answer is not None else None

    def _place(self, node: ast.expr, inside: Place) -> Place:
        return Place(inside.module, inside.scope.innermost(node))


def _may_look_up(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr in ENDINGS


def _turns_around(call: ast.Call, loop: Turning) -> bool:
    if isinstance(loop, ast.While):
        return any(call is part for statement in loop.body for part in ast.walk(statement))
    return is_in_turn(call, loop)


def _targets(loop: Turning) -> set[str]:
    """The names that a loop gives its elements."""
    clauses = getattr(loop, "generators", [loop])
    targets = [clause.target for clause in clauses if not isinstance(clause, ast.While)]
    return {part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)}


def _by_what_changes(found: Lookup, changing: set[str]) -> Lookup:
    """The lookup by the first of its columns whose value is another one in each turn."""
    pairs = [(found.column, found.key), *found.beside]
    for index, (column, key) in enumerate(pairs):
        root = _root_of(key)
        if root is not None and root.id in changing:
            others = (*pairs[:index], *pairs[index + 1 :])
            return replace(found, column=column, key=key, beside=tuple(others))
    return found


def _root_of(key: ast.expr) -> ast.Name | None:
    """The name whose value a key is read from: `row` of `row.city_id`, `row["city"]` and `row`."""
    match key:
        case ast.Attribute(value=inner) | ast.Subscript(value=inner, slice=ast.Constant()):
            return inner if isinstance(inner, ast.Name) else None
    return key if isinstance(key, ast.Name) else None


def _changing(loop: Turning, call: ast.Call) -> set[str]:
    """The names that are another thing in each turn: those of the elements, what is worked out from these, and what the
    lookup is assigned to."""
    return _targets(loop) | _worked_out(loop) | _assigned_by(loop, call)


def _assigned_by(loop: Turning, call: ast.Call) -> set[str]:
    """The names that a lookup in a loop is assigned to."""
    assigned = [node for node in ast.walk(loop) if isinstance(node, ast.Assign)]
    holding = [node for node in assigned if any(part is call for part in ast.walk(node.value))]
    return {name for node in holding for target in node.targets for name in _names(target)}


def _worked_out(loop: Turning) -> set[str]:
    """The names that the turns of a loop over given elements bind to what depends on the element."""
    if not isinstance(loop, ast.For | ast.AsyncFor) or last_name(loop.iter) in _COUNTING:
        return set()
    found = _targets(loop)
    for node in (node for statement in loop.body for node in ast.walk(statement)):
        if isinstance(node, ast.Assign) and not found.isdisjoint(_names(node.value)):
            found |= {name for target in node.targets if isinstance(target, ast.Name) for name in _names(target)}
    return found - _targets(loop)


def _names(node: ast.AST) -> Iterator[str]:
    return (part.id for part in ast.walk(node) if isinstance(part, ast.Name))
