"""MIG508: composites of new objects, which SQLAlchemy 2.1 makes of None values where there was None."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from alchemod.edits.verbs import add_argument
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.facts.attributes import evaluated
from alchemod.inference.mapping.none_tests import NoneTest, NoneTests
from alchemod.inference.values import Answer, ModelClass, Outside


class CompositeNone(Rule):
    """Keeps composites None where the project tests them for None.

    What it does:
        Gives a `composite()` whose attribute is tested for None, or for its truth, a `return_none_on=`.

    Why:
        A composite of an object that has no values yet is None up to SQLAlchemy 2.0, and an object of the composite
        class that is made of None values in 2.1.

    Example:
        ```python
        from sqlalchemy.orm import composite


        class Span:
            def __init__(self, low, high):
                self.low, self.high = low, high

            def __composite_values__(self):
                return self.low, self.high


        class Offer(Base):
            __tablename__ = "offers"
            id = Column(Integer, primary_key=True)
            low = Column(Integer)
            high = Column(Integer)
            span = composite(Span, low, high)

            def is_open(self):
                return self.span is None
        ```

    Use instead:
        ```python
        from sqlalchemy.orm import composite


        class Span:
            def __init__(self, low, high):
                self.low, self.high = low, high

            def __composite_values__(self):
                return self.low, self.high


        class Offer(Base):
            __tablename__ = "offers"
            id = Column(Integer, primary_key=True)
            low = Column(Integer)
            high = Column(Integer)
            span = composite(
                Span,
                low,
                high,
                return_none_on=lambda *values: all(value is None for value in values),
            )

            def is_open(self):
                return self.span is None
        ```

    Fix safety:
        Always unsafe: objects that are loaded with empty columns give None then too, where they gave a composite. A
        report when the object that is tested may be of another class, and where the project allows SQLAlchemy 2.0,
        which has no `return_none_on=`. Attributes that are annotated as `Mapped[Point | None]` stay None by
        themselves, if the call does not name the class.

    References:
        - https://docs.sqlalchemy.org/en/21/changelog/whatsnew_21.html
        - https://docs.sqlalchemy.org/en/21/orm/composites.html#returning-none-for-a-composite
    """

    code = "MIG508"
    names = ("composite",)
    since = "2.1"
    min_version = "2.1"

    def find_ClassDef(self, node: ast.ClassDef, ctx: Context) -> Iterator[Finding]:
        """Looks at the composites of one class."""
        composites = [found for statement in node.body if (found := _composite(statement)) is not None]
        answer = ctx.value(ast.copy_location(ast.Name(node.name, ast.Load()), node)) if composites else None
        if answer is None or not isinstance(answer.value, ModelClass):
            return
        for name, annotation, call in composites:
            made = ctx.value(call.func)
            if made is None or not isinstance(made.value, Outside) or made.value.canonical != "composite":
                continue
            keywords = {keyword.arg for keyword in call.keywords}
            if not keywords.isdisjoint({"return_none_on", None}):
                continue
            if _may_be_none(annotation) and not _names_class(call, answer.value):
                continue
            test = ctx.ask(NoneTests).first(answer.value.model, name)
            if test is not None:
                yield self._told(call, name, test, [made, answer], ctx)

    def _told(self, call: ast.Call, name: str, test: NoneTest, given: list[Answer], ctx: Context) -> Finding:
        shown = ctx.project.displayed(test.path)
        message = f"{name} of a new object is no longer None in SQLAlchemy 2.1, and {shown}:{test.line} tests it"
        if not test.is_seen:
            missing = f"whether that is this {name}; then give {_ARGUMENT}"
            return self.report(call, message, missing=missing, given=given)
        unsafe = "whether objects that are loaded without values are to give None too, as they will then"
        return self.fix(call, message, add_argument(call, _ARGUMENT), given=given, unsafe=unsafe)


_ARGUMENT: Final = "return_none_on=lambda *values: all(value is None for value in values)"


def _composite(statement: ast.stmt) -> tuple[str, ast.expr | None, ast.Call] | None:
    """The name, annotation and call of an attribute that may be a composite."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as call):
            annotation = None
        case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=ast.Call() as call):
            pass
        case _:
            return None
    is_called = isinstance(call.func, ast.Name | ast.Attribute)
    return (name, annotation, call) if is_called and ast.unparse(call.func).endswith("composite") else None


def _names_class(call: ast.Call, owner: ModelClass) -> bool:
    """Whether the first argument is the class of the composite, not one of its columns."""
    match call.args:
        case [ast.Name(id=name), *_]:
            return name not in owner.model.attributes
        case [ast.Attribute(), *_]:
            return True
    return False


def _may_be_none(annotation: ast.expr | None) -> bool:
    """Whether an annotation says that the attribute may be None: `Mapped[Point | None]`."""
    inner = evaluated(annotation) if annotation is not None else None
    match inner:
        case ast.Subscript(slice=inside):
            text = ast.unparse(evaluated(inside))
            return "Optional[" in text or "None" in text
    return False
