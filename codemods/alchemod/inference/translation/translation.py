"""One web of Query code and what it becomes, or why it stays."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from alchemod.inference.translation.changes import Change
from alchemod.inference.translation.web import Web
from alchemod.inference.values import Answer

Family = Literal[
    "entities", "columns", "variable", "count and exists", "get", "slice", "bulk", "statement", "removed", "hook"
]


@dataclass(frozen=True, slots=True)
class Translation:
    """The changes that turn a web into 2.0 style.

    `node` is where a finding about it points. `given` are the answers it rests on, the one about the Query first.
    `doubt` says why the changes are not safe, `missing` why there are none; both are "" when that is not so.
    """

    family: Family
    web: Web
    node: ast.AST
    shown: str
    """What is legacy here, in words: `Query.all()`."""
    given: tuple[Answer, ...] = ()
    changes: Sequence[Change] = field(default=())
    doubt: str = ""
    missing: str = ""
