"""Why a statement is not written in the expression language."""

from __future__ import annotations


class RefusedError(Exception):
    """A statement that is not written; the message says which part of it is not."""
