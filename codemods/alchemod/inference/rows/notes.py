"""Notes what happens to rows: reads, exposures, and what code that is handed a row does with it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from typing import Final

from alchemod.inference.rows.knowledge import Act, ExposureKind, Handed, Producer, RowKnowledge
from alchemod.inference.rows.record import Going, RootRecord
from alchemod.inference.rows.refs import NOTHING, Path, Refs, Root, RowRef, within_reach
from alchemod.inference.rows.state import RowState

_REFLECTING: Final = frozenset({"__dict__", "__getstate__"})


class Notes:
    """What one walk notes, in `records`, by root."""

    def __init__(self, knowledge: RowKnowledge, given: Mapping[ast.arg, Producer], me: str) -> None:
        self.kept: Final[dict[str, set[RowRef]]] = {}
        """The rows that attributes of the function's own object, called `me`, are given."""
        self.filled: Final[set[ast.expr]] = set()
        """The assignments to such attributes that are understood."""
        self._me: Final = me
        self.records: Final[dict[Root, RootRecord]] = {site: RootRecord(site, one) for site, one in given.items()}
        self._knowledge: Final = knowledge
        self._gives: Final[dict[ast.AST, set[RowRef]]] = {}

    def given_by(self, node: ast.AST) -> Refs:
        """What of the rows a call or property hands back."""
        return frozenset(self._gives.get(node, ()))

    def is_own(self, node: ast.AST) -> bool:
        """Whether a node is an attribute of the function's own object."""
        return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == self._me != ""

    def assigned(self, target: ast.expr, refs: Refs, value: ast.expr | None) -> None:
        """An attribute of the function's own object is assigned `value`, which is `refs`."""
        if isinstance(target, ast.Attribute) and self.is_own(target):
            self.kept.setdefault(target.attr, set()).update(refs)
            if refs or _is_empty(value):
                self.filled.add(target)

    def put(self, holder: ast.expr, refs: Refs, state: RowState) -> RowState:
        """The state once a container has taken in `refs`: a variable, an attribute of the function's own object, or one
        that such a container holds (`found[key].append(row)`, `found.setdefault(key, []).append(row)`)."""
        while refs:
            refs = frozenset(ref.within().part() for ref in refs)
            match holder:
                case ast.Name(id=name):
                    return state.bind(name, state.names.get(name, NOTHING) | refs)
                case ast.Attribute(attr=name) if self.is_own(holder):
                    self.kept.setdefault(name, set()).update(refs)
                    return state
                case ast.Subscript(value=outer) | ast.Call(func=ast.Attribute(value=outer, attr="setdefault" | "get")):
                    holder = outer
                case _:
                    return state
        return state

    def produced(self, call: ast.Call | ast.Attribute, producer: Producer, state: RowState) -> RowState:
        """Note that `call` is a producer."""
        record = self.records.setdefault(call, RootRecord(call, producer))
        record.earlier.update(site for site in state.since if site is not call)
        return state if producer.lazy else state.executed(call, _seen_at(call, producer.since), producer.read)

    def executed(self, refs: Refs, state: RowState) -> RowState:
        """A lazy producer is executed when its rows are asked for."""
        for ref in refs:
            if self.records[ref.site].producer.lazy and ref.site not in state.since:
                state = state.executed(ref.site)
        return state

    def read_member(self, ref: RowRef, name: str, node: ast.AST, state: RowState, *, alone: bool) -> RowState:
        """The attribute `name` is read of an object; `alone` says that the value can be of no other root."""
        if ref.many or ref.listed:
            return state
        path = (*ref.path, name)
        record = self.records[ref.site]
        if name in _REFLECTING:
            record.expose("reflection", ref.path, node)
            return state
        match self._knowledge.member(ref, name):
            case "relationship" | "collection":
                if within_reach(path) != path:
                    record.expose("depth", ref.path, node)
                    return state
                record.read(path, node, state.since.get(ref.site, ()))
                if alone and not ref.some:
                    return state.read(ref.site, [path])
            case "property":
                return self.hand(ref, self._knowledge.property(ref, name), node, state, alone=alone)
            case "member":
                record.expose("member", path, node)
        return state

    def hand(self, ref: RowRef, handed: Handed, node: ast.AST, state: RowState, *, alone: bool = True) -> RowState:
        """An object gets to code that is not walked here, by the call, property or statement `node`."""
        record = self.records[ref.site]
        state = self.executed(frozenset([ref]), state)
        before = state.since.get(ref.site, frozenset())
        certain: list[Path] = []
        for read in sorted(handed.reads, key=lambda read: (read.path, not read.must)):
            path = (*ref.path, *read.path)
            if (reach := within_reach(path)) != path:
                record.expose("depth", reach, node, read.why)
                continue
            since = before | _seen_at(node, read.since)
            record.read_through(path, node, since, repeated=read.repeated, why=read.why)
            if read.must:
                certain.append(path)
        for exposure in sorted(handed.exposures, key=lambda exposure: (exposure.path, exposure.kind)):
            record.expose(exposure.kind, within_reach((*ref.path, *exposure.path)), node, exposure.why)
        for given in handed.gives:
            path = (*ref.path, *given.path)
            if within_reach(path) == path:
                self._gives.setdefault(node, set()).add(ref.led(given))
        if ref.some or not alone:
            return state
        return state.found_empty(ref.site) if handed.everything else state.read(ref.site, certain)

    def expose(self, kind: ExposureKind, refs: Iterable[RowRef], node: ast.AST) -> None:
        """Rows get out of sight at `node`."""
        for ref in refs:
            self.records[ref.site].expose(kind, ref.path, node)

    def looped(self, node: ast.AST, elements: Refs) -> None:
        """What `node` does is done for each of the elements."""
        for ref in elements:
            going, loops = Going(node, ref.path), self.records[ref.site].loops
            if going not in loops:
                loops.append(going)

    def joined(self, refs: Refs) -> None:
        """A value that is read from may be of any of several roots."""
        if len(refs) > 1:
            for ref in refs:
                self.records[ref.site].joined |= {other.site for other in refs if other.site is not ref.site}


def _is_empty(value: ast.expr | None) -> bool:
    """Whether a value is None or a container without anything in it."""
    match value:
        case None | ast.Constant(value=None) | ast.List(elts=[]) | ast.Tuple(elts=[]) | ast.Dict(keys=[]):
            return True
        case ast.Call(func=ast.Name(id="list" | "dict" | "set" | "tuple" | "OrderedDict" | "deque"), args=[]):
            return True
        case ast.Call(func=ast.Name(id="defaultdict") | ast.Attribute(attr="defaultdict"), args=[_]):
            return True
    return False


def _seen_at(node: ast.AST, acts: Iterable[Act]) -> frozenset[Act]:
    """Acts in a callee, as they are seen from the call."""
    return frozenset(Act(act.node, node, act.knowledge, act.known) for act in acts)
