"""A `close()` whose failure the code around it catches: at the end of a block it would go on to the caller."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from alchemod.facts.module import last_name
from alchemod.inference.control.dominance import enclosing_suites


def catcher_of(close: ast.stmt, suite: Sequence[ast.stmt]) -> ast.stmt | None:
    """The `try` around nothing but a statement in `suite`, or the `with suppress(...)` around it; None where there is
    none."""
    inner = close
    for outer, index in reversed(list(enclosing_suites(suite, close))[:-1]):
        around = outer[index]
        match around:
            case ast.Try(body=[only], handlers=[_, *_]) if only is inner:
                return around
            case ast.With(items=items) if any(last_name(item.context_expr) == "suppress" for item in items):
                return around
        inner = around
    return None
