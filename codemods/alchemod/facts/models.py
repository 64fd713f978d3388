"""The mapped classes of a project: their attributes through inheritance, mixins and backrefs.

Declarative styles of SQLAlchemy 1.3 to 2.1: `declarative_base()`, `DeclarativeBase`, `@as_declarative`,
`registry.generate_base()`, `@registry.mapped`, automap, Flask-SQLAlchemy and SQLModel ("Declarative Mapping Styles").
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from alchemod.facts.lookup import Definition, External, Lookup, Variable
from alchemod.facts.module import ClassFacts, Module, last_name
from alchemod.facts.vocabulary import FLASK

Kind = Literal[
    "column",
    "relationship",
    "synonym",
    "hybrid",
    "proxy",
    "column_property",
    "composite",
    "property",
    "method",
    "other",
]
Lazy = Literal["select", "eager", "dynamic", "write_only", "raise", "noload", "unknown"]

_CONSTRUCTORS: dict[str, Kind] = {
    "Column": "column",
    "mapped_column": "column",
    "Field": "column",
    "deferred": "column",
    "relationship": "relationship",
    "relation": "relationship",
    "dynamic_loader": "relationship",
    "Relationship": "relationship",
    "synonym": "synonym",
    "association_proxy": "proxy",
    "column_property": "column_property",
    "composite": "composite",
    "query_expression": "column_property",
}
_LAZY: dict[object, Lazy] = {
    "select": "select",
    True: "select",
    "joined": "eager",
    False: "eager",
    "selectin": "eager",
    "subquery": "eager",
    "immediate": "eager",
    "select_in": "eager",
    "dynamic": "dynamic",
    "write_only": "write_only",
    "raise": "raise",
    "raise_on_sql": "raise",
    "noload": "noload",
    None: "noload",
}
"""Values of `relationship(lazy=...)` ("Relationship Loading Techniques"; the aliases True, False and None are 1.x's)."""

_BASE_MAKERS = frozenset({"declarative_base", "automap_base", "generate_base", "dynamic_declarative_base"})
_BASE_CLASSES = frozenset({"DeclarativeBase", "DeclarativeBaseNoMeta"})


@dataclass(frozen=True, slots=True, eq=False)
class Attribute:
    """One attribute of a mapped class. `value` is the expression that declares it, None for a bare `Mapped[...]`."""

    name: str
    kind: Kind
    owner: ClassFacts
    value: ast.expr | None
    annotation: ast.expr | None = None
    reverse_of: Attribute | None = None
    """The relationship whose `backref` makes this attribute."""

    @property
    def call(self) -> ast.Call | None:
        """The constructor call, `deferred(Column(...))` opened."""
        value = self.value
        if isinstance(value, ast.Call) and last_name(value) == "deferred" and value.args:
            value = value.args[0]
        return value if isinstance(value, ast.Call) else None

    def keyword(self, name: str) -> ast.expr | None:
        """The value of a keyword of the constructor call."""
        call = self.call
        if call is None:
            return None
        return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)

    @property
    def has_unpacked_keywords(self) -> bool:
        """Whether the constructor call takes `**options` that cannot be read."""
        call = self.call
        return call is not None and any(keyword.arg is None for keyword in call.keywords)


