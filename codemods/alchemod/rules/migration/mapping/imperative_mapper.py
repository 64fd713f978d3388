"""MIG303: classes that `mapper()` maps."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from alchemod.edits.verbs import Verb, insert, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.inference.mapping.imperative import ImperativeMappings, Mapping
from alchemod.inference.uses.parents import parents_of
from alchemod.inference.values import Answer, Outside


class ImperativeMapper(Rule):
    """Maps classes by a registry, where `mapper()` did.

    What it does:
        Makes one `registry()` for the file and replaces each `mapper(...)` in it by `map_imperatively(...)` of that
        registry. Reports `instrument_declarative()` and second mappings by `non_primary=True`.

    Why:
        `mapper()` raises in SQLAlchemy 2.0: classes are mapped by a registry, which knows their names.

    Example:
        ```python
        class Tagging:
            pass


        orm.mapper(Tagging, book_tags)
        ```

    Use instead:
        ```python
        class Tagging:
            pass


        mapper_registry = registry()
        mapper_registry.map_imperatively(Tagging, book_tags)
        ```

    Fix safety:
        Always unsafe: the project may have a registry that these classes belong to, and a class gets an attribute
        `__table__`. A registry that the file has already is taken. A report where arguments are not seen.

    References:
        - https://docs.sqlalchemy.org/en/20/changelog/migration_20.html#the-original-mapper-function-now-a-core-element-of-declarative-renamed
        - https://docs.sqlalchemy.org/en/20/orm/mapping_styles.html#imperative-mapping
    """

    code = "MIG303"
    names = ("mapper", "instrument_declarative")
    since = "1.4"
    tokens = ("mapper", "instrument_declarative")

    def find_Module(self, module: ast.Module, ctx: Context) -> Iterator[Finding]:
        """Looks at all calls of `mapper()` in a file together."""
        mappings = ctx.ask(ImperativeMappings)
        every = mappings.of(ctx.path)
        message = "mapper() raises in SQLAlchemy 2.0: a registry maps classes"
        fixed = [one for one in every if not one.obstacle]
        home = parents_of(module).around(fixed[0].call)[-2] if fixed else module
        name = mappings.registry(ctx.path, home) if isinstance(home, ast.stmt) else ""
        made = name or mappings.free_name(ctx.path)
        for one in every:
            missing = one.obstacle
            if not missing and not made:
                missing = "a name for the registry; write map_imperatively() of a registry"
            if missing:
                yield self.report(one.call, message, missing=missing, given=[one.answer])
        if fixed and made:
            edits = [edit for one in fixed for edit in _edits(one, made)]
            if not name:
                assert isinstance(home, ast.stmt)
                edits.insert(0, insert(f"{made} = {{sqlalchemy.orm.registry}}()", before=home))
            given = [one.answer for one in fixed]
            unsafe = "whether the project has a registry that these classes belong to"
            yield self.fix(fixed[0].call, message, *edits, given=given, unsafe=unsafe, min_version="1.4")

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one call of `instrument_declarative()`."""
        answer = ctx.value(call.func)
        match answer:
            case Answer(value=Outside(canonical="instrument_declarative")):
                message = "instrument_declarative() is gone in SQLAlchemy 2.0"
                missing = "which registry the class belongs to; write map_declaratively() of it"
                yield self.report(call, message, missing=missing, given=[answer])


def _edits(mapping: Mapping, registry: str) -> Sequence[Verb]:
    edits: list[Verb] = [swap(mapping.call.func, f"{registry}.map_imperatively")]
    if mapping.extra is not None:
        edits.append(swap(mapping.extra, "properties={_}"))
    return edits
