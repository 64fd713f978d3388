"""MIG513: forms that SQLAlchemy 2.1 brings, for those who want them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any, Final

from alchemod.edits.verbs import dissolve, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.facts.module import last_name
from alchemod.facts.nodes import is_dotted, walk
from alchemod.inference.sql.execution import SqlExecutions
from alchemod.inference.sql.positions import gaps
from alchemod.inference.uses.parents import parents_in
from alchemod.inference.uses.usage import Usage
from alchemod.inference.values import Answer, Engine, ModelClass, Outside, Session

_MANY: Final = {"delete": "delete_all", "merge": "merge_all"}
_TRANSLATING: Final = "schema_translate_map"
_VIEW: Final = re.compile(r"\s*CREATE\s+(OR\s+REPLACE\s+)?(TEMP(ORARY)?\s+)?(MATERIALIZED\s+)?VIEW\b", re.IGNORECASE)


class ModernForms21(Rule):
    """Uses what SQLAlchemy 2.1 adds. It is off unless asked for.

    What it does:
        A loop that only deletes, or only merges, becomes `delete_all()` or `merge_all()`. `aggregate_order_by(x, y)` of
        PostgreSQL becomes a method of the function, and `back_populates="books"` a lambda that type checkers see
        through. Reports where `tstring()`, `CreateView`, typed tables, execution options of a Session and
        `get(populate_existing=True)` could take the place of older code.

    Why:
        The new forms are shorter, work on every database, or are checked by type checkers.

    Example:
        ```python
        def forget(session: Session, users):
            for user in users:
                session.delete(user)
        ```

    Use instead:
        ```python
        def forget(session: Session, users):
            session.delete_all(users)
        ```

    Fix safety:
        Safe for a loop whose body only deletes, and whose variable is not used afterwards. Unsafe for merging, because
        `merge_all()` sends what is pending once and not before each object, for ordered aggregates and for lambdas. A
        report for everything else. All of them need SQLAlchemy 2.1.

    References:
        - https://docs.sqlalchemy.org/en/21/changelog/migration_21.html
        - https://docs.sqlalchemy.org/en/21/orm/session_api.html#sqlalchemy.orm.Session.delete_all
    """

    code = "MIG513"
    names = (
        *_MANY, "aggregate_order_by", "relationship", "text", "DDL", "Table", "get", "connection", "execution_options",
    )  # fmt: skip
    since = "2.1"
    min_version = "2.1"
    on = False

    def find_For(self, node: ast.For, ctx: Context) -> Iterator[Finding]:
        """Looks at one loop that may only delete or merge."""
        match node:
            case ast.For(
                target=ast.Name(id=name),
                body=[ast.Expr(value=ast.Call() | ast.Await(value=ast.Call()) as done)],
                orelse=[],
            ):
                call = done.value if isinstance(done, ast.Await) else done
            case _:
                return
        match call:
            case ast.Call(
                func=ast.Attribute(value=session, attr="delete" | "merge" as method),
                args=[ast.Name(id=given)],
                keywords=[],
            ) if given == name and is_dotted(session) and name not in ast.unparse(session).split("."):
                answer = ctx.value(session)
            case _:
                return
        if answer is None or not isinstance(answer.value, Session) or _is_read_after(node, name, ctx):
            return
        awaited = "await " if isinstance(done, ast.Await) else ""
        if answer.value.is_async != bool(awaited):
            return
        message = f"a loop that only calls {method}() is {_MANY[method]}() in SQLAlchemy 2.1"
        edit = swap(done, f"{awaited}{{session}}.{_MANY[method]}({{objects}})", session=session, objects=node.iter)
        flushing = "whether an object is merged twice; merge_all() does not flush in between"
        unsafe = flushing if method == "merge" else _own_method(method, ctx) or ctx.pinned(method)
        yield self.fix(node, message, edit, dissolve(node), given=[answer], unsafe=unsafe)

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one call that has a newer form."""
        match call.func:
            case ast.Attribute(value=receiver, attr="get"):
                yield from self._get(call, receiver, ctx)
                return
            case ast.Attribute(value=receiver, attr="connection" | "execution_options"):
                yield from self._translated(call, receiver, ctx)
                return
        answer = ctx.value(call.func)
        if answer is None or not isinstance(answer.value, Outside):
            return
        match answer.value.canonical:
            case "aggregate_order_by":
                yield from self._ordered(call, answer, ctx)
            case "relationship":
                yield from self._populated(call, answer, ctx)
            case "text" | "DDL" as name:
                yield from self._text(call, name, answer, ctx)
            case "Table" if _is_first_table(call, ctx) and not ctx.project.is_revision(ctx.path):
                message = "a Table can tell type checkers its columns in SQLAlchemy 2.1"
                missing = "whether that is wanted; write a class of TypedColumns, and Table(name, metadata, the_class)"
                yield self.report(call, message, missing=missing, given=[answer], level="note")

    def _ordered(self, call: ast.Call, answer: Answer, ctx: Context) -> Iterator[Finding]:
        place = ctx.place(call)
        parent = ctx.ask(Usage).around(place).get(call) if place is not None else None
        message = "aggregate_order_by() is a method of every function in SQLAlchemy 2.1"
        match parent, call.args:
            case ast.Call(args=[*_, last], keywords=[]), [ordered, *orders] if last is call and orders:
                if not call.keywords and not any(isinstance(one, ast.Starred) for one in call.args):
                    holes: dict[str, Any] = {f"order{number}": one for number, one in enumerate(orders)}
                    listed = ", ".join(f"{{{hole}}}" for hole in holes)
                    outer = swap(parent, f"{{_}}.aggregate_order_by({listed})", **holes)
                    inner = swap(call, "{ordered}", ordered=ordered)
                    unsafe = "whether only PostgreSQL is used; other databases get a form of their own"
                    yield self.fix(call, message, outer, inner, given=[answer], unsafe=unsafe)

    def _populated(self, call: ast.Call, answer: Answer, ctx: Context) -> Iterator[Finding]:
        for keyword in call.keywords:
            match keyword:
                case ast.keyword(arg="back_populates", value=ast.Constant(value=str(name)) as value):
                    target = _target(call, ctx)
                    if target is not None:
                        message = f'back_populates="{name}" can be an attribute, which type checkers see'
                        edit = swap(value, f"lambda: {target}.{name}")
                        unsafe = f"whether {target} is still the class when the mappers are configured"
                        yield self.fix(keyword, message, edit, given=[answer], unsafe=unsafe)

    def _text(self, call: ast.Call, name: str, answer: Answer, ctx: Context) -> Iterator[Finding]:
        match call.args:
            case [ast.Constant(value=str(sql)), *_] if _VIEW.match(sql):
                message = "a view can be made of a select() in SQLAlchemy 2.1"
                missing = "its columns as a select(); then write CreateView(select(...), name, metadata=metadata)"
                yield self.report(call, message, missing=missing, given=[answer], level="note")
            case [ast.JoinedStr() as built] if name == "text":
                place = ctx.place(call)
                strings = ctx.ask(SqlExecutions).strings(built, place) if place is not None else []
                positions = {gap.position for string in strings for gap in gaps(string.parts)}
                if positions == {"value"}:
                    message = "a template string binds its values in SQLAlchemy 2.1"
                    missing = "whether Python is 3.14 or later; then write tstring(t'...'), or bind the values"
                    yield self.report(call, message, missing=missing, given=[answer], level="note")

    def _get(self, call: ast.Call, receiver: ast.expr, ctx: Context) -> Iterator[Finding]:
        option = _option(call, "populate_existing")
        answer = ctx.value(receiver) if option is not None else None
        if option is not None and answer is not None and isinstance(answer.value, Session):
            message = "get() heeds the execution option populate_existing only since SQLAlchemy 2.1"
            missing = "whether the object is to be loaded again; then write get(..., populate_existing=True)"
            yield self.report(option, message, missing=missing, given=[answer])

    def _translated(self, call: ast.Call, receiver: ast.expr, ctx: Context) -> Iterator[Finding]:
        named = next((keyword for keyword in call.keywords if keyword.arg == _TRANSLATING), None)
        option = named or _option(call, _TRANSLATING)
        answer = ctx.value(receiver) if option is not None else None
        match answer, receiver:
            case Answer(value=Session()), _:
                pass
            case Answer(value=Engine(is_connection=True)), ast.Call(func=ast.Attribute(attr="connection")):
                pass
            case _:
                return
        assert option is not None
        message = "a Session takes execution options for all it does in SQLAlchemy 2.1"
        missing = f"who makes the session; there, write Session(engine, execution_options={{{_TRANSLATING!r}: ...}})"
        yield self.report(option, message, missing=missing, given=[answer])


