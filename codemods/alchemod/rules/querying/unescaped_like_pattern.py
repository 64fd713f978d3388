"""ALC215: text of a user inside a LIKE pattern is escaped by `contains()`, `startswith()` and `endswith()`."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from alchemod.edits.verbs import Code, Verb, drop, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.facts.module import last_name
from alchemod.inference.mapping.columns import comparison
from alchemod.inference.sql.patterns import LIKES, LikePatterns, Pattern
from alchemod.inference.sql.strings import built
from alchemod.inference.values import Answer, ColumnObject, Expression, ModelAttribute, ModelClass, Place


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
        for patterns with more than wildcards at their ends, for patterns in a variable that is read otherwise too, and
        for columns whose type has operators of its own or that `getattr(User, name)` takes. Constant patterns, calls
        with `escape=`, and texts whose wildcards are replaced or escaped before are left alone.

    References:
        - https://docs.sqlalchemy.org/en/20/core/sqlelement.html#sqlalchemy.sql.expression.ColumnOperators.contains
    """

    code = "ALC215"
    names = LIKES

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterable[Finding]:
        """Looks at one call of `like()` or its kin."""
        match call:
            case ast.Call(func=ast.Attribute(value=column, attr=name), args=[given], keywords=[]):
                pass
            case _:
                return
        place = ctx.place(call)
        named = _by_name(column, ctx)
        answer = named or ctx.value(column)
        is_seen = answer is not None and isinstance(answer.value, ModelAttribute | ColumnObject | Expression)
        if place is None or answer is None or (named is None and not is_seen):
            return
        pattern = ctx.ask(LikePatterns).of(given, place)
        if pattern is None:
            if name == "ilike" and is_seen and self._is_equality(given, place, ctx):
                message = f"ilike({ast.unparse(given)}) is meant as an equality, but % and _ in it are wildcards"
                yield self.report(call, message, missing="compare func.lower() of both", given=[answer])
            return
        if call in pattern.calls[1:] and not self._missing(pattern, ctx):
            return  # the first of them speaks for all
        message = f"% and _ in what {name}() looks for are wildcards (behaviour fix)"
        missing = pattern.missing or self._missing(pattern, ctx) or _own_operators(answer, ctx)
        if pattern.text is None or missing:
            yield self.report(call, message, missing=missing, given=[answer])
            return
        edits = [_edit(one, pattern) for one in pattern.calls or (call,)]
        if pattern.assignment is not None:
            edits.append(drop(pattern.assignment))
        unsafe = "texts with wildcards find other rows, as is meant, and what is no string raises a TypeError"
        version = "2.0" if any("ilike" in last_name(one) for one in pattern.calls or (call,)) else None
        yield self.fix(call, message, *edits, given=[answer], unsafe=unsafe, min_version=version)

    def _missing(self, pattern: Pattern, ctx: Context) -> str:
        """Why not all columns that are compared with one pattern take a text; "" when they do."""
        for call in pattern.calls:
            assert isinstance(call.func, ast.Attribute)
            answer = ctx.value(call.func.value)
            if answer is None or not isinstance(answer.value, ModelAttribute | ColumnObject | Expression):
                return f"what {ast.unparse(call.func.value)} is is not known"
            if answer.certainty != "proved" or (missing := _own_operators(answer, ctx)):
                return missing if answer.certainty == "proved" else "not all columns compared with it are known"
        return ""

    def _is_equality(self, given: ast.expr, place: Place, ctx: Context) -> bool:
        """Whether a text that is no pattern is given: a plain name, not called one."""
        match given:
            case ast.Name(id=name) | ast.Attribute(attr=name):
                pass
            case _:
                return False
        is_pattern = any(word in name.lower() for word in _WORDS_FOR_PATTERNS) or name.lower() == "q"
        return not is_pattern and not built(given, place, ctx.inference.resolver)


def _by_name(column: ast.expr, ctx: Context) -> Answer | None:
    """What is known of `getattr(Model, name)`: an attribute of a mapped class."""
    match column:
        case ast.Call(func=ast.Name(id="getattr"), args=[owner, _]):
            answer = ctx.value(owner)
            return answer if answer is not None and isinstance(answer.value, ModelClass) else None
    return None


def _edit(call: ast.Call, pattern: Pattern) -> Verb:
    """The call of the method that escapes, in the place of the one that takes a pattern."""
    assert isinstance(call.func, ast.Attribute)
    assert pattern.text is not None
    name = call.func.attr
    template = f"{{column}}.{'i' if 'ilike' in name else ''}{pattern.shape}({{text}}, autoescape=True)"
    text = Code(ast.unparse(pattern.text)) if pattern.calls else pattern.text
    return swap(call, f"~{template}" if name.startswith("not") else template, column=call.func.value, text=text)


_WORDS_FOR_PATTERNS = ("pattern", "like", "search", "query", "term", "filter", "wild")


def _own_operators(answer: Answer, ctx: Context) -> str:
    """Why `contains()` may mean something else for a column; "" when it is that of a text."""
    if isinstance(answer.value, ModelClass):
        return f"which column of {answer.value.model.name} it is is not seen"
    if isinstance(answer.value, ModelAttribute):
        attribute = answer.value.attribute
        if attribute.kind not in {"column", "column_property", "synonym"}:
            return f"whether {attribute.name} is a column is not seen"
        if attribute.kind == "column" and comparison(attribute, ctx.project) == "own":
            return f"the type of {attribute.name} may have operators of its own"
    return ""
