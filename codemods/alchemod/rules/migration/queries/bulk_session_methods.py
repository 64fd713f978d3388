"""MIG419: `bulk_insert_mappings()`, `bulk_update_mappings()` and `bulk_save_objects()`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from alchemod.edits.verbs import Verb, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.facts.uniqueness import primary_key
from alchemod.inference.mapping.mapping_rows import MappingRows
from alchemod.inference.uses.emptiness import Emptiness
from alchemod.inference.uses.usage import Usage
from alchemod.inference.values import Answer, Method, ModelClass, Place, Session

_STATEMENTS = {"bulk_insert_mappings": "insert", "bulk_update_mappings": "update"}


class BulkSessionMethods(Rule):
    """Sends many rows with one statement.

    What it does:
        `session.bulk_insert_mappings(User, rows)` becomes `session.execute(insert(User), rows)`, only where there are
        rows; `bulk_update_mappings()` likewise with `update`. `bulk_save_objects(objects)` becomes `add_all(objects)`
        and `flush()`.

    Why:
        The bulk methods are legacy since SQLAlchemy 2.0, where `execute()` does the same and more.

    Example:
        ```python
        def add(session: Session, names):
            rows = [{"name": name} for name in names]
            session.bulk_insert_mappings(Tag, rows)
        ```

    Use instead:
        ```python
        def add(session: Session, names):
            rows = [{"name": name} for name in names]
            if rows:
                session.execute(insert(Tag), rows)
        ```

    Fix safety:
        Unsafe: an empty list would insert a row of defaults, so it is tested; what rests on the count of rows, and on
        events, changes. Offered where all dictionaries are seen to have the same keys, which are attributes. A report
        for `return_defaults=`, and for rows whose keys are not known.

    References:
        - https://docs.sqlalchemy.org/en/20/orm/queryguide/dml.html#orm-bulk-insert-statements
        - https://docs.sqlalchemy.org/en/20/orm/session_api.html#sqlalchemy.orm.Session.bulk_insert_mappings
    """

    code = "MIG419"
    names = (*sorted(_STATEMENTS), "bulk_save_objects")
    since = "2.0"
    min_version = "2.0"
    on = False

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one call of a bulk method."""
        callee, place = ctx.value(call.func), ctx.place(call)
        match callee, call.func:
            case Answer(value=Method(owner=Session(is_async=False), name=name)), ast.Attribute() as method:
                if name not in self.names or place is None:
                    return
            case _:
                return
        statement = ctx.ask(Usage).around(place).get(call)
        message = f"{name}() is legacy in SQLAlchemy 2.0"
        if not isinstance(statement, ast.Expr) or (missing := _unclear(call, name, place, ctx)):
            missing = missing if isinstance(statement, ast.Expr) else "the call is part of an expression"
            yield self.report(call, message, missing=missing, given=[callee])
            return
        if name == "bulk_save_objects":
            text = "{session}.add_all({objects})\n{session}.flush()"
            edit: Verb = swap(statement, text, session=method.value, objects=call.args[0])
            unsafe = "objects then stay in the session, relationships cascade and events fire"
        else:
            edit = _executed(statement, call, method, name, place, ctx)
            unsafe = "no more than the statement is sent: the count of rows and what events do may differ"
        yield self.fix(call, message, edit, given=[callee], unsafe=unsafe)


def _executed(
    statement: ast.Expr, call: ast.Call, method: ast.Attribute, name: str, place: Place, ctx: Context
) -> Verb:
    """The edit that executes a statement with the rows, if there are any."""
    cls, rows = call.args
    options = ".execution_options(render_nulls=True)" if any(one.arg == "render_nulls" for one in call.keywords) else ""
    maker = f"{{sqlalchemy.{_STATEMENTS[name]}}}({{cls}}){options}"
    text = f"{{session}}.execute({maker}, {{rows}})"
    if isinstance(rows, ast.Name) and ctx.ask(Emptiness).may_be_empty(rows, place):
        text = f"if {{rows}}:\n    {text}"
    return swap(statement, text, session=method.value, cls=cls, rows=rows)


def _unclear(call: ast.Call, name: str, place: Place, ctx: Context) -> str | None:
    """Why the call cannot be replaced."""
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    if name == "bulk_save_objects":
        given = set(keywords) - {"preserve_order", "update_changed_only"}
        return "what its keywords ask for has no successor" if given or len(call.args) != 1 else None
    if set(keywords) - {"render_nulls"} or len(call.args) != 2:
        return "keys that the database makes are not given back" if "return_defaults" in keywords else "its arguments"
    match ctx.value(call.args[0]):
        case Answer(value=ModelClass(model=model, alias=None)):
            pass
        case _:
            return f"the class {ast.unparse(call.args[0])} is not known"
    rows = call.args[1]
    keys = ctx.ask(MappingRows).keys(rows, place)
    if keys is None:
        return f"the keys of {ast.unparse(rows)} are not known, or differ from row to row"
    if not isinstance(rows, ast.Name) and ctx.ask(Emptiness).may_be_empty(rows, place):
        return "the rows may be none, and are in no variable that could be tested"
    columns = {key for key in keys if (one := model.attributes.get(key)) is not None and one.kind == "column"}
    if keys - columns:
        return f"{min(keys - columns)} is no attribute of {model.name} that is a column"
    if name == "bulk_update_mappings" and not primary_key(model) <= keys:
        return f"the rows lack a primary key of {model.name}"
    return None
