"""Reading an attribute of a mapped object: how that ends once the session is closed, and what it loads while it is
open.

SQLAlchemy 2.0, "Session Basics", "Refreshing / Expiring", and the DetachedInstanceError of "Error Messages". A
detached object gives what was loaded; everything else raises.
"""

from __future__ import annotations

import ast
from dataclasses import replace

from alchemod.inference.ownership.knowledge import AttributeKind, SessionKnowledge
from alchemod.inference.ownership.record import Outcome
from alchemod.inference.ownership.state import EXPIRED, LOADED, Data, Facts, Life, Ref, Value, is_open


def read_attribute(
    node: ast.Attribute, value: Value, life: Life, facts: Facts, knowledge: SessionKnowledge
) -> tuple[Outcome, Facts]:
    """How reading `node` from one of `value` ends with the session closed, and the facts after it with the life as it
    is."""
    outcomes: set[Outcome] = set()
    only = len(value) == 1
    for ref in value:
        if ref.kind == "unknown":
            outcomes.add("unknown")
        if ref.kind != "data" or not isinstance(ref.site, ast.AST) or ref.site not in facts.data:
            continue
        kind = knowledge.attribute(node)
        data = facts.data[ref.site]
        outcomes.add(outcome_when_closed(ref, node.attr, kind, data))
        if is_open([life]) and data.tied:
            facts = facts.put(ref.site, _loaded_by(ref, node.attr, kind, data, only))
    if len(outcomes) > 1:
        return "may fail" if outcomes & {"fails", "may fail"} else "unknown", facts
    return next(iter(outcomes), "works"), facts


def outcome_when_closed(ref: Ref, name: str, kind: AttributeKind, data: Data) -> Outcome:
    """How reading attribute `name` of a detached object ends."""
    path = (*ref.path, name)
    if not data.tied:
        return "works"
    if kind == "other":
        return "unknown"
    if path in data.loaded:
        return "works"
    if "X" in data.elements:
        return "fails" if data.elements == EXPIRED else "may fail"
    match kind:
        case "column":
            return "fails" if name in data.stale else "works" if data.queried else "unknown"
        case "computed":
            return "may fail" if data.written else "works"
        case "eager" if data.queried:
            return "works"
        case "relationship" | "eager" if not data.queried or data.options.says(ref.path, name):
            return "works" if data.options.loads(ref.path, name) else "unknown"
    return "fails"


def _loaded_by(ref: Ref, name: str, kind: AttributeKind, data: Data, only: bool) -> Data:
    """The objects after the read: a relationship or deferred column touched is loaded, and either, like a column of an
    expired object, brings back the columns of that object alone."""
    if "[]" in ref.path or kind == "other":
        return data
    if kind != "deferred" and not ref.path and "X" in data.elements:
        elements = (data.elements - EXPIRED if only else data.elements) | LOADED
        data = replace(data, elements=elements, written=False if only else data.written)
    return replace(data, loaded=data.loaded | {(*ref.path, name)}) if only else data
