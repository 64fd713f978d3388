"""What may not change in the replacement fields of an f-string.

Before Python 3.12 a field may hold no backslash, no comment, no quote of the string around it, and no line
break in a string of one line (PEP 701). A field with ``=`` prints its own text.
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from alchemod.edits.refusal import Refusal


def check_fields(string: Any, original: Any) -> None:
    """Raise Refusal unless each field that differs from the original may stand in the string."""
    if isinstance(string, cst.ConcatenatedString):
        check_fields(string.left, original.left)
        check_fields(string.right, original.right)
    elif isinstance(string, cst.FormattedString):
        quote = string.end
        for part, old in zip(string.parts, original.parts, strict=True):
            if part is not old and isinstance(part, cst.FormattedStringExpression):
                _check(part, quote)


def _check(field: cst.FormattedStringExpression, quote: str) -> None:
    code = cst.Module([]).code_for_node(field)
    if field.equal is not None:
        raise Refusal("the f-string prints the code that would change")
    if "\\" in code or "#" in code or quote in code or ("\n" in code and len(quote) == 1):
        raise Refusal("the new code does not fit into an f-string before Python 3.12")
