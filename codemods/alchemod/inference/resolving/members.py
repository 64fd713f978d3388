"""What an attribute of a known value is."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from alchemod.facts.attributes import Attribute
from alchemod.facts.lookup import External
from alchemod.facts.module import ClassFacts, last_name
from alchemod.facts.vocabulary import flask_attribute
from alchemod.inference.resolving import tables
from alchemod.inference.resolving.instances import class_attribute, is_unset
from alchemod.inference.values import (
    Answer,
    ClassObject,
    Collection,
    ColumnObject,
    ColumnsOf,
    Engine,
    Entity,
    Exists,
    Expression,
    FlaskDatabase,
    FromClause,
    FunctionObject,
    Generator,
    LibraryObject,
    Managed,
    Method,
    ModelAttribute,
    ModelClass,
    Object,
    Outside,
    Place,
    Plain,
    ProjectModule,
    Row,
    Rows,
    Session,
    SessionFactory,
    Statement,
    TableObject,
    Term,
    Value,
)

if TYPE_CHECKING:
    from alchemod.inference.resolving.resolver import Resolver


def attribute(answer: Answer, node: ast.Attribute, place: Place, resolver: Resolver) -> Answer | None:
    """What `node` gives when the value left of the dot is `answer`."""
    name = node.attr
    match answer.value:
        case ProjectModule(module=module):
            return resolver.defined(resolver.project.lookup.name(module, name))
        case Outside(definition=definition):
            return answer.then(Outside(External(f"{definition.name}.{name}")))
        case FlaskDatabase():
            return _of_flask(answer, name)
        case TableObject() as table:
            return tables.attribute(answer, table, name)
        case ColumnsOf(owner=table):
            return answer.then(tables.column(table, name))
        case ModelClass() as cls:
            return _of_model(answer, cls, node, place, resolver)
        case ClassObject(facts=facts):
            return _of_class(answer, facts, node, place, resolver)
        case Object(of=ModelClass() as cls):
            return _of_entity(answer, cls, node, place, resolver)
        case Object(of=ClassObject(facts=facts)):
            return resolver.instances.attribute(answer, facts, name)
        case Row(statement=statement):
            return _of_row(answer, statement, name)
        case Engine(is_connection=False) if name == "url":
            return answer.then(LibraryObject("URL"))
        case Engine(is_async=is_async, is_connection=True) if name in {"engine", "sync_engine"}:
            return answer.then(Engine(is_async and name == "engine"))
        case Engine(is_async=False, is_connection=True) if name == "connection":
            return answer.then(LibraryObject("PoolProxiedConnection"))
        case Engine(is_async=True, is_connection=is_connection) if name in {"sync_engine", "sync_connection"}:
            return answer.then(Engine(is_connection=is_connection))
        case LibraryObject(name="DeclarativeMeta") if name == "metadata":
            return answer.then(LibraryObject("MetaData"))
        case (
            Session()
            | SessionFactory()
            | Statement()
            | Rows()
            | Engine()
            | Collection()
            | Expression()
            | ModelAttribute()
            | ColumnObject()
            | LibraryObject()
            | FromClause()
            | Exists()
        ):
            return answer.then(Method(answer.value, name))
        case Method(owner=FromClause(), name="c" | "columns"):
            return answer.then(Expression(is_whole=False))
        case Managed() | Generator():
            return answer.then(Method(answer.value, name))
    return None


def is_static(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a method is a `@staticmethod`."""
    return any(last_name(decorator) == "staticmethod" for decorator in function.decorator_list)


def first_parameter(function: ast.FunctionDef | ast.AsyncFunctionDef, owner: ModelClass | ClassObject) -> Answer:
    """What `self` or `cls` is in a method of `owner` that is not static."""
    decorators = {last_name(decorator) for decorator in function.decorator_list}
    if isinstance(owner, ModelClass):
        owner = replace(owner, is_open=True)
    is_class = "classmethod" in decorators or function.name in {"__new__", "__init_subclass__"}
    if is_class or decorators & {"declared_attr", "expression", "comparator"}:
        return Answer(owner)
    return Answer(Object(owner))


def _of_flask(answer: Answer, name: str) -> Answer:
    if name == "session":
        reason = "Flask-SQLAlchemy removes it when the request ends"
        factory = SessionFactory("scoped", False, "db.session", reason, is_read=False)
        return answer.then(Session(scoped=True, factory=factory))
    if name == "engine":
        return answer.then(Engine())
    if name in {"get_engine", "engines"}:
        return answer.then(Method(answer.value, name))
    return answer.then(Outside(External(flask_attribute(name))))