@dataclass(slots=True, eq=False)
class Model:
    """A mapped class. `attributes` holds its own and inherited ones by name, backrefs included."""

    facts: ClassFacts
    ancestors: tuple[ClassFacts, ...]
    """The project's classes it derives from, nearest first, without itself."""
    has_unseen_base: bool
    """Whether a base class lies outside the project and is none of SQLAlchemy's."""
    is_flask: bool
    attributes: dict[str, Attribute] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name of the class."""
        return self.facts.name

    @property
    def module(self) -> Module:
        """The module that defines the class."""
        return self.facts.module

    def __repr__(self) -> str:
        return f"Model({self.module.name}.{self.facts.qualname})"


@dataclass(frozen=True, slots=True)
class _Ancestry:
    """What a class derives from: classes of the project in look-up order, the kinds of declarative roots reached,
    whether a base is unseen, and the variables that hold a declarative base."""

    classes: list[ClassFacts]
    roots: set[str]
    unseen: bool
    variables: list[Variable]


class Models:
    """The mapped classes of a project, found on demand. `classes` gives every class of the project."""

    def __init__(self, lookup: Lookup, classes: Callable[[], Iterable[ClassFacts]]) -> None:
        self._lookup = lookup
        self._classes = classes
        self._memo: dict[ClassFacts, Model | None] = {}
        self._by_name: dict[str, list[Model]] | None = None
        self._subclasses: dict[ClassFacts, list[Model]] | None = None

    def of(self, facts: ClassFacts) -> Model | None:
        """The mapped class behind a class of the project, None when it is not mapped."""
        if facts not in self._memo:
            self._memo[facts] = None
            self._memo[facts] = self._model(facts)
        return self._memo[facts]

    def named(self, name: str) -> list[Model]:
        """Every mapped class of the project with this class name."""
        self._index()
        assert self._by_name is not None
        return self._by_name.get(name, [])

    def all(self) -> Iterator[Model]:
        """Every mapped class of the project."""
        self._index()
        assert self._by_name is not None
        for models in self._by_name.values():
            yield from models

    def subclasses(self, model: Model) -> list[Model]:
        """The mapped classes that derive from `model`, at any depth."""
        self._index()
        assert self._subclasses is not None
        return self._subclasses.get(model.facts, [])

    def attribute(self, model: Model, name: str) -> Attribute | None:
        """An attribute of a mapped class, those that backrefs add included."""
        self._index()
        return model.attributes.get(name)

    def target(self, relationship: Attribute, seen_from: Model) -> Model | None:
        """The class a relationship leads to, None when it is not known for sure."""
        if relationship.reverse_of is not None:
            return self._reverse_target(relationship.reverse_of)
        argument = relationship.keyword("argument")
        call = relationship.call
        if argument is None and call is not None and call.args and last_name(call) != "Relationship":
            argument = call.args[0]
        if argument is None and relationship.annotation is not None:
            argument = _mapped_target(relationship.annotation)
        return self._class_named(argument, relationship.owner, seen_from) if argument is not None else None

    def lazy(self, relationship: Attribute) -> Lazy:
        """How a relationship loads unless a query says otherwise."""
        if relationship.reverse_of is not None:
            return self._backref_lazy(relationship.reverse_of)
        if last_name(relationship.value) == "dynamic_loader" if relationship.value is not None else False:
            return "dynamic"
        annotation = relationship.annotation
        if annotation is not None and isinstance(annotation, ast.Subscript):
            wrapper = last_name(annotation.value)
            if wrapper == "DynamicMapped":
                return "dynamic"
            if wrapper == "WriteOnlyMapped":
                return "write_only"
        return _lazy_value(relationship.keyword("lazy"), unpacked=relationship.has_unpacked_keywords)

    def is_collection(self, relationship: Attribute, seen_from: Model) -> bool | None:
        """Whether a relationship holds many objects; None when neither keys nor annotation tell."""
        source = relationship.reverse_of
        if source is not None:
            call = _backref_call(source)
            options = {keyword.arg: keyword.value for keyword in call.keywords} if call is not None else {}
            if isinstance(uselist := options.get("uselist"), ast.Constant):
                return bool(uselist.value)
            if source.keyword("secondary") is not None:
                return True
            forward = self._to_many_by_keys(source, self.of(source.owner), seen_from)
            return None if forward is None else not forward
        if isinstance(uselist := relationship.keyword("uselist"), ast.Constant):
            return bool(uselist.value)
        if (
            relationship.keyword("secondary") is not None
            or relationship.keyword("collection_class") is not None
        ):
            return True
        if relationship.annotation is not None and isinstance(relationship.annotation, ast.Subscript):
            return _is_collection_annotation(relationship.annotation)
        return self._to_many_by_keys(relationship, seen_from, self.target(relationship, seen_from))

    def _to_many_by_keys(
        self, relationship: Attribute, source: Model | None, target: Model | None
    ) -> bool | None:
        """One-to-many or many-to-one, from the foreign keys of both tables ("Relationship Configuration")."""
        if (
            source is None
            or target is None
            or source is target
            or relationship.keyword("primaryjoin") is not None
        ):
            return None
        forward = _references(source, target)
        backward = _references(target, source)
        if forward and not backward:
            return False
        if backward and not forward:
            return True
        return None

    def _model(self, facts: ClassFacts) -> Model | None:
        ancestry = self._linearise(facts)
        roots = ancestry.roots
        decorated = any(last_name(decorator) == "mapped" for decorator in facts.decorators)
        if not roots and not decorated:
            return None
        if _flag(facts, "__abstract__") or any(self._is_base(base) for base in self._own_bases(facts)):
            return None
        if any(last_name(decorator) == "as_declarative" for decorator in facts.decorators):
            return None
        if "sqlmodel" in roots and not any(keyword.arg == "table" for keyword in facts.keywords):
            return None
        model = Model(facts, tuple(ancestry.classes), ancestry.unseen, "flask" in roots)
        for owner in (facts, *ancestry.classes):
            for attribute in declared(owner):
                model.attributes.setdefault(attribute.name, attribute)
        for variable in ancestry.variables:
            for attribute in _added(variable.module, variable.name, facts):
                model.attributes.setdefault(attribute.name, attribute)
        return model

    def _own_bases(self, facts: ClassFacts) -> Iterator[Definition]:
        for base in facts.bases:
            if (definition := self._lookup.expression(facts.module, base)) is not None:
                yield definition

    def _is_base(self, definition: Definition) -> bool:
        return (
            isinstance(definition, External)
            and definition.canonical in _BASE_CLASSES
            and (definition.name.startswith("sqlalchemy."))
        )

    def _linearise(self, facts: ClassFacts) -> _Ancestry:
        """What a class derives from, in look-up order."""
        ancestors: list[ClassFacts] = []
        roots: set[str] = set()
        unseen = False
        variables: list[Variable] = []
        stack = [(facts.module, base) for base in reversed(facts.bases)]
        while stack:
            module, expression = stack.pop()
            definition = self._lookup.expression(module, expression)
            match definition:
                case ClassFacts() as ancestor:
                    if ancestor not in ancestors and ancestor is not facts:
                        ancestors.append(ancestor)
                        stack.extend((ancestor.module, base) for base in reversed(ancestor.bases))
                        if any(last_name(decorator) == "as_declarative" for decorator in ancestor.decorators):
                            roots.add("declarative")
                case External() as external:
                    match external.canonical:
                        case "DeclarativeBase" | "DeclarativeBaseNoMeta":
                            roots.add("sqlmodel" if external.name.startswith("sqlmodel") else "declarative")
                        case name if name == FLASK + "Model":
                            roots.add("flask")
                            stack.extend(self._model_class(module, expression))
                        case None:
                            unseen = unseen or external.name not in _HARMLESS
                case Variable() as variable if self._makes_base(variable):
                    roots.add("declarative")
                    variables.append(variable)
                    stack.extend((variable.module, base) for base in _keywords(variable.assigned.value, "cls"))
                case _:
                    if isinstance(expression, ast.Call) and self._is_base_maker(module, expression):
                        roots.add("declarative")
                        stack.extend((module, base) for base in _keywords(expression, "cls"))
                    else:
                        unseen = unseen or last_name(expression) not in _HARMLESS
        return _Ancestry(ancestors, roots, unseen, variables)

    def _model_class(self, module: Module, base: ast.expr) -> Iterator[tuple[Module, ast.expr]]:
        """The class that `db = SQLAlchemy(model_class=...)` builds `db.Model` on, and the module that says so."""
        if isinstance(base, ast.Attribute):
            database = self._lookup.expression(module, base.value)
            if isinstance(database, Variable):
                for given in _keywords(database.assigned.value, "model_class"):
                    yield database.module, given

    def _makes_base(self, variable: Variable) -> bool:
        value = variable.assigned.value
        return isinstance(value, ast.Call) and self._is_base_maker(variable.module, value)

    def _is_base_maker(self, module: Module, call: ast.Call) -> bool:
        name = last_name(call)
        if name not in _BASE_MAKERS:
            return False
        definition = self._lookup.expression(module, call.func)
        if isinstance(definition, External):
            return definition.canonical in _BASE_MAKERS
        return name == "generate_base" and definition is None

    def _index(self) -> None:
        if self._by_name is not None:
            return
        self._by_name = {}
        self._subclasses = {}
        models = [model for facts in self._classes() if (model := self.of(facts)) is not None]
        for model in models:
            self._by_name.setdefault(model.name, []).append(model)
            for ancestor in model.ancestors:
                self._subclasses.setdefault(ancestor, []).append(model)
        for model in models:
            for attribute in list(model.attributes.values()):
                if attribute.kind == "relationship" and attribute.owner is model.facts:
                    self._add_backref(model, attribute)

    def _add_backref(self, model: Model, relationship: Attribute) -> None:
        name = backref_name(relationship)
        target = self.target(relationship, model) if name is not None else None
        if name is None or target is None:
            return
        reverse = Attribute(name, "relationship", target.facts, relationship.value, None, relationship)
        for receiver in (target, *self.subclasses(target)):
            receiver.attributes.setdefault(name, reverse)

    def _reverse_target(self, source: Attribute) -> Model | None:
        return self.of(source.owner)

    def _backref_lazy(self, source: Attribute) -> Lazy:
        call = _backref_call(source)
        if call is None:
            return "select"
        lazy = next((keyword.value for keyword in call.keywords if keyword.arg == "lazy"), None)
        return _lazy_value(lazy, unpacked=any(keyword.arg is None for keyword in call.keywords))

    def _class_named(self, argument: ast.expr, owner: ClassFacts, seen_from: Model) -> Model | None:
        if isinstance(argument, ast.Lambda):
            argument = argument.body
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            return self._class_by_string(argument.value, owner, seen_from)
        definition = self._lookup.expression(owner.module, argument)
        return self.of(definition) if isinstance(definition, ClassFacts) else None

    def _class_by_string(self, text: str, owner: ClassFacts, seen_from: Model) -> Model | None:
        """A class by the string of a relationship: a name, or a path of modules and a name (registry of the base)."""
        name = text.strip().rpartition(".")[2]
        path = text.strip().rpartition(".")[0]
        if not name.isidentifier():
            return None
        if not path and isinstance(found := self._lookup.name(owner.module, name), ClassFacts):
            return self.of(found)
        if self._by_name is None:
            self._index()
        assert self._by_name is not None
        candidates = [
            model
            for model in self._by_name.get(name, [])
            if not path or f".{model.module.name}".endswith(f".{path}")
        ]
        return candidates[0] if len(candidates) == 1 else None


_HARMLESS = frozenset(
    {"object", "ABC", "abc.ABC", "Generic", "typing.Generic", "MappedAsDataclass", "AsyncAttrs", "Protocol", "UserMixin",
     "flask_login.UserMixin"}
)  # fmt: skip


def declared(facts: ClassFacts) -> Iterator[Attribute]:
    """The attributes that the body of one class declares."""
    for name, assigned in facts.attributes.items():
        if name.startswith("__"):
            continue
        kind = _kind_of(assigned.value, assigned.annotation)
        yield Attribute(name, kind, facts, assigned.value, assigned.annotation)
    for name, function in facts.methods.items():
        body = facts.bodies.get(name)
        if name.startswith("__"):
            continue
        if body is None:
            yield Attribute(name, "method", facts, None)
            continue
        decorators = {last_name(decorator) for decorator in function.decorators}
        if "declared_attr" in decorators:
            value = _returned(body)
            yield Attribute(name, _kind_of(value, None), facts, value, body.returns)
        elif decorators & {"hybrid_property", "hybrid_method"}:
            yield Attribute(name, "hybrid", facts, None)
        else:
            yield Attribute(name, "property", facts, None)
    for name in facts.opaque:
        yield Attribute(name, "other", facts, None)
    yield from _added(facts.module, facts.qualname, facts)


def _added(module: Module, name: str, owner: ClassFacts) -> Iterator[Attribute]:
    """The attributes that the module sets on `name` from outside, as attributes of `owner`."""
    for attribute, assigned in module.added.get(name, {}).items():
        yield Attribute(attribute, _kind_of(assigned.value, None), owner, assigned.value)


def _keywords(call: ast.expr | None, name: str) -> Iterator[ast.expr]:
    """The value of the keyword `name` of a call, if it has one."""
    if isinstance(call, ast.Call):
        yield from (keyword.value for keyword in call.keywords if keyword.arg == name)


def backref_name(relationship: Attribute) -> str | None:
    """The attribute name that `backref=` of a relationship makes on the other class."""
    value = relationship.keyword("backref")
    if isinstance(value, ast.Call) and value.args:
        value = value.args[0]
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else None


def _backref_call(relationship: Attribute) -> ast.Call | None:
    value = relationship.keyword("backref")
    return value if isinstance(value, ast.Call) else None


def _kind_of(value: ast.expr | None, annotation: ast.expr | None) -> Kind:
    if value is not None and isinstance(value, ast.Call):
        name = last_name(value)
        if name in _CONSTRUCTORS:
            return _CONSTRUCTORS[name]
        if name == "wraps" or name.endswith(("Column", "column")):
            return "column"
        return "other"
    if value is None and annotation is not None and isinstance(annotation, ast.Subscript):
        wrapper = last_name(annotation.value)
        if wrapper == "Mapped":
            return "column"
        if wrapper in {"DynamicMapped", "WriteOnlyMapped"}:
            return "relationship"
    return "other"


def _returned(body: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.expr | None:
    """The expression of the only `return` of a short function."""
    returns = [statement for statement in body.body if isinstance(statement, ast.Return)]
    return returns[0].value if len(returns) == 1 and body.body[-1] is returns[0] else None


def _flag(facts: ClassFacts, name: str) -> bool:
    assigned = facts.attributes.get(name)
    return assigned is not None and isinstance(assigned.value, ast.Constant) and bool(assigned.value.value)


def _lazy_value(value: ast.expr | None, *, unpacked: bool) -> Lazy:
    if value is None:
        return "unknown" if unpacked else "select"
    if isinstance(value, ast.Constant):
        return _LAZY.get(value.value, "unknown")
    return "unknown"


_COLLECTIONS = frozenset(
    {"List", "list", "Set", "set", "Sequence", "Collection", "Dict", "dict", "FrozenSet", "Iterable"}
)


def _mapped_target(annotation: ast.expr) -> ast.expr | None:
    """`A` of `Mapped[A]`, `Mapped[Optional["A"]]`, `Mapped[list["A"]]`, `list["A"]`."""
    node = _evaluated(annotation)
    while True:
        match node:
            case ast.Subscript(value=wrapper, slice=inner) if last_name(wrapper) in {"Dict", "dict"}:
                node = inner.elts[-1] if isinstance(inner, ast.Tuple) and inner.elts else inner
            case ast.Subscript(slice=inner):
                node = inner
            case ast.BinOp(left=left, op=ast.BitOr(), right=ast.Constant(value=None)):
                node = left
            case ast.BinOp(left=ast.Constant(value=None), op=ast.BitOr(), right=right):
                node = right
            case ast.Constant(value=str(text)) if not text.isidentifier() and "." not in text:
                evaluated = _evaluated(node)
                if evaluated is node:
                    return None
                node = evaluated
            case ast.Name() | ast.Attribute() | ast.Constant():
                return node
            case _:
                return None


def _evaluated(annotation: ast.expr) -> ast.expr:
    """The expression inside a quoted annotation."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        try:
            return ast.parse(annotation.value.strip(), mode="eval").body
        except (SyntaxError, ValueError):
            return annotation
    return annotation


