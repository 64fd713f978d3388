"""What the callers of a function read of the objects it returns, whose session it has closed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from alchemod.inference.control.domain import TooComplexError
from alchemod.inference.control.flow import Walker
from alchemod.inference.ownership.domain import SessionDomain
from alchemod.inference.ownership.knowledge import Opening, SessionKnowledge
from alchemod.inference.ownership.life import SessionLife
from alchemod.inference.ownership.record import Record
from alchemod.inference.ownership.state import EXPIRED, Data, Ref
from alchemod.inference.scoping.scopes import UNITS, Scope


@dataclass(frozen=True, slots=True)
class Returned:
    """Objects that a function returns at `node` when their session is closed. `ref` is their kind, `data` what is known
    of them."""

    node: ast.AST
    ref: Ref
    data: Data


def returned_detached(life: SessionLife) -> Iterator[Returned]:
    """The objects of a session that the function returns, if it is closed on every way that returns."""
    state = life.record.exits.get("return", {}) if life.record is not None else {}
    if not state or set(state) - {"C"}:
        return
    facts = state["C"]
    for ref, node in facts.returned:
        data = facts.data.get(ref.site) if isinstance(ref.site, ast.AST) else None
        if (
            data is not None
            and data.tied
            and ref.kind in ("data", "rows")
            and not ref.path
            and data.elements != EXPIRED
        ):
            yield Returned(node, ref, data)


def failing_reads(
    returned: Returned, call: ast.Call, scope: Scope, knowledge: SessionKnowledge
) -> Iterator[tuple[ast.Attribute, Record]]:
    """What the code of `scope` reads of the objects that `call` returns, and surely fails. Nothing where they get to
    code that may put them into a session again."""
    unit = scope.node
    assert isinstance(unit, UNITS)
    made = Ref(returned.ref.kind, call), returned.data
    domain = SessionDomain(call, Opening("plain"), scope, knowledge, made=made)
    try:
        exits = Walker(domain).run(unit.body, domain.start)
    except TooComplexError:
        return
    record = domain.record
    kept = any(out.site is call for state in exits.values() for facts in state.values() for out, _ in facts.out)
    if kept or any(use.kind == "elsewhere" for use in record.uses.values()):
        return
    for use in record.uses.values():
        if use.kind == "read" and use.surely_fails and use.source is call and isinstance(use.node, ast.Attribute):
            yield use.node, record
