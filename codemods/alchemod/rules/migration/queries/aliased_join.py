"""MIG411: joins of a Query to an alias that nobody named."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from alchemod.edits.verbs import Verb, drop, insert, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.inference.querying.aliased_joins import AliasedJoins


class AliasedJoinName(Rule):
    """Names the alias that `join(..., aliased=True)` makes.

    What it does:
        Makes an `aliased()` of the class that is joined, joins to it by `of_type()`, and uses it in the criteria that
        follow.

    Why:
        SQLAlchemy 2.0 has no `aliased=` and `from_joinpoint=`. Which of the names that follow meant the alias could not
        be seen.

    Example:
        ```python
        def of_author(session: Session, name):
            return session.query(Book).join(Book.author, aliased=True).filter(Author.name == name).all()
        ```

    Use instead:
        ```python
        def of_author(session: Session, name):
            joined_author = aliased(Author)
            return (
                session.query(Book)
                .join(Book.author.of_type(joined_author))
                .filter(joined_author.name == name)
                .all()
            )
        ```

    Fix safety:
        Unsafe: every name of the class behind the join is taken to mean the alias, as it did. A report when the chain
        goes on elsewhere, has a `reset_joinpoint()` or `from_joinpoint=`, or when what follows may speak of the class
        itself.

    References:
        - https://docs.sqlalchemy.org/en/14/orm/query.html#sqlalchemy.orm.Query.join
        - https://docs.sqlalchemy.org/en/20/orm/queryguide/select.html#joining-to-subqueries
    """

    code = "MIG411"
    names = ("join", "outerjoin")
    since = "1.4"
    tokens = ("aliased", "from_joinpoint")

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one join."""
        keywords = {keyword.arg: keyword for keyword in call.keywords}
        if keywords.keys().isdisjoint({"aliased", "from_joinpoint"}):
            return
        join = ctx.ask(AliasedJoins).of(ctx.path, call)
        if join is None:
            return
        message = "a join to an alias that has no name is gone in SQLAlchemy 2.0"
        if join.missing or join.statement is None or join.target is None:
            missing = (
                f"{join.missing}; write `other = aliased(Class)`, join(relationship.of_type(other)), and use other"
            )
            yield self.report(call, message, missing=missing, given=[join.answer])
            return
        made = f"{join.alias} = {{sqlalchemy.orm.aliased}}({{target}})"
        edits: list[Verb] = [
            insert(made, before=join.statement, target=join.target.id),
            swap(join.relation, f"{{_}}.of_type({join.alias})"),
            drop(keywords["aliased"]),
            *(swap(name, join.alias) for name in join.named),
        ]
        unsafe = f"whether {join.target.id} behind the join always means what is joined"
        yield self.fix(call, message, *edits, given=[join.answer], unsafe=unsafe)