def _is_collection_annotation(annotation: ast.expr) -> bool | None:
    node = _evaluated(annotation)
    if isinstance(node, ast.Subscript) and last_name(node.value) in {
        "Mapped",
        "DynamicMapped",
        "WriteOnlyMapped",
    }:
        if last_name(node.value) != "Mapped":
            return True
        node = _evaluated(node.slice)
    if isinstance(node, ast.Subscript):
        return last_name(node.value) in _COLLECTIONS
    return False if isinstance(node, ast.Name | ast.Attribute | ast.Constant | ast.BinOp) else None


def _references(source: Model, target: Model) -> bool:
    """Whether a column of `source` has a foreign key to the table of `target`."""
    table = _table_name(target)
    for attribute in source.attributes.values():
        call = attribute.call
        if attribute.kind != "column" or call is None:
            continue
        for argument in (*call.args, *(k.value for k in call.keywords if k.arg in {"foreign_key", None})):
            text = _foreign_key(argument)
            if text is not None and (text.rpartition(".")[0].rpartition(".")[2] or None) in {table, None}:
                return table is not None
            if isinstance(argument, ast.Call) and last_name(argument) == "ForeignKey" and argument.args:
                column = argument.args[0]
                if isinstance(column, ast.Attribute) and last_name(column.value) == target.name:
                    return True
    return False


def _foreign_key(argument: ast.expr) -> str | None:
    if isinstance(argument, ast.Call) and last_name(argument) == "ForeignKey" and argument.args:
        argument = argument.args[0]
        return (
            argument.value if isinstance(argument, ast.Constant) and isinstance(argument.value, str) else None
        )
    return argument.value if isinstance(argument, ast.Constant) and isinstance(argument.value, str) else None


def _table_name(model: Model) -> str | None:
    for owner in (model.facts, *model.ancestors):
        assigned = owner.attributes.get("__tablename__")
        if assigned is not None:
            value = assigned.value
            return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else None
    return _snake_case(model.name) if model.is_flask else model.name.lower()


def _snake_case(name: str) -> str:
    """Flask-SQLAlchemy's table name of a class (its documentation, "Models and Tables")."""
    letters: list[str] = []
    for index, letter in enumerate(name):
        after_lower = (
            index > 0 and letter.isupper() and (name[index - 1].islower() or name[index - 1].isdigit())
        )
        starts_word = index > 0 and letter.isupper() and index + 1 < len(name) and name[index + 1].islower()
        if after_lower or (starts_word and name[index - 1] != "_"):
            letters.append("_")
        letters.append(letter.lower())
    return "".join(letters)