def _of_model(answer: Answer, cls: ModelClass, node: ast.Attribute, place: Place, resolver: Resolver) -> Answer | None:
    if node.attr == "__table__":
        mapped = resolver.project.tables.of(cls.model)
        return answer.then(TableObject(mapped)) if mapped is not None and cls.alias is None else None
    found = resolver.project.models.attribute(cls.model, node.attr)
    if found is None or found.kind == "other":
        if node.attr == "query":
            return _query_property(answer, cls, node, place, resolver)
        if found is None:
            return answer.then(LibraryObject("MetaData")) if node.attr == "metadata" else None
    if found.kind == "method":
        return _method_of(answer, cls.model.facts, found.name, resolver)
    if found.kind == "other" and isinstance(found.value, ast.Call) and last_name(found.value) == "query_property":
        return _query_property(answer, cls, node, place, resolver)
    return answer.then(ModelAttribute(cls, found))


def _query_property(
    answer: Answer, cls: ModelClass, node: ast.Attribute, place: Place, resolver: Resolver
) -> Answer | None:
    """`Model.query`, when the class is Flask-SQLAlchemy's or a base declares a query property."""
    owners = (cls.model.facts, *cls.model.ancestors)
    declared = cls.model.attributes.get("query")
    own_method = declared is not None and declared.kind in {"method", "property"}
    if own_method or (declared is None and not cls.model.is_flask):
        return None
    custom = next((f"{owner.name}.query_class is set" for owner in owners if "query_class" in owner.attributes), "")
    terms = (Term("entity", Entity(cls, node.value, place), node.value),)
    return answer.then(Statement("query", terms, custom_class=custom, node=node, place=place))


def _of_class(
    answer: Answer, facts: ClassFacts, node: ast.Attribute, place: Place, resolver: Resolver
) -> Answer | None:
    inner = facts.module.classes.get(f"{facts.qualname}.{node.attr}")
    if inner is not None:
        return resolver.defined(inner)
    for owner in resolver.project.families.above(facts):
        if node.attr in owner.methods:
            return answer.then(FunctionObject(owner.methods[node.attr], answer.value))
        if (assigned := owner.attributes.get(node.attr)) is not None:
            if not is_unset(assigned):
                return class_attribute(owner, assigned, resolver)
            break
    return resolver.instances.attribute(answer, facts, node.attr)


def _of_entity(answer: Answer, cls: ModelClass, node: ast.Attribute, place: Place, resolver: Resolver) -> Answer | None:
    if node.attr == "__class__":
        return answer.then(replace(cls, is_open=True))
    found = resolver.project.models.attribute(cls.model, node.attr)
    if found is None:
        return None
    match found.kind:
        case "relationship":
            return _related(answer, cls, found, node, place, resolver)
        case "method":
            return _method_of(answer, cls.model.facts, found.name, resolver)
        case "property":
            method = _method_of(answer, cls.model.facts, found.name, resolver)
            return resolver.functions.returned(method, None, place) if method is not None else None
        case "column" | "column_property" | "composite":
            return answer.then(Plain())
    return None


def _related(
    answer: Answer, cls: ModelClass, found: Attribute, node: ast.Attribute, place: Place, resolver: Resolver
) -> Answer | None:
    models = resolver.project.models
    target = models.target(found, cls.model)
    if target is None:
        return None
    entity = ModelClass(target)
    lazy = models.lazy(found)
    if lazy in {"dynamic", "write_only"}:
        if lazy == "write_only":
            return None
        terms = (Term("entity", Entity(entity), None),)
        return answer.then(Statement("query", terms, dynamic=True, node=node, place=place))
    many = models.is_collection(found, cls.model)
    if many is None:
        return None
    return answer.then(Collection(Object(entity)) if many else Object(entity))


def _method_of(answer: Answer, facts: ClassFacts, name: str, resolver: Resolver) -> Answer | None:
    for owner in resolver.project.families.above(facts):
        if name in owner.methods:
            return answer.then(FunctionObject(owner.methods[name], answer.value))
    return None


def _of_row(answer: Answer, statement: Statement, name: str) -> Answer | None:
    """A column of a row by its name: an entity has the name of its class (Result API, `Row`)."""
    found: list[Value] = []
    for term in statement.terms:
        if term.kind == "entity" and term.entity is not None and term.entity.model.name == name:
            found.append(Object(ModelClass(term.entity.model)))
        elif isinstance(term.node, ast.Attribute) and term.node.attr == name:
            found.append(Plain())
    return answer.then(found[0]) if len(found) == 1 else None
