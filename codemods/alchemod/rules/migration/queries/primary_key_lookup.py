"""MIG414: `session.query(User).filter_by(id=5).one_or_none()` becomes `session.get(User, 5)`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from alchemod.edits.verbs import swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.facts.model import Model
from alchemod.facts.uniqueness import primary_key
from alchemod.inference.resolving.kinds import KindsOf
from alchemod.inference.values import Answer, ModelAttribute, ModelClass, Session, Statement

_LOOKUPS = {"first": ("get", "1.4"), "one_or_none": ("get", "1.4"), "one": ("get_one", "2.0.22")}


class PrimaryKeyLookup(Rule):
    """Gets an object by its primary key from the session.

    What it does:
        `session.query(User).filter_by(id=key).first()` and `.filter(User.id == key).one_or_none()` become
        `session.get(User, key)`; `.one()` becomes `session.get_one(User, key)`.

    Why:
        `get()` says what is meant, and sends nothing for an object that the session has already.

    Example:
        ```python
        def user(session: Session, key):
            return session.query(User).filter_by(id=key).first()
        ```

    Use instead:
        ```python
        def user(session: Session, key):
            return session.get(User, key)
        ```

    Fix safety:
        Unsafe: an object of the session is given without a look at the database, also when its row is gone. Offered
        when the criterion is the whole primary key of a class without mapped parents and children, and nothing else
        stands in the chain.

    References:
        - https://docs.sqlalchemy.org/en/20/orm/session_api.html#sqlalchemy.orm.Session.get
        - https://docs.sqlalchemy.org/en/20/orm/session_api.html#sqlalchemy.orm.Session.get_one
    """

    code = "MIG414"
    names = tuple(sorted(_LOOKUPS))
    since = "1.4"
    on = False

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one call that ends a query."""
        match call:
            case ast.Call(
                func=ast.Attribute(
                    attr=name,
                    value=ast.Call(
                        func=ast.Attribute(
                            attr="filter_by" | "filter",
                            value=ast.Call(func=ast.Attribute(attr="query", value=session), args=[entity], keywords=[]),
                        )
                    ) as filtering,
                ),
                args=[],
                keywords=[],
            ):
                pass
            case _:
                return
        statement, answer, cls = ctx.value(filtering), ctx.value(session), ctx.value(entity)
        match statement, answer, cls:
            case (
                Answer(value=Statement(style="query") as query),
                Answer(value=Session(is_async=False)),
                Answer(value=ModelClass(model=model, alias=None)),
            ):
                pass
            case _:
                return
        key = _key(filtering, model, ctx)
        if key is None or not _stands_alone(model, ctx) or ctx.overrides_query_method(name, query):
            return
        method, since = _LOOKUPS[name]
        message = f"a look-up by primary key is {method}() of the session"
        edit = swap(call, f"{{session}}.{method}({{entity}}, {{key}})", session=session, entity=entity, key=key)
        unsafe = "an object that the session has already is given without a look at the database"
        yield self.fix(call, message, edit, given=[answer, statement, cls], unsafe=unsafe, min_version=since)


def _key(filtering: ast.Call, model: Model, ctx: Context) -> ast.expr | None:
    """The value of the whole primary key that a call filters by; None when it filters by anything else."""
    names = primary_key(model)
    if len(names) != 1:
        return None
    match filtering:
        case ast.Call(args=[], keywords=[ast.keyword(arg=str(name), value=value)]) if name in names:
            return value if _is_plain(value, ctx) else None
        case ast.Call(args=[ast.Compare(left=left, ops=[ast.Eq()], comparators=[value])], keywords=[]):
            match ctx.value(left):
                case Answer(value=ModelAttribute(owner=owner, attribute=attribute)):
                    if owner.model is model and owner.alias is None and attribute.name in names:
                        return value if _is_plain(value, ctx) else None
    return None


def _stands_alone(model: Model, ctx: Context) -> bool:
    """Whether a mapped class has neither mapped parents nor children, whose rows `get()` would look for otherwise."""
    models = ctx.project.models
    parents = [facts for facts in model.ancestors if (found := models.of(facts)) is not None and primary_key(found)]
    return not parents and not models.subclasses(model)


def _is_plain(node: ast.expr, ctx: Context) -> bool:
    """Whether a value is neither None nor a SQL expression, as far as the code shows."""
    kinds = ctx.ask(KindsOf).of(ctx.path, node)
    return kinds is None or not kinds & {"none", "sql", "statement", "list"}
