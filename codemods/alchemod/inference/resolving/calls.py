"""What a call gives: constructors of SQLAlchemy, sessions, statements, functions of the project."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from alchemod.facts.lookup import External
from alchemod.facts.module import ClassFacts
from alchemod.inference.resolving import engines, sessions, statements, tables
from alchemod.inference.resolving.containers import listed, next_of, row_of
from alchemod.inference.values import (
    Answer,
    ClassObject,
    Collection,
    ColumnObject,
    Coroutine,
    Engine,
    Exists,
    Expression,
    FlaskDatabase,
    FromClause,
    FunctionObject,
    Generator,
    LibraryObject,
    LocalFunction,
    Managed,
    Method,
    ModelAttribute,
    ModelClass,
    Object,
    Outside,
    Place,
    Plain,
    Rows,
    Session,
    SessionFactory,
    Statement,
    TableObject,
    Term,
    resting_on,
)

if TYPE_CHECKING:
    from alchemod.inference.resolving.resolver import Resolver

_LISTING = frozenset({"list", "sorted", "tuple", "set", "reversed"})
_PLAIN_CALLS = frozenset({"len", "str", "int", "bool", "float", "sum", "any", "all", "isinstance"})
_STATEMENTS = {"select": "select", "insert": "insert", "update": "update", "delete": "delete"}
_RESULT_LISTS = frozenset({"all", "fetchall", "unique", "partitions", "yield_per", "freeze"})
_RESULT_ROWS = frozenset({"first", "one", "one_or_none", "fetchone", "scalar_one", "scalar_one_or_none", "scalar"})
_URL_CHANGES = frozenset(
    {"set", "update_query_dict", "update_query_string", "update_query_pairs", "difference_update_query"}
)
_QUERY_PLAIN = frozenset({"count", "update", "delete"})
_ASYNC_SESSIONS = ("AsyncSession", "async_sessionmaker", "async_scoped_session")
"""Without one of these names, a project has no asynchronous sessions."""


def call(answer: Answer, node: ast.Call, place: Place, resolver: Resolver) -> Answer | None:
    """What calling `answer` with the arguments of `node` gives."""
    match answer.value:
        case Outside() as outside:
            return _outside(answer, outside, node, place, resolver)
        case Method(owner=owner, name=name):
            return _method(answer.then(owner), name, node, place, resolver)
        case SessionFactory() as factory:
            bound = sessions.configured(sessions.bound(factory, node, place, resolver), node, place, resolver)
            return answer.then(sessions.opened(bound), f"{ast.unparse(node.func)} is a {factory.name}")
        case Session(scoped=True):
            return answer
        case ModelClass(alias=None) as cls:
            return answer.then(Object(cls))
        case ClassObject(facts=facts):
            return _instance(answer, facts, node, place, resolver)
        case FunctionObject() | LocalFunction():
            return resolver.functions.returned(answer, node, place)
    return None


def _instance(answer: Answer, facts: ClassFacts, node: ast.Call, place: Place, resolver: Resolver) -> Answer | None:
    if resolver.project.lookup.reaches(facts, "Table"):
        table = tables.declared(node, place, resolver.project)
        return answer.then(table) if table is not None else None
    factory = sessions.of_class(facts, resolver)
    if factory is not None:
        return answer.then(sessions.opened(factory))
    return answer.then(Object(ClassObject(facts)))


def _outside(answer: Answer, outside: Outside, node: ast.Call, place: Place, resolver: Resolver) -> Answer | None:
    name = outside.canonical
    dotted = outside.definition.name
    if name is None:
        return _of_library(answer, dotted, node, place, resolver)
    made = sessions.made_by(outside, node, place, resolver) or tables.made_by(outside, node, place, resolver.project)
    if made is not None:
        return answer.then(made)
    if name in _STATEMENTS:
        return _construct(answer, name, node, place, resolver)
    match name:
        case "alias" if node.args:
            match resolver.value(node.args[0], place):
                case Answer(value=TableObject() as table) as found:
                    return found.then(replace(table, alias=node))
            return None
        case "aliased" | "with_polymorphic" if node.args:
            target = resolver.value(node.args[0], place)
            if target is not None and isinstance(target.value, ModelClass) and name == "aliased":
                return resting_on(ModelClass(target.value.model, node), (answer, target))
            return None
        case "make_url" | "URL" | "create" if name != "create" or dotted.endswith(".URL.create"):
            return answer.then(LibraryObject("URL"))
        case "from_engine" if dotted.endswith("Inspector.from_engine"):
            return answer.then(LibraryObject("Inspector"))
        case "inspect" if len(node.args) == 1:
            return engines.inspected(answer, resolver.value(node.args[0], place))
        case "create_engine" | "engine_from_config":
            return answer.then(Engine())
        case "create_async_engine" | "async_engine_from_config":
            return answer.then(Engine(is_async=True))
        case "Query" if node.args and dotted.startswith("sqlalchemy."):
            return _construct(answer, "query", node, place, resolver)
        case "object_session":
            return answer.then(Session())
        case "text" | "literal_column":
            return None
        case "Column" | "Index" | "MetaData" if dotted.startswith("sqlalchemy."):
            return answer.then(LibraryObject(name))
        case "declarative_base" | "automap_base" if dotted.startswith("sqlalchemy."):
            return answer.then(LibraryObject("DeclarativeMeta"))
        case "exists":
            return answer.then(Exists())
        case "union" | "union_all" | "intersect" | "intersect_all" | "except_" | "except_all":
            terms = (Term("unknown", None, node),)
            return answer.then(Statement("select", terms, lost=name, node=node, place=place))
        case "join" | "outerjoin" if node.args:
            return answer.then(FromClause("join"))
    if (
        ".func." in dotted
        or ".sql.functions." in dotted
        or dotted.endswith((".distinct", ".cast", ".desc", ".asc", ".label", ".type_coerce", ".extract"))
    ):
        return _expression(answer, node, place, resolver)
    return None


def _construct(answer: Answer, style: str, node: ast.Call, place: Place, resolver: Resolver) -> Answer | None:
    nodes = node.args
    match nodes:
        case [ast.List(elts=parts)] | [ast.Tuple(elts=parts)] if style == "query" or len(nodes) == 1:
            nodes = parts
    if any(isinstance(argument, ast.Starred) for argument in nodes):
        return None
    if style == "query" and len(node.args) > 1:
        nodes = nodes[:1] if nodes is node.args else nodes
    found = [resolver.value(argument, place) for argument in nodes]
    terms = statements.begin(found, nodes, place)
    kind = "query" if style == "query" else _STATEMENTS[style]
    statement = Statement(kind, terms, node=node, place=place)  # type: ignore[arg-type]
    return resting_on(statement, (answer, *(part for part in found if part is not None)))


def _expression(answer: Answer, node: ast.Call, place: Place, resolver: Resolver) -> Answer:
    found = [resolver.value(argument, place) for argument in node.args]
    owners: list[ModelClass] = []
    known = True
    for part in found:
        match part:
            case Answer(value=ModelAttribute(owner=owner)):
                owners.append(owner)
            case Answer(value=Expression(owners=inside, is_whole=whole)):
                owners.extend(inside)
                known = known and whole
            case Answer(value=Plain()):
                pass
            case _:
                known = False
    # The first column among the arguments has the entity (verified for Query and select, 1.4 to 2.1).
    return answer.then(Expression(tuple(owners), is_whole=known))


def _of_library(answer: Answer, dotted: str, node: ast.Call, place: Place, resolver: Resolver) -> Answer | None:
    name = dotted.rpartition(".")[2]
    if dotted.startswith("builtins."):
        return _builtin(answer, name, node, place, resolver)
    match dotted:
        case "contextlib.contextmanager" | "contextlib.asynccontextmanager" if node.args:
            match resolver.value(node.args[0], place):
                case Answer(value=FunctionObject() as function) as made:
                    return made.then(replace(function, is_manager=True))
            return None
        case "contextlib.closing" | "contextlib.aclosing" if node.args:
            inner = resolver.value(node.args[0], place)
            return inner.then(Managed(inner.value)) if inner is not None else None
        case "typing.cast" if len(node.args) == 2:
            from alchemod.inference.resolving.annotation import annotated

            return resolver.value(node.args[1], place) or annotated(node.args[0], place, resolver)
        case "logging.getLogger":
            return answer.then(Outside(External("logging.Logger")))
        case "alembic.op.get_bind" | "alembic.op.get_context":
            return answer.then(Engine(is_connection=True))
        case "copy.copy" if node.args:
            return resolver.value(node.args[0], place)
    return None


def _builtin(answer: Answer, name: str, node: ast.Call, place: Place, resolver: Resolver) -> Answer | None:
    if name in _PLAIN_CALLS:
        return answer.then(Plain())
    if not node.args:
        return None
    argument = resolver.value(node.args[0], place)
    if argument is None:
        return None
    if name in _LISTING:
        return listed(argument)
    if name in {"next", "anext"}:
        return next_of(argument, name)
    if name == "iter":
        return argument
    if name == "enumerate":
        return None
    if name == "type" and isinstance(argument.value, Object):
        return argument.then(class_of(argument.value))
    return None


def _method(answer: Answer, name: str, node: ast.Call, place: Place, resolver: Resolver) -> Answer | None:
    match answer.value:
        case Session():
            return sessions.method(answer, name, node, place, resolver)
        case SessionFactory() as factory:
            if name == "begin":
                return answer.then(Managed(sessions.opened(factory)))
            if name == "query_property":
                return None
            return sessions.method(answer.then(sessions.opened(factory)), name, node, place, resolver)
        case Statement():
            return _statement_method(answer, name, node, place, resolver)
        case Rows() as rows:
            return _rows_method(answer, rows, name)
        case ModelAttribute(owner=owner):
            return answer.then(Expression((owner,)))
        case TableObject() as table:
            return tables.method(answer, table, name, node, place)
        case FromClause() as source:
            return tables.from_method(answer, source, name, node, place)
        case Exists():
            return tables.exists_method(answer, name, node, place)
        case ColumnObject():
            return answer.then(Expression(is_whole=False))
        case FlaskDatabase() if name == "get_engine":
            return answer.then(Engine())
        case Expression() as expression:
            return answer.then(expression)
        case Engine() as engine:
            return engines.method(answer, engine, name, node, place, resolver)
        case LibraryObject(name="URL") if name in _URL_CHANGES:
            return answer
        case Collection() if name in {"copy"}:
            return answer
        case Generator():
            return next_of(answer, name.strip("_"))
    return None


def _statement_method(answer: Answer, name: str, node: ast.Call, place: Place, resolver: Resolver) -> Answer | None:
    statement = answer.value
    assert isinstance(statement, Statement)
    found = statements.step(
        answer, name, node, place, lambda part: resolver.value(part, place), resolver.project.models
    )
    if found is None and statement.style in {"select", "query"}:
        found = tables.nested(answer, statement, name)
    if found is not None or statement.style != "query":
        return found
    entities = len(statement.terms) == 1 and statement.terms[0].kind == "entity"
    rows = Rows(statement, scalars=entities, lazy=False)
    if name == "all":
        return answer.then(rows)
    if name in {"first", "one", "one_or_none", "get", "first_or_404", "get_or_404", "one_or_404"}:
        row = row_of(rows)
        return answer.then(row) if row is not None else None
    if name == "scalar":
        element = row_of(replace(rows, scalars=True))
        return answer.then(element) if element is not None else None
    if name in _QUERY_PLAIN:
        return answer.then(Plain())
    return None


def _rows_method(answer: Answer, rows: Rows, name: str) -> Answer | None:
    if name in {"scalars", "columns"}:
        return answer.then(replace(rows, scalars=name == "scalars"))
    if name == "mappings":
        return answer.then(replace(rows, mappings=True))
    if name in _RESULT_LISTS:
        return answer.then(replace(rows, lazy=rows.lazy and name != "all" and name != "fetchall"))
    if name in _RESULT_ROWS:
        element = row_of(replace(rows, scalars=True) if name.startswith("scalar") else rows)
        return answer.then(element) if element is not None else None
    return None


def class_of(value: Object) -> ModelClass | ClassObject:
    """The class of an object: that one, or a subclass."""
    return replace(value.of, is_open=True) if isinstance(value.of, ModelClass) else value.of


def known_by_arguments(node: ast.Attribute | ast.Call, place: Place, resolver: Resolver) -> Answer | None:
    """A Query known by its arguments alone: `x.query(Model)` is one while no class of the project defines `query`.

    An AsyncSession has no such method ("Asynchronous I/O (asyncio)").
    """
    match node:
        case ast.Call(func=ast.Attribute(attr="query", value=asked), args=[first, *_]):
            argument = resolver.value(first, place)
            if argument is None or not isinstance(argument.value, ModelClass | ModelAttribute | Expression | Exists):
                return None
            if isinstance(argument.value, Expression) and not argument.value.owners:
                return None
            if _is_async_session(asked, place, resolver):
                return None
            answer = sessions.query(Answer(Plain()), node, place, resolver)
            if answer is not None and (other := resolver.project.query_definers.any):
                return answer.weakened(f"{other} defines query() too, and who is asked here is not known")
            return answer
    return None


def _is_async_session(asked: ast.expr, place: Place, resolver: Resolver) -> bool:
    if not any(map(resolver.project.files_mentioning, _ASYNC_SESSIONS)):
        return False
    match resolver.value(asked, place):
        case Answer(value=Session(is_async=True)):
            return True
    return False


def default(value: ast.expr, place: Place, resolver: Resolver) -> Answer | None:
    """What a parameter is whose default is `value`: what the provider of `Depends(provider)` gives, else nothing."""
    match value:
        case ast.Call(func=func, args=[provider, *_]) if ast.unparse(func).rpartition(".")[2] in {
            "Depends",
            "Security",
        }:
            answer = resolver.value(provider, place)
            if answer is None:
                return None
            given = (
                resolver.functions.returned(answer, None, place)
                if isinstance(answer.value, FunctionObject | LocalFunction)
                else call(answer, ast.Call(provider, [], []), place, resolver)
            )
            match given:
                case Answer(value=Generator(inner=inner) | Managed(inner=inner) | Coroutine(inner=inner)):
                    return given.then(inner, f"Depends({ast.unparse(provider)}) provides it")
            return given
    return None
