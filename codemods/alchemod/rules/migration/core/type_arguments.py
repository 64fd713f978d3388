"""MIG211: arguments of types that are gone, or whose default has changed."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

from alchemod.edits.verbs import add_argument, drop
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.facts.lookup import External
from alchemod.facts.module import ClassFacts
from alchemod.facts.versions import parse_release
from alchemod.inference.values import Answer, ClassObject, Outside

_TEXTS = frozenset(
    {"String", "Unicode", "Text", "UnicodeText", "Enum", "VARCHAR", "NVARCHAR", "CHAR", "NCHAR", "TEXT", "CLOB"}
)
_WARNING = "_warn_on_bytestring"
_GONE = frozenset({"convert_unicode", "unicode_error", _WARNING})


class TypeArguments(Rule):
    """Drops arguments of types that mean nothing any more, and asks for what was the default.

    What it does:
        `String(50, convert_unicode=True)` becomes `String(50)`; `Enum(Status)` gets `omit_aliases=False` where a member
        of the enumeration is an alias of another one. In projects that allow SQLAlchemy 1.3 it names the `Boolean` and
        `Enum(native_enum=False)` columns that lose their CHECK constraint.

    Why:
        SQLAlchemy 2.0 raises TypeError for the old arguments, and leaves the aliases of an enumeration out. Since 1.4
        no CHECK constraint is made unless `create_constraint=True` asks for it.

    Example:
        ```python
        notes = Table("notes", Base.metadata, Column("text", String(50, convert_unicode=True)))
        ```

    Use instead:
        ```python
        notes = Table("notes", Base.metadata, Column("text", String(50)))
        ```

    Fix safety:
        Safe for a literal True or False of `convert_unicode`, which means nothing on Python 3. Unsafe for
        `_warn_on_bytestring=`, and for `omit_aliases=False`. A report for other values, and for lost constraints.

    References:
        - https://docs.sqlalchemy.org/en/14/changelog/migration_14.html#change-5367
        - https://docs.sqlalchemy.org/en/20/core/type_basics.html#sqlalchemy.types.Enum.params.omit_aliases
    """

    code = "MIG211"
    names = tuple(sorted({*_TEXTS, "Boolean", "Column", "mapped_column"}))
    since = "1.4"
    min_version = "1.3"

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one call of a type."""
        callee = ctx.value(call.func)
        match callee:
            case Answer(value=Outside(definition=External(name=dotted, canonical=str() as name))):
                if dotted.startswith("sqlalchemy."):
                    yield from self._texts(call, name, callee)
                    yield from self._aliases(call, name, callee, ctx)
                    yield from self._constraint(call, name, callee, ctx)
                    if name in {"Column", "mapped_column"}:
                        yield from self._bare(call, ctx)

    def _bare(self, column: ast.Call, ctx: Context) -> Iterator[Finding]:
        """A type that a column gets as a class."""
        for argument in column.args if ctx.project.versions.includes("1.3") else ():
            if isinstance(argument, ast.Name | ast.Attribute):
                answer = ctx.value(argument)
                match answer:
                    case Answer(value=Outside(definition=External(canonical="Boolean"))):
                        yield self._unchecked(argument, "Boolean", answer)

    def _texts(self, call: ast.Call, name: str, callee: Answer) -> Iterator[Finding]:
        gone = [keyword for keyword in call.keywords if keyword.arg in _GONE] if name in _TEXTS else []
        if not gone:
            return
        message = f"{gone[0].arg}= of {name} is gone in SQLAlchemy 2.0"
        if all(keyword.arg != "unicode_error" and _is_bool(keyword.value) for keyword in gone):
            quiet = any(keyword.arg == _WARNING for keyword in gone)
            unsafe = "whether bytes are given to it, of which SQLAlchemy 1.4 warns without it" if quiet else None
            yield self.fix(call, message, *map(drop, gone), given=[callee], unsafe=unsafe)
        else:
            missing = "it may change what comes from the database: decode it in a TypeDecorator"
            yield self.report(call, message, missing=missing, given=[callee])

    def _aliases(self, call: ast.Call, name: str, callee: Answer, ctx: Context) -> Iterator[Finding]:
        if name != "Enum" or not call.args or parse_release(ctx.goal) < parse_release("2.0"):
            return
        given = {keyword.arg for keyword in call.keywords}
        members = ctx.value(call.args[0])
        match members:
            case Answer(value=ClassObject(facts=facts)) if not given & {"omit_aliases", None}:
                if alias := _alias(facts):
                    message = f"Enum leaves {facts.name}.{alias} out in SQLAlchemy 2.0: it is an alias"
                    edit = add_argument(call, "omit_aliases=False")
                    unsafe = "the database may have been made without it"
                    yield self.fix(call, message, edit, given=[callee], unsafe=unsafe, min_version="1.4.5")

    def _constraint(self, call: ast.Call, name: str, callee: Answer, ctx: Context) -> Iterator[Finding]:
        if not ctx.project.versions.includes("1.3"):
            return
        given = {keyword.arg: keyword.value for keyword in call.keywords}
        native = given.get("native_enum")
        checked = name == "Boolean" or (name == "Enum" and isinstance(native, ast.Constant) and native.value is False)
        if checked and "create_constraint" not in given and None not in given:
            yield self._unchecked(call, name, callee)

    def _unchecked(self, node: ast.expr, name: str, answer: Answer) -> Finding:
        message = f"{name} makes no CHECK constraint since SQLAlchemy 1.4"
        missing = "say create_constraint=True where the database has one"
        return self.report(node, message, missing=missing, given=[answer], level="note")


def _is_bool(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, bool)


def _alias(facts: ClassFacts) -> str | None:
    """The first member of an enumeration that has the value of an earlier one."""
    seen: Counter[str] = Counter()
    for name, assigned in facts.attributes.items():
        if assigned.value is None or name.startswith("_") or not isinstance(assigned.value, ast.Constant):
            continue
        value = repr(assigned.value.value)
        if seen[value]:
            return name
        seen[value] += 1
    return None
