"""MIG507: floating point numbers, whose types differ in SQLAlchemy 2.1."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from alchemod.edits.verbs import Verb, add_argument, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.inference.values import Answer, ModelClass, Outside


class FloatTypes(Rule):
    """Pins the types of floating point numbers that SQLAlchemy 2.1 maps otherwise.

    What it does:
        Gives `Mapped[float]` attributes without a type the type `Float`, and adds `Float` to `isinstance()` checks for
        `Numeric`.

    Why:
        `Mapped[float]` is DOUBLE in 2.1 and FLOAT before, and `Float` is no `Numeric` any more. Alembic sees a change
        of type.

    Example:
        ```python
        from sqlalchemy.orm import Mapped, mapped_column


        class Offer(Base):
            __tablename__ = "offers"
            id: Mapped[int] = mapped_column(primary_key=True)
            price: Mapped[float] = mapped_column(default=0.0)
        ```

    Use instead:
        ```python
        from sqlalchemy.orm import Mapped, mapped_column


        class Offer(Base):
            __tablename__ = "offers"
            id: Mapped[int] = mapped_column(primary_key=True)
            price: Mapped[float] = mapped_column(Float, default=0.0)
        ```

    Fix safety:
        Always unsafe: whether the new type is wanted is not seen. Attributes with a type, and projects whose
        `type_annotation_map` speaks of float, are left alone.

    References:
        - https://docs.sqlalchemy.org/en/21/changelog/whatsnew_21.html
        - https://docs.sqlalchemy.org/en/21/orm/declarative_tables.html#mapped-column-derives-the-datatype-and-nullability-from-the-mapped-annotation
    """

    code = "MIG507"
    names = ("Mapped", "isinstance", "Numeric")
    since = "2.1"
    min_version = "2.0"
    tokens = ("float", "Numeric")

    def find_ClassDef(self, node: ast.ClassDef, ctx: Context) -> Iterator[Finding]:
        """Looks at the attributes of one class."""
        attributes = [one for one in node.body if isinstance(one, ast.AnnAssign) and _is_float(one.annotation)]
        answer = ctx.value(ast.copy_location(ast.Name(node.name, ast.Load()), node)) if attributes else None
        if not attributes or _maps_float(ctx):
            return
        given = [answer] if isinstance(answer, Answer) and isinstance(answer.value, ModelClass) else []
        for attribute in attributes:
            edit = _pinned(attribute)
            if edit is not None:
                message = "Mapped[float] is DOUBLE in SQLAlchemy 2.1, FLOAT before"
                yield self.fix(attribute, message, edit, given=given, unsafe="whether DOUBLE is wanted")

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one `isinstance`."""
        match call:
            case ast.Call(func=ast.Name(id="isinstance"), args=[_, checked], keywords=[]):
                answer = ctx.value(checked)
            case _:
                return
        match answer:
            case Answer(value=Outside(definition=definition)) if definition.canonical == "Numeric":
                message = "Float is no Numeric in SQLAlchemy 2.1"
                edit = swap(checked, "({_}, {sqlalchemy.Float})")
                yield self.fix(checked, message, edit, given=[answer], unsafe="whether Float is meant")


_FLOATS: Final = frozenset({"float", "float | None", "Optional[float]", "None | float", "typing.Optional[float]"})


def _is_float(annotation: ast.expr) -> bool:
    match annotation:
        case ast.Subscript(value=ast.Name(id="Mapped") | ast.Attribute(attr="Mapped"), slice=inner):
            return ast.unparse(inner) in _FLOATS
    return False


def _pinned(attribute: ast.AnnAssign) -> Verb | None:
    """The edit that gives an attribute its type; None when it has one, or is no plain column."""
    match attribute:
        case ast.AnnAssign(target=ast.Name(id=name), value=None):
            template = "{name}: {annotation} = {sqlalchemy.orm.mapped_column}({sqlalchemy.Float})"
            return swap(attribute, template, name=name, annotation=attribute.annotation)
        case ast.AnnAssign(
            value=ast.Call(func=ast.Name(id="mapped_column") | ast.Attribute(attr="mapped_column")) as call
        ):
            named = call.args[:1] if call.args and isinstance(call.args[0], ast.Constant) else []
            typed = len(call.args) > len(named) or any(keyword.arg in {"type_", None} for keyword in call.keywords)
            return None if typed else add_argument(call, "{sqlalchemy.Float}")
    return None


def _maps_float(ctx: Context) -> bool:
    """Whether some base of the project says what float is mapped to."""
    sources = (ctx.project.source(path).utf8 for path in ctx.project.paths if path in ctx.project)
    return any(b"type_annotation_map" in data and b"float" in data for data in sources)
