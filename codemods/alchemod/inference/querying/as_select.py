"""Queries that a select takes as they are: the same steps after another beginning.

What a Query does that a select does not is in "ORM Query - select()" of the migration guide: it gives each object once
(columns it gives as they come), and adds the columns of ORDER BY to a DISTINCT.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Final

from alchemod.facts.nodes import is_dotted
from alchemod.inference.area import Area
from alchemod.inference.querying.executions import Execution, Executions
from alchemod.inference.querying.interference import Interference
from alchemod.inference.resolving.sessions import as_session
from alchemod.inference.uses.usage import Usage
from alchemod.inference.values import Place, Session

_SAME: Final = frozenset({"filter", "where", "order_by", "group_by", "having", "distinct", "limit", "offset"})
_KEYWORDS: Final = frozenset({"filter_by"})
_JOINS: Final = frozenset({"join", "outerjoin"})


@dataclass(frozen=True, slots=True)
class Beginning:
    """The `session.query(...)` that begins a chain, which `select(...)` can begin as well.

    `session` is what `query` is called on, `doubt` why the statement may not be the same.
    """

    call: ast.Call
    session: ast.expr
    doubt: str | None = None


class AsSelect(Area):
    """Which Queries may be selects."""

    def beginning(self, execution: Execution, place: Place) -> Beginning | None:
        """Where the Query of columns that is executed begins in the same expression; None when it can be no select."""
        statement = execution.statement
        if any(not _is_same(name, call) for name, call in statement.steps) or statement.dynamic:
            return None
        if statement.has_step("distinct") and statement.has_step("order_by"):
            return None
        node = self.inference.ask(Executions).beginning(execution, place)
        match node:
            case ast.Call(func=ast.Attribute(value=receiver, attr="query"), keywords=[]) if is_dotted(receiver):
                pass
            case _:
                return None
        around = self.inference.ask(Usage).around(place)
        if any(call not in around for _, call in statement.steps):
            return None
        session = as_session(self.inference.resolver.value(receiver, place))
        doubt = None
        if session is None or not isinstance(session.value, Session):
            doubt = f"whether {ast.unparse(receiver)} has the methods of a session is not known"
        elif session.certainty != "proved":
            doubt = session.missing
        doubt = doubt or self.inference.ask(Interference).of(execution, loads=False)
        return Beginning(node, receiver, doubt)


def _is_same(name: str, call: ast.Call) -> bool:
    """Whether a step means the same to a select; joins to strings and to several classes do not."""
    if any(isinstance(part, ast.Starred) for part in call.args) and name in _JOINS:
        return False
    texts = [part for part in call.args if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    if name in _JOINS:
        return not texts and len(call.args) == 1 and all(key.arg in {"isouter", "full"} for key in call.keywords)
    if name in _KEYWORDS:
        return not call.args
    return name in _SAME and not call.keywords and not texts
