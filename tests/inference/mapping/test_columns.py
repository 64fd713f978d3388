"""How columns compare with None, True and False; what is right was found out by compiling on SQLAlchemy 1.4 to 2.1."""

from __future__ import annotations

from pathlib import Path

import pytest

from alchemod.inference.mapping.columns import comparison
from sketch import Sketch

MODELS = """
    import enum
    import sqlalchemy as sa
    from money import Amount
    from sqlalchemy import Boolean, Column, ForeignKey, Integer, JSON, PickleType, String
    from sqlalchemy.orm import declarative_base, deferred, mapped_column, Mapped
    from sqlalchemy.types import TypeDecorator, UserDefinedType
    from typing import Annotated, Optional

    Base = declarative_base()
    Flag = Annotated[bool, mapped_column(Boolean)]
    Json = JSON().with_variant(String, "sqlite")


    class YesNo(TypeDecorator):
        impl = Boolean


    class NeverIs(TypeDecorator):
        impl = String
        coerce_to_is_types = ()


    class Inherited(NeverIs):
        pass


    class Folded(UserDefinedType):
        class comparator_factory(UserDefinedType.Comparator):
            pass


    class Foreign(Amount):
        pass


    def flag_column(**options):
        return Column(Boolean, **options)


    class A(Base):
        __tablename__ = "a"
        id = Column(Integer, primary_key=True)
        tested = {column}
"""


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("Column(Boolean)", "boolean"),
        ("Column('flag', sa.Boolean(), nullable=False)", "boolean"),
        ("Column(sa.BOOLEAN)", "boolean"),
        ("deferred(Column(Boolean))", "boolean"),
        ("Column(type_=Boolean)", "boolean"),
        ("Column(String(5))", "usual"),
        ("Column(sa.Enum('a'))", "usual"),
        ("Column(JSON)", "usual"),
        ("Column(Json)", "usual"),
        ("Column(Boolean().with_variant(Integer(), 'mssql'))", "usual"),  # a TypeDecorator in 1.4
        ("Column(PickleType)", "usual"),
        ("Column(YesNo)", "usual"),
        ("Column(NeverIs)", "own"),
        ("Column(Inherited())", "own"),
        ("Column(Folded)", "own"),
        ("Column(Amount)", "own"),
        ("Column(Foreign)", "own"),
        ("Column(make_type())", "own"),
        ("Column(Boolean, **options)", "own"),
        ("flag_column()", "own"),
    ],
)
def test_the_type_decides(tmp_path: Path, column: str, expected: str) -> None:
    sketch = Sketch(tmp_path, {"models.py": MODELS.replace("{column}", column)})
    (model,) = sketch.project.models.named("A")
    assert comparison(model.attributes["tested"], sketch.project) == expected


ANNOTATED = """
    from sqlalchemy import ForeignKey
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
    from typing import Annotated, Optional

    Flag = Annotated[bool, mapped_column()]
    Typed = Annotated[bool, mapped_column(YesNo)]


    class Base(DeclarativeBase):
        {base}


    class A(Base):
        __tablename__ = "a"
        id: Mapped[int] = mapped_column(primary_key=True)
        tested: {annotation}
"""


@pytest.mark.parametrize(
    ("annotation", "base", "expected"),
    [
        ("Mapped[bool]", "pass", "boolean"),
        ("Mapped[bool] = mapped_column(default=False)", "pass", "boolean"),
        ("Mapped[Optional[bool]]", "pass", "boolean"),
        ("Mapped[bool | None] = mapped_column(index=True)", "pass", "boolean"),
        ("Mapped[str | None]", "pass", "usual"),
        ("Mapped[int] = mapped_column(ForeignKey('a.id'))", "pass", "usual"),
        ("Mapped[Flag]", "pass", "boolean"),
        ("Mapped[Flag]", "type_annotation_map = {Flag: YesNo}", "own"),
        ("Mapped[Typed]", "pass", "own"),
        ("Mapped[Annotated[bool, 'said']]", "pass", "boolean"),
        ("Mapped[Annotated[bool, Typed]]", "pass", "own"),
        ("Mapped[bool]", "type_annotation_map = {bool: YesNo}", "own"),
        ("Mapped[bool]", "type_annotation_map = {enum.Enum: sa.Enum(enum.Enum), Optional[str]: Text}", "boolean"),
        ("Mapped[str]", "type_annotation_map = {enum.Enum: sa.Enum(enum.Enum), Optional[str]: Text}", "own"),
        ("Mapped[Kind]", "type_annotation_map = {enum.Enum: sa.Enum(enum.Enum)}", "own"),
        ("Mapped[bool]", "type_annotation_map = dict(TYPES)", "own"),
        ("Mapped[bool]", "type_annotation_map = {**TYPES}", "own"),
        ("Mapped[bool]", "registry = registry(type_annotation_map={bool: YesNo})", "own"),
    ],
)
def test_an_annotation_decides_where_no_type_is_given(
    tmp_path: Path, annotation: str, base: str, expected: str
) -> None:
    source = ANNOTATED.replace("{annotation}", annotation).replace("{base}", base)
    sketch = Sketch(tmp_path, {"models.py": source})
    (model,) = sketch.project.models.named("A")
    assert comparison(model.attributes["tested"], sketch.project) == expected
