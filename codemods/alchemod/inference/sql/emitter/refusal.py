"""Why a statement is not written in the expression language."""

from __future__ import annotations

from collections.abc import Collection

from sqlglot import exp


class RefusedError(Exception):
    """A statement that is not written; the message says which part of it is not."""


def check_parts(node: exp.Expr, known: Collection[str], what: str = "") -> None:
    """Refuse a node that has another part than the `known` ones; `what` is its name for people."""
    for name, value in node.args.items():
        if value and name not in known:
            raise RefusedError(f"{name.strip('_').upper()} of {what or type(node).__name__} is not written")
