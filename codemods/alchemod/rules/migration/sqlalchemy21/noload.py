"""MIG509: relationships that are never loaded."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from alchemod.edits.verbs import swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.inference.values import Answer, Outside


class Noload(Rule):
    """Lets a relationship raise that would be read as empty.

    What it does:
        Replaces `noload(...)` by `raiseload(...)` and `lazy="noload"` by `lazy="raise"`.

    Why:
        `noload` gives None or an empty collection whatever the database holds. SQLAlchemy 2.1 deprecates it.

    Example:
        ```python
        notes = relationship("Address", lazy="noload")
        ```

    Use instead:
        ```python
        notes = relationship("Address", lazy="raise")
        ```

    Fix safety:
        Always unsafe: code that reads the empty value on purpose raises InvalidRequestError from then on.

    References:
        - https://docs.sqlalchemy.org/en/21/changelog/whatsnew_21.html
        - https://docs.sqlalchemy.org/en/21/orm/queryguide/relationships.html#preventing-unwanted-lazy-loads-using-raiseload
    """

    code = "MIG509"
    names = ("noload", "relationship", "backref")
    since = "2.1"
    tokens = ("noload",)

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one loader option, or one relationship."""
        answer = ctx.value(call.func)
        unsafe = "who reads the empty value; reading raises from then on"
        match answer:
            case Answer(value=Outside(definition=definition)) if definition.canonical == "noload":
                message = "noload() hides what the database holds, and SQLAlchemy 2.1 deprecates it"
                yield self.fix(
                    call, message, swap(call.func, "{sqlalchemy.orm.raiseload}"), given=[answer], unsafe=unsafe
                )
            case Answer(value=Outside(definition=definition)) if definition.canonical in {"relationship", "backref"}:
                for keyword in call.keywords:
                    match keyword:
                        case ast.keyword(arg="lazy", value=ast.Constant(value="noload") as value):
                            message = 'lazy="noload" hides what the database holds, and SQLAlchemy 2.1 deprecates it'
                            yield self.fix(keyword, message, swap(value, '"raise"'), given=[answer], unsafe=unsafe)
