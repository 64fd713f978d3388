"""The names that only a Query gives its columns: `users_age` for the column `age` of the table `users`.

A Query labels what it selects with the names of the tables (`LABEL_STYLE_TABLENAME_PLUS_COL`), a `select()` does not.
Text that speaks of such a name fails once the columns are asked for in another way (verified by execution on SQLAlchemy
1.4 to 2.1).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from alchemod.facts.nodes import walk
from alchemod.facts.project import Project
from alchemod.inference.values import Statement
from alchemod.text.words import words


def label_in_text(statement: Statement, project: Project) -> str | None:
    """Such a name of a selected entity in a text that a step of a Query is given; None when there is none."""
    if statement.style != "query":
        return None
    texts = [text for _, call in statement.steps for text in _texts(call)]
    if not texts:
        return None
    labels = set(_labels(statement, project))
    spoken = (word.decode() for text in texts for word in words(text.encode()))
    return next((word for word in spoken if word in labels), None)


def _texts(call: ast.Call) -> Iterator[str]:
    for given in (*call.args, *(keyword.value for keyword in call.keywords)):
        for part in walk(given):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield part.value


def _labels(statement: Statement, project: Project) -> Iterator[str]:
    for term in statement.terms:
        table = project.tables.of(term.entity.model) if term.entity is not None else None
        if table is not None:
            qualified = f"{table.schema}_{table.name}" if table.schema else table.name
            yield from (f"{qualified}_{column.name}" for column in table.columns.values())
