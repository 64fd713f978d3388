"""MIG410: `join("addresses")` becomes `join(User.addresses)`."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Any

from alchemod.edits.verbs import Code, Verb, drop, spread, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.inference.querying.join_links import Joining, JoinLinks, Part, Relation

_MESSAGE = "{}() takes one relationship or target in SQLAlchemy 2.0, no text, no tuple, no chain"


class StringJoin(Rule):
    """Joins along attributes, one by one, not along texts and tuples.

    What it does:
        `query.join("orders")` becomes `query.join(User.orders)`; several arguments become several joins, each text a
        relationship of the class that the one before led to; `join((Order, condition))` loses its inner parentheses.

    Why:
        SQLAlchemy 2.0 raises ArgumentError or TypeError for these forms of `Query.join()`.

    Example:
        ```python
        def tagged(session):
            return session.query(Author).join("books", "tags").all()
        ```

    Use instead:
        ```python
        def tagged(session):
            return session.query(Author).join(Author.books).join(Book.tags).all()
        ```

    Fix safety:
        Safe when the class at which the join starts is known and can be written there. Unsafe for a text in a join
        that follows another one (it starts at the first class again, which may not be meant), and when a class has to
        be imported first. A report when the class or the relationship is not seen. Joins with `aliased=` or
        `from_joinpoint=` are left to aliased-join.

    References:
        - https://docs.sqlalchemy.org/en/20/changelog/migration_20.html#joining-loading-on-relationships-uses-attributes-not-strings
        - https://docs.sqlalchemy.org/en/20/changelog/migration_20.html#orm-query-chaining-using-multiple-join-tuples
    """

    code = "MIG410"
    names = ("join", "outerjoin")
    since = "1.4"
    min_version = "1.3"

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one call of `join` or `outerjoin`."""
        method = call.func
        if not isinstance(method, ast.Attribute) or not call.args or not _is_plain(call):
            return
        if not any(isinstance(one, ast.Constant | ast.Tuple) for one in call.args) and len(call.args) < 2:
            return
        joining = ctx.ask(JoinLinks).of(ctx.path, call)
        if joining is None or ctx.overrides_query_method(method.attr, joining.statement):
            return
        message = _MESSAGE.format(method.attr)
        if joining.unclear is not None:
            yield self.report(call, message, missing=joining.unclear, given=[joining.answer])
            return
        unsafe = joining.doubt or ctx.unseen_query_class(joining.statement) or _pinned(joining, method.attr, ctx)
        edits = list(_edits(call, method.attr, joining))
        yield self.fix(call, message, *edits, given=[joining.answer], unsafe=unsafe or None)


def _is_plain(call: ast.Call) -> bool:
    """Whether nothing else is asked for than an outer or full join."""
    return all(keyword.arg in {"isouter", "full"} for keyword in call.keywords)


def _pinned(joining: Joining, method: str, ctx: Context) -> str | None:
    """Which test prepares the call on a mock, when more calls take its place."""
    if len(joining.links) < 2:
        return None
    return ctx.pinned("query", *(name for name, _ in joining.statement.steps), method)


def _edits(call: ast.Call, method: str, joining: Joining) -> Iterator[Verb]:
    """The first link stays in the call, the others follow it."""
    (source, first), *others = joining.links
    places: Sequence[ast.expr] = [part.node if isinstance(part, Relation) else part for part in first]
    if isinstance(source, ast.Tuple):
        yield spread(source)
        places = source.elts
    for place, part in zip(places, first, strict=True):
        if isinstance(part, Relation):
            yield swap(place, _relation_code(part), entity=Code(part.spelling.code))
        elif part is not place:
            yield swap(place, "{part}", part=Code(ast.unparse(part)))
    kept = {id(source), *(id(part) for part in first)}
    yield from (drop(argument) for argument in call.args if id(argument) not in kept and not _holds(argument, first))
    if others:
        yield _following(call, method, [parts for _, parts in others])


def _holds(argument: ast.expr, parts: Sequence[Part]) -> bool:
    return any(isinstance(part, Relation) and part.node is argument for part in parts)


def _following(call: ast.Call, method: str, links: Sequence[tuple[Part, ...]]) -> Verb:
    """The edit that appends a join for each further link."""
    text = "{_}"
    holes: dict[str, Any] = {}
    keywords = "".join(f", {keyword.arg}={{{keyword.arg}}}" for keyword in call.keywords)
    for keyword in call.keywords:
        holes[keyword.arg or ""] = Code(ast.unparse(keyword.value))
    for index, parts in enumerate(links):
        template, more = _argument_code(parts, index)
        text += f".{method}({template}{keywords})"
        holes |= more
    return swap(call, text, **holes)


def _argument_code(parts: tuple[Part, ...], index: int) -> tuple[str, dict[str, Any]]:
    """The template of the arguments of a link, and its holes."""
    texts: list[str] = []
    holes: dict[str, Any] = {}
    for number, part in enumerate(parts):
        name = f"p{index}_{number}"
        if isinstance(part, Relation):
            imported = part.spelling.imported
            texts.append(f"{{{imported or name}}}.{part.name}")
            if imported is None:
                holes[name] = Code(part.spelling.code)
        else:
            texts.append(f"{{{name}}}")
            holes[name] = part
    return ", ".join(texts), holes


def _relation_code(part: Relation) -> str:
    return f"{{{part.spelling.imported or 'entity'}}}.{part.name}"
