"""Whether the rows of a statement may repeat an entity.

A Query gives each object once, whatever the join; a count, and the rows of single columns, do not ("Joined Eager
Loading Uniquing" in the migration guide to 2.0; verified by execution).
"""

from __future__ import annotations

from typing import Final

from alchemod.facts.uniqueness import names_own_key
from alchemod.inference.area import Area
from alchemod.inference.querying.criteria import spoken_of
from alchemod.inference.uses.usage import Usage
from alchemod.inference.values import Place, Statement

_SPEAKING: Final = frozenset({"filter", "where", "filter_by", "order_by"})
_HARMLESS: Final = frozenset({"filter", "where", "filter_by", "order_by", "limit", "offset", "slice"})


class Duplicates(Area):
    """What may make a statement give an entity several times."""

    def of(self, statement: Statement) -> str | None:
        """Why the rows of a statement with one entity may repeat it; None when each comes once."""
        match statement.terms:
            case (term,) if term.kind == "entity" and term.entity is not None:
                cls = term.entity.cls
            case _:
                return "the rows are not those of one class"
        if names_own_key(cls.model):
            return f"{cls.model.name} names a primary key of its own, of which several rows may have the same"
        other = next((name for name, _ in statement.steps if name not in _HARMLESS), None)
        if other is not None:
            return f"{other}() may change how often a row comes"
        if statement.place is None:
            return "where the query is written is not seen"
        around = self.inference.ask(Usage).around(statement.place)
        for name, call in statement.steps:
            if call not in around:
                return f"what {name}() is given is not seen here"
            if name in _SPEAKING:
                inside = Place(statement.place.module, statement.place.scope.root.innermost(call))
                found = spoken_of(name, call, {cls}, inside, self.inference.resolver)
                if others := sorted(other.model.name for other in found.classes - {cls}):
                    return f"{name}() speaks of {others[0]}, whose rows multiply these"
                if not found.all_seen:
                    return f"{name}() may speak of another class, whose rows multiply these"
        return None
