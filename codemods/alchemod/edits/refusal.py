"""Why an edit cannot be carried out."""

from __future__ import annotations

import ast
from collections.abc import Iterable


class Refusal(Exception):  # noqa: N818 - an answer, not a failure
    """An edit is not carried out; the message is the reason, one clause a user can read.

    ``nodes`` are those whose edits are to blame, as far as that is known.
    """

    def __init__(self, reason: str, nodes: Iterable[ast.AST] = ()) -> None:
        super().__init__(reason)
        self.nodes = tuple(nodes)

    def blame(self, node: ast.AST) -> None:
        """Say which node the refusal is about, unless that has been said further inside."""
        self.nodes = self.nodes or (node,)

    @property
    def reason(self) -> str:
        """The reason, without a full stop."""
        return str(self)


class UnitRefusal(Refusal):
    """A unit of editing cannot be parsed or rendered, whatever is edited in it."""

    def __init__(self, reason: str, owner: ast.AST) -> None:
        super().__init__(reason, (owner,))
        self.owner = owner
