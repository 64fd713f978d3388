"""Tables: those that `Table("name", metadata, Column(...), ...)` declares, and those of mapped classes.

SQLAlchemy 1.3 to 2.1: "Describing Databases with MetaData", "Declarative Table with Column".
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from alchemod.facts.attributes import Attribute
from alchemod.facts.keys import table_of, tables_of
from alchemod.facts.lookup import External, Lookup, Variable
from alchemod.facts.model import Model
from alchemod.facts.models import Models
from alchemod.facts.module import Assigned, Module, last_name
from alchemod.facts.vocabulary import FLASK

_NO_COLUMNS = frozenset(
    {"ForeignKeyConstraint", "PrimaryKeyConstraint", "UniqueConstraint", "CheckConstraint", "Index", "Constraint"}
)
_ARGUMENTS = "__table_args__"
_REFLECTING = frozenset({"autoload", "autoload_with", "autoload_replace", "extend_existing", "keep_existing"})


@dataclass(frozen=True, slots=True, eq=False)
class TableColumn:
    """A column of a table. `name` is what SQL calls it, `key` what Python does: `table.c.key`, or `Model.key`.

    `call` is the `Column(...)` that declares it in `module`, None where an annotation alone does. `attribute` is the
    mapped attribute, None for a column of a `Table`.
    """

    name: str
    key: str
    call: ast.Call | None
    module: Module
    attribute: Attribute | None = None

    def keyword(self, name: str) -> ast.expr | None:
        """The value of a keyword of the call."""
        keywords = self.call.keywords if self.call is not None else ()
        return next((keyword.value for keyword in keywords if keyword.arg == name), None)


@dataclass(slots=True, eq=False)
class Table:
    """A table by its `name` in the database ("" for one that is known at run time only), with its columns by key.

    `call` is the `Table(...)` that declares it in `module`; `model` is the mapped class whose table it is, None for a
    table that stands by itself. `is_whole` says that every column is seen, `has_unseen_schema` that a schema is given
    which cannot be read.
    """

    name: str
    module: Module
    columns: dict[str, TableColumn] = field(default_factory=dict)
    schema: str | None = None
    has_unseen_schema: bool = False
    call: ast.Call | None = None
    model: Model | None = None
    is_whole: bool = True

    def named(self, name: str) -> TableColumn | None:
        """The column that SQL calls so."""
        return next((column for column in self.columns.values() if column.name == name), None)

    def __repr__(self) -> str:
        return f"Table({self.name})"


class Tables:
    """The tables of a project, found on demand. `modules` gives the facts of its files."""

    def __init__(self, lookup: Lookup, models: Models, modules: Callable[[], Iterable[Module]]) -> None:
        self._lookup = lookup
        self._models = models
        self._modules = modules
        self._declared: dict[ast.Call, Table | None] = {}
        self._mapped: dict[Model, Table | None] = {}
        self._by_name: dict[str, list[Table]] | None = None

    def declared(self, call: ast.Call, module: Module) -> Table | None:
        """The table that a call of `Table` declares, None when it has no arguments that are seen."""
        if call not in self._declared:
            self._declared[call] = _declared(call, module)
        return self._declared[call]

    def of(self, model: Model) -> Table | None:
        """The table of a mapped class; that of its parent where it has none of its own, None when it is not known.

        A class that is mapped to several tables ("Joined Table Inheritance") has the columns of its own one here.
        """
        if model not in self._mapped:
            self._mapped[model] = self._of_model(model)
        return self._mapped[model]

    def named(self, name: str) -> list[Table]:
        """Every table of the project that SQL calls so, one for each class or `Table(...)` that declares it."""
        if self._by_name is None:
            self._by_name = {}
            for table in self._every():
                self._by_name.setdefault(table.name, []).append(table)
        return self._by_name.get(name, [])

    def is_table(self, call: ast.Call, module: Module) -> bool:
        """Whether a call at module level makes a `Table`, that of Flask-SQLAlchemy and own subclasses included."""
        definition = self._lookup.expression(module, call.func)
        if isinstance(definition, External) and definition.canonical == FLASK + "Table":
            return True
        return self._lookup.reaches(definition, "Table")

    def _every(self) -> Iterator[Table]:
        for model in self._models.all():
            table = self.of(model)
            if table is not None and table.model is model:
                yield table
        for module in self._modules():
            for call in _calls_of_table(module):
                if self.is_table(call, module) and (table := self.declared(call, module)) is not None:
                    yield table

    def _of_model(self, model: Model) -> Table | None:
        given = model.facts.attributes.get("__table__")
        if given is not None and given.value is not None:
            return self._given(model, given.value)
        names = tables_of(model)
        if not names:
            return None
        parents = [found for facts in model.ancestors if (found := self._models.of(facts)) is not None]
        if parents and table_of(model.facts) is None and not _names_itself(model):
            return self.of(parents[0])
        table = Table(names[0], model.module, model=model, is_whole=not model.has_unseen_base)
        _read_arguments(table, model)
        inherited = {facts for parent in parents for facts in parent.family}
        for attribute in model.attributes.values():
            if attribute.owner not in inherited and (column := _mapped_column(attribute)) is not None:
                table.columns[column.key] = column
        for facts in model.family:
            if facts not in inherited and facts.opaque:
                table.is_whole = False
        return table

    def _given(self, model: Model, value: ast.expr) -> Table | None:
        """The table of `__table__ = Table(...)`, or of `__table__ = a_table`."""
        if isinstance(value, ast.Call):
            return self.declared(value, model.module) if self.is_table(value, model.module) else None
        match self._lookup.expression(model.module, value):
            case Variable(module=module, assigned=Assigned(value=ast.Call() as call), others=()):
                return self.declared(call, module) if self.is_table(call, module) else None
        return None


def _calls_of_table(module: Module) -> Iterator[ast.Call]:
    """The calls of something named Table whose value a name of the module, or of one of its classes, is bound to."""
    for bindings in module.bindings.values():
        for binding in bindings:
            if isinstance(binding, Assigned):
                yield from _as_table(binding.value)
    for facts in module.classes.values():
        for name, assigned in facts.attributes.items():
            if name != "__table__":
                yield from _as_table(assigned.value)


def _as_table(value: ast.expr | None) -> Iterator[ast.Call]:
    if isinstance(value, ast.Call) and last_name(value) == "Table":
        yield value


def _declared(call: ast.Call, module: Module) -> Table | None:
    match call.args:
        case [ast.Constant(value=str(name)), *items]:
            table = Table(name, module, call=call)
        case [ast.Name() | ast.Attribute() | ast.JoinedStr() | ast.BinOp() | ast.Call() | ast.Subscript(), *items]:
            table = Table("", module, call=call, is_whole=False)
        case _:
            return None
    for keyword in call.keywords:
        if keyword.arg == "schema":
            _set_schema(table, keyword.value)
        elif keyword.arg is None or keyword.arg in _REFLECTING:
            table.is_whole = False
    for item in items[1:]:
        if (column := _column(item, module)) is not None:
            table.columns[column.key] = column
        elif not (isinstance(item, ast.Call) and last_name(item) in _NO_COLUMNS):
            table.is_whole = False
    return table


def _column(item: ast.expr, module: Module) -> TableColumn | None:
    """The column that an argument of `Table` declares, None when it is none, or its name is not a literal."""
    if not isinstance(item, ast.Call) or not last_name(item).endswith(("Column", "column")):
        return None
    name = _text(item.args[0]) if item.args else _text(_keyword(item, "name"))
    if name is None:
        return None
    return TableColumn(name, _text(_keyword(item, "key")) or name, item, module)


def _mapped_column(attribute: Attribute) -> TableColumn | None:
    call = attribute.call
    if attribute.kind == "column_property":
        call = call.args[0] if call is not None and call.args and isinstance(call.args[0], ast.Call) else None
        if call is None or last_name(call) != "Column":
            return None
    elif attribute.kind != "column":
        return None
    inner = _keyword(call, "sa_column") if call is not None else None
    call = inner if isinstance(inner, ast.Call) else call
    named = _text(_keyword(call, "name")) if call is not None else None
    if call is not None and call.args and last_name(call) != "Field":
        named = _text(call.args[0]) or named
    return TableColumn(named or attribute.name, attribute.name, call, attribute.owner.module, attribute)


def _names_itself(model: Model) -> bool:
    """Whether a class that has a mapped parent gets a table of its own from a method of a mixin, or from Flask."""
    return model.is_flask or any("__tablename__" in facts.methods for facts in model.family)


def _read_arguments(table: Table, model: Model) -> None:
    """Take the schema of `__table_args__`: a dict, or a tuple that ends in one."""
    given = next((facts.attributes[_ARGUMENTS] for facts in model.family if _ARGUMENTS in facts.attributes), None)
    options = given.value if given is not None else None
    if isinstance(options, ast.Tuple) and options.elts:
        options = options.elts[-1]
    if not isinstance(options, ast.Dict):
        table.has_unseen_schema = options is not None and not isinstance(options, ast.Call | ast.Tuple)
        return
    for key, value in zip(options.keys, options.values, strict=True):
        if _text(key) == "schema":
            _set_schema(table, value)
        elif _text(key) is None:
            table.has_unseen_schema = True


def _set_schema(table: Table, value: ast.expr) -> None:
    table.schema = _text(value)
    table.has_unseen_schema = table.schema is None and not (isinstance(value, ast.Constant) and value.value is None)


def _keyword(call: ast.Call | None, name: str) -> ast.expr | None:
    keywords = call.keywords if call is not None else ()
    return next((keyword.value for keyword in keywords if keyword.arg == name), None)


def _text(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
