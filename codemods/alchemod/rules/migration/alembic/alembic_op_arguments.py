"""MIG802: arguments of Alembic operations that are keywords by now."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from alchemod.edits.verbs import swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.inference.values import Answer, Outside


class AlembicOpArguments(Rule):
    """Names the optional arguments of Alembic operations.

    What it does:
        Replaces optional arguments that `op.create_index()`, `op.alter_column()` and other operations get by position
        by keywords.

    Why:
        Alembic 1.11 takes them by keyword only, and old revisions have to go on running.

    Example:
        ```python
        from alembic import op

        op.create_index("ix_users_name", "users", ["name"], None, True)
        ```

    Use instead:
        ```python
        from alembic import op

        op.create_index("ix_users_name", "users", ["name"], schema=None, unique=True)
        ```

    Fix safety:
        Safe for the operations of `alembic.op`, whose signatures are known: all versions take the keywords. A report
        when arguments are unpacked. The table of `drop_index()` and the type of `drop_constraint()` may stay, and
        operations of a batch have other positions: both are left alone.

    References:
        - https://alembic.sqlalchemy.org/en/latest/ops.html
        - https://alembic.sqlalchemy.org/en/latest/changelog.html#change-1.11.0
    """

    code = "MIG802"
    names = (
        *("add_column", "alter_column", "bulk_insert", "create_check_constraint", "create_foreign_key", "create_index"),
        *(
            "create_primary_key",
            "create_unique_constraint",
            "drop_column",
            "drop_constraint",
            "drop_index",
            "drop_table",
        ),
        *("execute", "rename_table"),
    )
    since = "2.0"
    tokens = ("alembic",)

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one call of an operation."""
        if not isinstance(call.func, ast.Attribute) or call.func.attr not in _SIGNATURES:
            return
        taken, optional = _SIGNATURES[call.func.attr]
        if len(call.args) <= taken and not any(isinstance(one, ast.Starred) for one in call.args):
            return
        answer = ctx.value(call.func)
        match answer:
            case Answer(value=Outside(definition=definition)) if definition.name.startswith("alembic.op."):
                yield self._named(call, call.func.attr, taken, optional, answer)

    def _named(self, call: ast.Call, name: str, taken: int, optional: tuple[str, ...], answer: Answer) -> Finding:
        message = f"op.{name}() takes no more than {taken} arguments by position since Alembic 1.11"
        more = call.args[taken:]
        if any(isinstance(one, ast.Starred) for one in call.args) or len(more) > len(optional):
            return self.report(call, message, missing="how many arguments there are", given=[answer])
        edits = [swap(one, f"{keyword}={{_}}") for one, keyword in zip(more, optional, strict=False)]
        return self.fix(call, message, *edits, given=[answer])


_SIGNATURES: Final[dict[str, tuple[int, tuple[str, ...]]]] = {
    "add_column": (2, ("schema",)),
    "alter_column": (
        2,
        (
            *("nullable", "comment", "server_default", "new_column_name", "type_", "existing_type"),
            *("existing_server_default", "existing_nullable", "existing_comment", "schema"),
        ),
    ),
    "bulk_insert": (2, ("multiinsert",)),
    "create_check_constraint": (3, ("schema",)),
    "create_foreign_key": (
        5,
        ("onupdate", "ondelete", "deferrable", "initially", "match", "source_schema", "referent_schema"),
    ),
    "create_index": (3, ("schema", "unique")),
    "create_primary_key": (3, ("schema",)),
    "create_unique_constraint": (3, ("schema",)),
    "drop_column": (2, ("schema",)),
    "drop_constraint": (3, ("schema",)),
    "drop_index": (2, ("schema",)),
    "drop_table": (1, ("schema",)),
    "execute": (1, ("execution_options",)),
    "rename_table": (2, ("schema",)),
}
"""How many arguments each operation takes by position, and the order that the others had before Alembic 1.11."""
