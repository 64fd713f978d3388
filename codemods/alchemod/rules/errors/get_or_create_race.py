"""ALC704: a row is looked for and added when it is missing, while somebody else may add it, too."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from alchemod.edits.verbs import Code, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.facts.uniqueness import unique_sets
from alchemod.inference.control.exceptions import EVERYTHING, Exceptions
from alchemod.inference.uses.absence import Absence
from alchemod.inference.uses.added_rows import AddedRow, added_if_missing
from alchemod.inference.values import Answer, ModelClass, Object, Statement


class GetOrCreateRace(Rule):
    """Adds a row that was not found inside a savepoint, and takes the other one where there is one by now.

    What it does:
        Puts the `add()` of a row that a query did not find into a savepoint, and asks again when that fails because the
        row has been added in between.

    Why:
        Between the query and the commit somebody else may add the same row. Then the commit fails, or, without a unique
        constraint, there are two.

    Example:
        ```python
        def user_of(session: Session, key):
            user = session.query(User).filter(User.id == key).one_or_none()
            if user is None:
                user = User(id=key)
                session.add(user)
            return user
        ```

    Use instead:
        ```python
        def user_of(session: Session, key):
            user = session.query(User).filter(User.id == key).one_or_none()
            if user is None:
                user = User(id=key)
                try:
                    with session.begin_nested():
                        session.add(user)
                except IntegrityError:
                    user = session.query(User).filter(User.id == key).one()
            return user
        ```

    Fix safety:
        Always unsafe: the row is sent at once, inside a savepoint. Offered when the columns that are searched are
        unique in the database. A report without a constraint, which names the one to add, and where the object gets
        what the row needs only behind the `add()`. Queries with a lock, code that handles IntegrityError already, seed
        scripts and tests are left alone.

    References:
        - https://docs.sqlalchemy.org/en/20/orm/session_transaction.html#using-savepoint
        - https://docs.sqlalchemy.org/en/20/faq/sessions.html#this-session-s-transaction-has-been-rolled-back-due-to-a-previous-exception-during-flush-or-similar
    """

    code = "ALC704"
    names = ("add",)

    def find_If(self, node: ast.If, ctx: Context) -> Iterator[Finding]:
        """Looks at one `if` that may add what was not found."""
        added = added_if_missing(node, ctx.value)
        if added is None or _SEEDING.search(ctx.path.stem) or ctx.project.is_test(ctx.path):
            return
        found = ctx.ask(Absence).before(ctx.path, node, added.name)
        query = _query(found, added, ctx) if found is not None else None
        if query is None or _is_handled(node, ctx):
            return
        statement, chain = query
        message = f"somebody else may add the same {added.model.name} between the query and the commit"
        searched = _searched(statement.value)
        if not searched:
            return
        if not any(keys <= searched for keys in unique_sets(added.model)):
            columns = ", ".join(sorted(searched))
            missing = f"no unique constraint on {columns} of {added.model.name} is seen; two rows may come"
            yield self.report(node, message, missing=missing, given=[statement])
            return
        if late := sorted(added.lacks(searched)):
            told = ", ".join(late)
            missing = f"{added.name} is added before {told} is set; add it in a savepoint once it is complete"
            yield self.report(node, message, missing=missing, given=[statement])
            return
        edit = swap(
            added.statement, _TEMPLATE.format(begin="async with" if added.is_async else "with", asks=chain.asks),
            session=added.session, name=added.name, query=Code(ast.unparse(chain.receiver)),
        )  # fmt: skip
        unsafe = "the row is sent at once, inside a savepoint"
        yield self.fix(node, message, edit, given=[statement, added.answer], unsafe=unsafe)


_SEEDING: Final = re.compile(r"seed|fixture|populate|sample|demo", re.IGNORECASE)
_TEMPLATE: Final = """try:
    {begin} {{session}}.begin_nested():
        {{session}}.add({{name}})
except {{sqlalchemy.exc.IntegrityError}}:
    {{name}} = {{query}}.{asks}()"""
_ENDINGS: Final = {"first": "one", "one_or_none": "one", "scalar": "one"}
"""The endings that give an object or None, and what asks for the row that is there then."""
_FILTERS: Final = frozenset({"filter", "filter_by", "where"})
_HANDLING: Final = frozenset({"IntegrityError", "DBAPIError", "DatabaseError", "SQLAlchemyError", *EVERYTHING})


@dataclass(frozen=True, slots=True)
class _Chain:
    receiver: ast.expr
    asks: str


def _query(value: ast.expr, added: AddedRow, ctx: Context) -> tuple[Answer, _Chain] | None:
    """The query whose object the name holds, if it asks for an object of the class that is added."""
    match value:
        case ast.Call(func=ast.Attribute(value=receiver, attr=ending), args=[], keywords=[]) if ending in _ENDINGS:
            statement, answer = ctx.value(receiver), ctx.value(value)
        case _:
            return None
    is_of_model = (
        answer is not None
        and isinstance(answer.value, Object)
        and isinstance(answer.value.of, ModelClass)
        and answer.value.of.model == added.model
    )
    if statement is None or not isinstance(statement.value, Statement) or not is_of_model:
        return None
    if statement.value.style != "query" or any(name not in _FILTERS for name, _ in statement.value.steps):
        return None
    return statement, _Chain(receiver, _ENDINGS[ending])


def _searched(statement: object) -> frozenset[str]:
    """The attributes that a statement compares with a value."""
    assert isinstance(statement, Statement)
    found: set[str] = set()
    for name, call in statement.steps:
        if name == "filter_by":
            found.update(keyword.arg for keyword in call.keywords if keyword.arg is not None)
        for term in call.args:
            match term:
                case ast.Compare(left=ast.Attribute(attr=column), ops=[ast.Eq()]):
                    found.add(column)
                case _:
                    return frozenset()
    return frozenset(found)


def _is_handled(node: ast.If, ctx: Context) -> bool:
    """Whether the error of a second row is handled, or the code holds a lock."""
    for part in ast.walk(ctx.tree):
        match part:
            case ast.Try() if any(node is inner for one in part.body for inner in ast.walk(one)):
                caught = [ctx.ask(Exceptions).caught(ctx.path, handler) for handler in part.handlers]
                if any(names is None or _HANDLING.intersection(names) for names in caught):
                    return True
            case ast.With(items=items) | ast.AsyncWith(items=items) if any(node is inner for inner in ast.walk(part)):
                if any("lock" in ast.unparse(item.context_expr).lower() for item in items):
                    return True
    return False
