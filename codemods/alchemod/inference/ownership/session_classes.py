"""Session classes of the project, and which methods they define themselves."""

from __future__ import annotations

from alchemod.inference.area import Area


class SessionClasses(Area):
    """Answers about subclasses of `Session`."""

    def override(self, method: str) -> str | None:
        """Which session class of the project defines a method itself, as a sentence; None when none does."""
        lookup = self.inference.project.lookup
        for facts in self.inference.project.methods_named(method):
            owner = facts.owner
            if owner is not None and (lookup.reaches(owner, "Session") or lookup.reaches(owner, "AsyncSession")):
                return f"{owner.name} defines {method}() itself"
        return None
