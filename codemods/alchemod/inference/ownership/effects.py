"""What the methods of a session, and callees it is lent to, do to the session and to its objects."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from typing import Final

from alchemod.facts.module import last_name
from alchemod.inference.control.domain import Channel
from alchemod.inference.ownership.knowledge import Opening, Product, SessionKnowledge
from alchemod.inference.ownership.methods import COROUTINES, NO_SQL, SESSION_METHODS, MethodEffect
from alchemod.inference.ownership.record import Record, note
from alchemod.inference.ownership.state import NOTHING, SESSION, Data, Facts, Life, Ref, State, Value, is_open
from alchemod.inference.ownership.values import Values
from alchemod.inference.scoping.scopes import Scope
from alchemod.inference.summaries.vocabulary import Effect, Treatment


class Effects:
    """The effects on one session of one function."""

    def __init__(
        self, record: Record, opening: Opening, scope: Scope, values: Values, knowledge: SessionKnowledge
    ) -> None:
        self._record: Final = record
        self._opening: Final = opening
        self._scope: Final = scope
        self._values: Final = values
        self._knowledge: Final = knowledge
        self.holds: Final[dict[ast.AST, Value]] = {}
        """What a new object refers to through its relationships."""

    def of_method(self, call: ast.Call, state: State) -> MethodEffect | None:
        """The effect of a method of the session, None for other calls."""
        if not isinstance(call.func, ast.Attribute):
            return None
        for facts in state.values():
            if SESSION in self._values.of(call.func.value, facts):
                return SESSION_METHODS.get(call.func.attr)
        return None

    def method(self, call: ast.Call, name: str, life: Life, facts: Facts) -> Iterator[tuple[Life, Facts]]:
        """What a method of the session itself does."""
        record = self._record
        if self._opening.is_async and name in COROUTINES and call not in self._awaited:
            record.escape("registered", call)
            self._values.made(call, frozenset([Ref("carrier", call)]))
            yield life, facts
            return
        effect = SESSION_METHODS.get(name)
        if effect == "close":
            if call not in record.closes:
                record.closes.append(call)
            yield "C" if is_open([life]) else life, facts.in_transaction("none")
            return
        if effect == "enter":
            note(record.entered_by_hand, call)
            self._values.made(call, frozenset([SESSION]))
        if effect == "nothing":
            yield life, facts
            return
        record.use(call, "session", life, "fails")
        facts = self._change(call, effect, facts)
        if life == "C" and name not in NO_SQL:
            note(record.reuses, call)
            life = "R"
        yield life, facts

    def _change(self, call: ast.Call, effect: MethodEffect | None, facts: Facts) -> Facts:
        touched = self._values.union(arguments_of(call), facts)
        sites = [ref.site for ref in touched if isinstance(ref.site, ast.AST)]
        match effect:
            case "commit":
                return self.committed(call, facts)
            case "rollback":
                return self.rolled_back(call, facts)
            case "write":
                facts = self.written(call, facts)
                deleted = isinstance(call.func, ast.Attribute) and call.func.attr == "delete"
                return facts.change(Data.deleted, sites) if deleted else facts
            case "add":
                return self._tie(call, touched, sites, self.written(call, facts))
            case "merge":
                return self.product(call, self.written(call, facts))
            case "expire":
                return self._did("expire", call, facts).change(Data.expired, sites or None)
            case "refresh":
                self._record.effects.setdefault("write", call)
                if len(touched) != 1:
                    return facts
                named = arguments_of(call)[1:]
                names = _texts(named)
                return facts.change(lambda old: old.refreshed_in_part(names) if named else old.refreshed(), sites)
            case "expunge":
                return self._did("expunge", call, facts).change(Data.expunged, sites or None)
            case "read":
                return self.product(call, facts.in_transaction("begun"))
            case "begin":
                self._values.made(call, frozenset([Ref("carrier", call)]))
                return facts.in_transaction("begun")
            case "flush":
                return self._did("write", call, facts)
        return facts if effect == "enter" else self.product(call, facts)

    def _tie(self, call: ast.Call, touched: Value, sites: list[ast.AST], facts: Facts) -> Facts:
        tied = dict(facts.data)
        for site in sites:
            if site in tied:
                tied[site] = replace(tied[site], tied=True)
        held = touched.union(*(self.holds.get(site, NOTHING) for site in sites))
        visible = (ref for ref in held if ref.kind in ("parameter", "outer"))
        return replace(facts, data=tied).let_out(visible, call)

    def committed(self, node: ast.AST, facts: Facts) -> Facts:
        """A commit."""
        note(self._record.commits, node)
        facts = self._did("commit", node, facts).in_transaction("none")
        return facts.expired() if self._opening.expires_on_commit else facts

    def rolled_back(self, node: ast.AST, facts: Facts) -> Facts:
        """A rollback, which expires whatever the setting."""
        return self._did("rollback", node, facts).in_transaction("none").expired()

    def written(self, node: ast.AST, facts: Facts) -> Facts:
        """Something that the next commit writes, or that is written at once."""
        note(self._record.writes, node)
        return self._did("write", node, facts).in_transaction("dirty")

    def _did(self, effect: Effect, node: ast.AST, facts: Facts) -> Facts:
        self._record.effects.setdefault(effect, node)
        return facts.after(effect)

    def of_callee(self, call: ast.Call, treatment: Treatment, facts: Facts) -> Facts:
        """What a callee that got the session does to its transaction and objects, or may do."""
        for effect in sorted(treatment.effects):
            match effect:
                case "commit":
                    changed = self.committed(call, facts)
                case "rollback":
                    changed = self.rolled_back(call, facts)
                case "expire":
                    changed = self._did("expire", call, facts).expired()
                case "expunge":
                    changed = self._did("expunge", call, facts).change(Data.expunged)
                case "write":
                    changed = self.written(call, facts)
            facts = changed if effect in treatment.surely else facts.join(changed)
        return facts

    def end_transaction(self, manager: ast.expr, channel: Channel, facts: Facts) -> Facts:
        """Leaving `with s.begin():` or `with s.begin_nested():`."""
        if not (isinstance(manager, ast.Call) and isinstance(manager.func, ast.Attribute)):
            return facts
        fails = channel in ("raise", "base")
        match manager.func.attr:
            case "begin":
                return self.rolled_back(manager, facts) if fails else self.committed(manager, facts)
            case "begin_nested" if fails:
                return self.rolled_back_to_savepoint(manager, facts)
        return facts

    def ended(self, begun: ast.AST | str | None, call: ast.Call, facts: Facts) -> Facts:
        """`commit()`, `rollback()` or `close()` of the transaction that `begun` gave."""
        how = last_name(call.func)
        if isinstance(begun, ast.Call) and last_name(begun) == "begin_nested":
            return self.rolled_back_to_savepoint(call, facts) if how in ("rollback", "close") else facts
        return self.committed(call, facts) if how == "commit" else self.rolled_back(call, facts)

    def rolled_back_to_savepoint(self, node: ast.AST, facts: Facts) -> Facts:
        """A rollback to a savepoint expires the objects that were changed behind it."""
        return self._did("rollback", node, facts).join(facts.expired())

    def product(self, call: ast.Call, facts: Facts, source: Value = frozenset([SESSION])) -> Facts:
        """Note what a call on the session gives."""
        product = self._knowledge.product(call)
        match product.kind:
            case "object" | "objects":
                facts = self.put(call, product, facts)
                self._values.made(call, frozenset([Ref("data" if product.kind == "object" else "rows", call)]))
            case "lazy":
                self._values.made(call, frozenset([Ref("lazy", call)]))
            case "session":
                self._values.made(call, frozenset([SESSION]) & source)
            case "unknown":
                self._values.made(call, frozenset([Ref("unknown", call)]))
        return facts

    def put(self, site: ast.AST, product: Product, facts: Facts) -> Facts:
        """The objects made at a site, together with those of an earlier turn."""
        new = Data(stale=product.deferred, options=product.options)
        present = facts.data.get(site)
        return facts.put(site, new if present is None else present.join(new))

    @cached_property
    def _awaited(self) -> set[ast.AST]:
        awaits = (node for node in ast.walk(self._scope.node) if isinstance(node, ast.Await))
        return {part for node in awaits for part in ast.walk(node) if isinstance(part, ast.Call)}


def _texts(named: list[ast.expr]) -> frozenset[str]:
    """The names of the attributes that `refresh()` is asked for, as far as they are written there."""
    parts = (part for node in named for part in ast.walk(node))
    return frozenset(part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str))


def arguments_of(call: ast.Call) -> list[ast.expr]:
    """The argument expressions of a call, in order."""
    return [*call.args, *(keyword.value for keyword in call.keywords)]