def _option(call: ast.Call, name: str) -> ast.expr | None:
    """The key of an execution option that a call is given in a dict."""
    for keyword in call.keywords:
        match keyword:
            case ast.keyword(arg="execution_options", value=ast.Dict(keys=keys)):
                return next((key for key in keys if isinstance(key, ast.Constant) and key.value == name), None)
    return None


def _is_read_after(loop: ast.For, name: str, ctx: Context) -> bool:
    """Whether the variable of a loop is mentioned in its function outside of the loop."""
    place = ctx.place(loop)
    if place is None:
        return True
    inside = {id(node) for node in walk(loop)}
    unit = ctx.ask(Usage).unit(place)
    return any(isinstance(node, ast.Name) and node.id == name and id(node) not in inside for node in walk(unit))


def _own_method(name: str, ctx: Context) -> str | None:
    """Which session class of the project has its own method."""
    lookup = ctx.project.lookup
    for method in ctx.project.methods_named(name):
        if method.owner is not None and any(lookup.reaches(method.owner, one) for one in ("Session", "AsyncSession")):
            return f"{method.owner.name} has its own {name}()"
    return None


def _is_first_table(call: ast.Call, ctx: Context) -> bool:
    first = next((node for node in walk(ctx.tree) if isinstance(node, ast.Call) and last_name(node) == "Table"), None)
    return first is call


def _target(call: ast.Call, ctx: Context) -> str | None:
    """The class that a relationship leads to, if the file defines it at its top level."""
    node: ast.AST = call
    around = parents_in(ctx.tree)
    while not isinstance(node, ast.ClassDef | ast.Module):
        node = around[node]
    if not isinstance(node, ast.ClassDef):
        return None
    answer = ctx.value(ast.copy_location(ast.Name(node.name, ast.Load()), node))
    if answer is None or not isinstance(answer.value, ModelClass):
        return None
    model = answer.value.model
    for attribute in model.attributes.values():
        made = attribute.call
        if made is not None and (made.lineno, made.col_offset) == (call.lineno, call.col_offset):
            target = ctx.project.models.target(attribute, model) if attribute.owner is model.facts else None
            is_here = target is not None and target.module.path == ctx.path and "." not in target.facts.qualname
            return target.name if target is not None and is_here else None
    return None
