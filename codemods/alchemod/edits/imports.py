"""Imports, edited once at the end: added where they belong, removed when nothing refers to them.

What is added goes into an existing ``from module import ...`` of the top of the file, in its layout and its
order, or on a line of its own there: next to imports of the same package, else after the last import. It
never goes into a ``try`` or ``if TYPE_CHECKING`` block.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """``from module import name as asname``."""

    module: str
    name: str
    asname: str | None = None

    @property
    def spelled(self) -> str:
        """The name that the import binds."""
        return self.asname or self.name

    def same_object(self, other: ImportRequest) -> bool:
        """Whether both import the same thing, whatever they call it."""
        return (self.module, self.name) == (other.module, other.name)
