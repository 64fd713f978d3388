"""Writing what a run would change, and taking it back."""

from __future__ import annotations

from alchemod.review.outcome import Outcome
from alchemod.text.journal import Applied, apply_all
from alchemod.text.record import Change


def apply(outcome: Outcome) -> Applied:
    """Write the changes of a run and record it for `undo`.

    Files that a change set spans are written all or not at all. Raises JournalError, before any file is touched, when
    the journal cannot be written.
    """
    changes = [Change(path, one.old.data, one.new.data, one.group) for path, one in outcome.changes.items()]
    return apply_all(outcome.root, changes)
