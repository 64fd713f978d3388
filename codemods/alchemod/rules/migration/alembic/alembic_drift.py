"""MIG803: revisions that depend on the models as they are now, and comparisons that find more than before."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.inference.names.imported import Imported
from alchemod.inference.values import Answer, ModelClass, Outside


class AlembicDrift(Rule):
    """Finds revisions that import the models of the application, and environments whose comparison changes.

    What it does:
        Reports imports of mapped classes in revision files, and `context.configure()` without `compare_type`.

    Why:
        An old revision runs with the models as they are when it runs: a column that comes later, or a rewritten
        declaration, changes what it does. Alembic 1.12 compares types by default, and finds what older ones did not.

    Example:
        ```python
        from alembic import context

        context.configure(connection=engine.connect(), target_metadata=Base.metadata)
        ```

    Use instead:
        ```python
        from alembic import context

        context.configure(connection=engine.connect(), target_metadata=Base.metadata, compare_type=True)
        ```

    Fix safety:
        A report only.

    References:
        - https://alembic.sqlalchemy.org/en/latest/changelog.html#change-1.12.0
        - https://alembic.sqlalchemy.org/en/latest/autogenerate.html
    """

    code = "MIG803"
    names = ("configure", "import")
    level = "note"
    since = "2.0"
    tokens = ("alembic",)

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at the configuration of an environment."""
        if not (isinstance(call.func, ast.Attribute) and call.func.attr == "configure"):
            return
        answer = ctx.value(call.func)
        keywords = {keyword.arg for keyword in call.keywords}
        if not isinstance(answer, Answer) or not isinstance(answer.value, Outside):
            return
        if answer.value.definition.name != "alembic.context.configure":
            return
        if "connection" in keywords and not keywords & {"compare_type", None}:
            message = "Alembic 1.12 compares the types of columns by default: `alembic check` may find more than before"
            yield self.report(call, message, missing="whether that is wanted; write compare_type=True or False")

    def find_ImportFrom(self, node: ast.ImportFrom, ctx: Context) -> Iterator[Finding]:
        """Looks at the imports of a revision."""
        if not ctx.project.is_revision(ctx.path):
            return
        for alias in node.names:
            imported = ctx.ask(Imported).name(ctx.path, node, alias)
            use = imported.uses[0] if imported is not None and imported.uses else None
            answer = ctx.value(use) if use is not None else None
            if isinstance(answer, Answer) and isinstance(answer.value, ModelClass):
                message = (
                    f"this revision runs with {alias.name} as it is when it runs, not as it was when it was written"
                )
                missing = "a frozen copy of the table; declare it here with sa.table() and sa.column()"
                yield self.report(alias, message, missing=missing, given=[answer], level="warning")
