"""ALC215: text of a user inside a LIKE pattern is escaped by `contains()`, `startswith()` and `endswith()`."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from alchemod.edits.verbs import swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.inference.columns import comparison
from alchemod.inference.sql.patterns import LikePatterns
from alchemod.inference.sql.strings import built
from alchemod.inference.values import Answer, ColumnObject, Expression, ModelAttribute, Place


class UnescapedLikePattern(Rule):
    """Escapes the wildcards in a text that is looked for with LIKE.

    What it does:
        Replaces `column.like(f"%{term}%")` by `column.contains(term, autoescape=True)`, and patterns with a wildcard at
        one end by `startswith()` and `endswith()`; `ilike()` becomes `icontains()` and so on. Reports `ilike(name)`
        without wildcards, which is meant as an equality that does not look at case.

    Why:
        A `%` or `_` in the text is a wildcard: a user who looks for `100%` or `a_b` finds other rows too, and `%` alone
        gives everything.

    Example:
        ```python
        def users(session, term):
            return session.query(User).filter(User.name.like(f"%{term}%")).all()
        ```

    Use instead:
        ```python
        def users(session, term):
            return session.query(User).filter(User.name.contains(term, autoescape=True)).all()
        ```

    Fix safety:
        A behaviour fix, always unsafe: texts with `%`, `_` or `/` find other rows on purpose, and what is no string
        raises a TypeError. `icontains()` and its like need SQLAlchemy 2.0. A report for `ilike(name)` as an equality,
        for patterns with more than wildcards at their ends, for patterns built elsewhere, and for columns whose type
        has operators of its own. Constant patterns, calls with `escape=`, and texts whose wildcards are replaced or
        escaped before are left alone.

    References:
        - https://docs.sqlalchemy.org/en/20/core/sqlelement.html#sqlalchemy.sql.expression.ColumnOperators.contains
    """

    code = "ALC215"
    names = ("like", "ilike", "notlike", "not_like", "notilike", "not_ilike")

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterable[Finding]:
        """Looks at one call of `like()` or its kin."""
        match call:
            case ast.Call(func=ast.Attribute(value=column, attr=name), args=[given], keywords=[]):
                pass
            case _:
                return
        place = ctx.place(call)
        answer = ctx.value(column)
        if place is None or answer is None or not isinstance(answer.value, ModelAttribute | ColumnObject | Expression):
            return
        pattern = ctx.ask(LikePatterns).of(given, place)
        if pattern is None:
            if name == "ilike" and self._is_equality(given, place, ctx):
                message = f"ilike({ast.unparse(given)}) is meant as an equality, but % and _ in it are wildcards"
                yield self.report(call, message, missing="compare func.lower() of both", given=[answer])
            return
        message = f"% and _ in what {name}() looks for are wildcards (behaviour fix)"
        missing = pattern.missing or _own_operators(answer, ctx)
        if pattern.text is None or missing:
            yield self.report(call, message, missing=missing, given=[answer])
            return
        method = ("i" if "ilike" in name else "") + pattern.shape
        template = f"{{column}}.{method}({{text}}, autoescape=True)"
        if name.startswith("not"):
            template = f"~{template}"
        unsafe = "texts with wildcards find other rows, as is meant, and what is no string raises a TypeError"
        version = "2.0" if method.startswith("i") else None
        edit = swap(call, template, column=column, text=pattern.text)
        yield self.fix(call, message, edit, given=[answer], unsafe=unsafe, min_version=version)

    def _is_equality(self, given: ast.expr, place: Place, ctx: Context) -> bool:
        """Whether a text that is no pattern is given: a plain name, not called one."""
        match given:
            case ast.Name(id=name) | ast.Attribute(attr=name):
                pass
            case _:
                return False
        is_pattern = any(word in name.lower() for word in _WORDS_FOR_PATTERNS) or name.lower() == "q"
        return not is_pattern and not built(given, place, ctx.inference.resolver)


_WORDS_FOR_PATTERNS = ("pattern", "like", "search", "query", "term", "filter", "wild")


def _own_operators(answer: Answer, ctx: Context) -> str:
    """Why `contains()` may mean something else for a column; "" when it is that of a text."""
    if isinstance(answer.value, ModelAttribute):
        attribute = answer.value.attribute
        if attribute.kind not in {"column", "column_property", "synonym"}:
            return f"whether {attribute.name} is a column is not seen"
        if attribute.kind == "column" and comparison(attribute, ctx.project) == "own":
            return f"the type of {attribute.name} may have operators of its own"
    return ""
