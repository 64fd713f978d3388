"""MIG301: names of mappings that are called otherwise, or live elsewhere, by now."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from alchemod.edits.verbs import add_argument, rename, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.renamed_names import Renamed, RenamedNames, last_names
from alchemod.facts.module import last_name
from alchemod.facts.versions import parse_release
from alchemod.inference.mapping.mappers import Mappers
from alchemod.inference.names.imported import Imported
from alchemod.inference.values import Answer, ModelClass, Outside

_MOVED = (
    *("declarative_base", "as_declarative", "DeclarativeMeta"),
    *("declared_attr", "has_inherited_table", "synonym_for"),
)
_COLLECTIONS = {
    "attribute_mapped_collection": "attribute_keyed_dict",
    "column_mapped_collection": "column_keyed_dict",
    "mapped_collection": "keyfunc_mapping",
    "MappedCollection": "KeyFuncDict",
}
_TABLE = (
    *(Renamed(f"sqlalchemy.ext.declarative.{name}", f"sqlalchemy.orm.{name}") for name in _MOVED),
    *(Renamed(f"sqlalchemy.ext.declarative.api.{name}", f"sqlalchemy.orm.{name}") for name in _MOVED),
    Renamed("sqlalchemy.ext.declarative.clsregistry", "sqlalchemy.orm.clsregistry", is_module=True),
    Renamed("sqlalchemy.orm.relation", "sqlalchemy.orm.relationship", since="1.3"),
    *(
        Renamed(f"sqlalchemy.orm.collections.{old}", f"sqlalchemy.orm.collections.{new}", since="2.0")
        for old, new in _COLLECTIONS.items()
    ),
)
_EVENTS: Final = frozenset({"listen", "listens_for", "remove", "contains"})


class RenamedMappingNames(RenamedNames):
    """Uses the current names of mappings.

    What it does:
        Imports `declarative_base`, `declared_attr` and the like from `sqlalchemy.orm`, changes `relation()` and
        `dynamic_loader()` to `relationship()`, the keyed collections to their names of SQLAlchemy 2.0,
        `class_mapper(A)` and `object_mapper(a)` to `inspect()`, `mapped_table` to `persist_selectable`, and
        `mapper` as the target of events to `Mapper`.

    Why:
        The old names are gone in SQLAlchemy 2.0 or 2.1, or warn.

    Example:
        ```python
        def to_user():
            from sqlalchemy.orm import relation

            return relation("User")
        ```

    Use instead:
        ```python
        def to_user():
            from sqlalchemy.orm import relationship

            return relationship("User")
        ```

    Fix safety:
        Safe: the new names are the same things. A name that strings, `__all__` or other files may rely on stays, as
        the name by which the new one is imported. `AbstractConcreteBase`, `ConcreteBase` and `DeferredReflection` stay
        where they are. Nothing is said where the code chooses between several imports of a name.

    References:
        - https://docs.sqlalchemy.org/en/20/changelog/migration_20.html#migration-to-2-0-step-one-explicit-base-classes
        - https://docs.sqlalchemy.org/en/20/changelog/migration_20.html#declarative-becomes-a-first-class-api
        - https://docs.sqlalchemy.org/en/20/orm/collection_api.html#dictionary-collections
    """

    code = "MIG301"
    names = (
        *last_names(_TABLE), "declarative", "dynamic_loader", "class_mapper", "object_mapper", "mapped_table",
        "unloaded_expirable", *sorted(_EVENTS),
    )  # fmt: skip
    since = "1.4"
    table = _TABLE

    def find_ImportFrom(self, node: ast.ImportFrom, ctx: Context) -> Iterator[Finding]:
        """Looks at `from module import name`, and at `from sqlalchemy.ext.declarative import *`."""
        yield from super().find_ImportFrom(node, ctx)
        is_star = any(alias.name == "*" for alias in node.names)
        if is_star and ctx.ask(Imported).origin(ctx.path, node) == "sqlalchemy.ext.declarative":
            message = "SQLAlchemy 2.0 cannot import * from sqlalchemy.ext.declarative: a name that it lists is gone"
            yield self.report(node, message, missing="which names are used; import them from sqlalchemy.orm")

    def find_Attribute(self, node: ast.Attribute, ctx: Context) -> Iterator[Finding]:
        """Looks at `module.name`, and at attributes of mappers and of the state of objects."""
        yield from super().find_Attribute(node, ctx)
        if not isinstance(node.ctx, ast.Load):
            return
        match node.attr:
            case "mapped_table":
                owner, new, since = ctx.ask(Mappers).mapper(ctx.path, node.value), "persist_selectable", "1.3"
            case "unloaded_expirable":
                owner, new, since = ctx.ask(Mappers).state(ctx.path, node.value), "unloaded", "2.0"
            case _:
                return
        if owner is not None and parse_release(ctx.goal) >= parse_release(since):
            message = f"{node.attr} is an old name of {new}"
            yield self.fix(node, message, rename(node, new), given=[owner], min_version=since)

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at functions that are spelled otherwise, and at the targets of events."""
        if last_name(call) in {"remove", "contains"} and len(call.args) < 3:
            return
        callee = ctx.value(call.func)
        if callee is None or not isinstance(callee.value, Outside) or any(kw.arg is None for kw in call.keywords):
            return
        match callee.value.definition.name, call.args:
            case "sqlalchemy.orm.dynamic_loader", _ if not any(kw.arg == "lazy" for kw in call.keywords):
                edits = swap(call.func, "{sqlalchemy.orm.relationship}"), add_argument(call, 'lazy="dynamic"')
                yield self.fix(call, 'dynamic_loader() is relationship(lazy="dynamic")', *edits, given=[callee])
            case "sqlalchemy.orm.class_mapper", [target] if not call.keywords:
                cls = ctx.value(target)
                if isinstance(cls, Answer) and isinstance(cls.value, ModelClass) and cls.value.alias is None:
                    edit = swap(call.func, "{sqlalchemy.inspect}")
                    yield self.fix(call, "class_mapper() is inspect()", edit, given=[callee, cls])
            case "sqlalchemy.orm.object_mapper", [target] if not call.keywords:
                if (mapped := ctx.ask(Mappers).mapped_object(ctx.path, target)) is not None:
                    edit = swap(call, "{sqlalchemy.inspect}({target}).mapper", target=target)
                    yield self.fix(call, "object_mapper() is inspect().mapper", edit, given=[callee, mapped])
            case name, [target, *_] if name.rpartition(".")[2] in _EVENTS and name.startswith("sqlalchemy.event"):
                answer = ctx.value(target)
                match answer:
                    case Answer(value=Outside(definition=definition)) if definition.name == "sqlalchemy.orm.mapper":
                        message = "mapper() is gone in SQLAlchemy 2.0: the target of events is Mapper"
                        yield self.fix(target, message, swap(target, "{sqlalchemy.orm.Mapper}"), given=[callee, answer])
