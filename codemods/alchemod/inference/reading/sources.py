"""What is known of the rows in one function: who gives them, what their members are, what callees do with them."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final

from alchemod.facts.module import last_name
from alchemod.inference.reading.combined import perhaps
from alchemod.inference.reading.shapes import Shape, shape_of
from alchemod.inference.reading.templates import RENDERING
from alchemod.inference.resolving.containers import element_of, part_of
from alchemod.inference.resolving.functions import own_nodes
from alchemod.inference.resolving.statements import EXECUTING, JOINS, KEEPING, NEW_COLUMNS, REBUILDING, ROW_ENDINGS
from alchemod.inference.rows.knowledge import MUTE, OPAQUE, Effects, Handed, MemberKind, Producer
from alchemod.inference.rows.refs import Given, Path, Root, RowRef
from alchemod.inference.scoping.scopes import FUNCTIONS
from alchemod.inference.summaries.vocabulary import effects_of
from alchemod.inference.values import (
    Answer,
    Collection,
    Coroutine,
    Engine,
    FunctionObject,
    Generator,
    LocalFunction,
    Managed,
    Method,
    ModelClass,
    Object,
    Outside,
    Place,
    Row,
    Rows,
    Session,
    SessionFactory,
    Statement,
    Value,
)

if TYPE_CHECKING:
    from alchemod.inference.reading.table import Readings
    from alchemod.inference.rows.reads import Returned

_ADDED_COLUMNS: Final = ("add_columns", "add_column", "add_entity")
_GIVING_ROWS: Final = (
    KEEPING
    | JOINS
    | REBUILDING
    | ROW_ENDINGS
    | EXECUTING
    | NEW_COLUMNS
    | frozenset({"query", "select_from", "reset_joinpoint", "unique", "partitions", "columns", "get_one", "merge"})
    | frozenset({"scalar_one", "scalar_one_or_none", "one_or_404", "select_entity_from", "from_self"})
)
"""Methods of sessions, statements and results that may give mapped objects."""
_WRITING: Final[Effects] = frozenset(["write"])
_OWNERS: Final = (Session, SessionFactory, Statement, Rows)


class RowSources:
    """Answers the questions of `RowKnowledge` about the function whose inside is `place`.

    `given` are the values of parameters whose rows are followed. `is_plain`: those that objects keep are not.
    """

    def __init__(
        self, place: Place, readings: Readings, given: Mapping[ast.arg, Value] | None = None, *, is_plain: bool = False
    ) -> None:
        self.place: Final = place
        self._readings: Final = readings
        self._resolver: Final = readings.resolver
        self._given: Final = given or {}
        self._producers: Final[dict[ast.Call, Producer | None]] = {}
        self._is_plain: Final = is_plain
        self._kept: Final[dict[ast.Attribute, Producer | None]] = {}
        self._returned: Final[dict[ast.Call | ast.Attribute, tuple[Returned, RowSources]]] = {}
        self._done: Final[dict[ast.AST, Effects]] = {}
        self._at: Final[dict[tuple[Root, Path], Value | None]] = {}

    def producer(self, call: ast.Call) -> Producer | None:
        """How `call` gives mapped objects: a Query, a method of a session, a statement or a result, or a function of
        the project that asks for them."""
        if call not in self._producers:
            self._producers[call] = self._producer(call) or self._given_back(call)
        return self._producers[call]

    def kept(self, attribute: ast.Attribute) -> Producer | None:
        """The mapped objects that an attribute of the function's own object keeps."""
        if self._is_plain:
            return None
        if attribute not in self._kept:
            self._kept[attribute] = self._kept_in(attribute)
        return self._kept[attribute]

    def _kept_in(self, attribute: ast.Attribute) -> Producer | None:
        found = self._readings.keepers.rows(attribute, self.place)
        if found is None:
            return None
        returned, sources = found
        assert isinstance(returned.ref.site, ast.Call)
        asked = sources.producer(returned.ref.site)
        if asked is None or (asked.lazy and not returned.ref.path):
            return None
        self._returned[attribute] = found
        return Producer(Given(*returned.ref[1:]))

    def asked(self, site: Root) -> Producer | None:
        """How a root gives mapped objects; None for a parameter."""
        if isinstance(site, ast.arg):
            return None
        return self.producer(site) if isinstance(site, ast.Call) else self.kept(site)

    def origin(self, site: Root) -> tuple[ast.Call, RowSources] | None:
        """The call that executes the statement behind the rows, and what is known in its function; None when they are
        those of a parameter."""
        sources: RowSources = self
        while not isinstance(site, ast.arg) and site in sources._returned:
            returned, sources = sources._returned[site]
            site = returned.ref.site
        return (site, sources) if isinstance(site, ast.Call) else None

    def member(self, ref: RowRef, name: str) -> MemberKind:
        """What a member of an object is. Names of which nothing is known count as plain."""
        owner = self.value_at(ref.site, ref.path)
        if isinstance(owner, Row):
            return "entity" if _model(self.value_at(ref.site, (*ref.path, name))) is not None else "plain"
        cls = _model(owner)
        if cls is None or name.startswith("#"):
            return "plain"
        models = self._resolver.project.models
        found = models.attribute(cls.model, name)
        if found is None:
            below = (models.attribute(subclass, name) for subclass in models.subclasses(cls.model))
            return (
                "relationship" if any(part is not None and part.kind == "relationship" for part in below) else "plain"
            )
        match found.kind:
            case "relationship":
                if models.lazy(found) in {"dynamic", "write_only"}:
                    return "plain"
                return "collection" if models.is_collection(found, cls.model) else "relationship"
            case "hybrid" | "property":
                return "property"
        return "plain"

    def property(self, ref: RowRef, name: str) -> Handed:
        """What reading a property of an object does with the object."""
        shape = self._shape(ref)
        return OPAQUE if shape is None else self._readings.callees.method(shape, name)

    def arguments(self, call: ast.Call) -> Sequence[ast.expr]:
        """The values that the callee of a call gets: a template those of its context, by name."""
        rendered = self._rendered(call)
        if rendered is not None:
            return list(rendered[1].values())
        receiver = [call.func.value] if isinstance(call.func, ast.Attribute) else []
        return [*receiver, *call.args, *(keyword.value for keyword in call.keywords)]

    def _rendered(self, call: ast.Call) -> tuple[str, Mapping[str, ast.expr]] | None:
        if last_name(call) not in RENDERING:
            return None
        return self._readings.templates.rendered(call, self._place(call))

    def handed(self, call: ast.Call, argument: ast.expr, ref: RowRef) -> Handed:
        """What the callee of `call` does with an argument, or with its receiver."""
        shape = self._shape(ref)
        if (rendered := self._rendered(call)) is not None:
            name = next(name for name, value in rendered[1].items() if value is argument)
            return OPAQUE if shape is None else self._readings.templates.handed(rendered[0], name, shape)
        if isinstance(call.func, ast.Attribute) and call.func.value is argument:
            return MUTE if shape is None else self._now(call, self._readings.callees.method(shape, call.func.attr))
        return self._now(call, self._readings.callees.handed(call, argument, shape, self._place(call)))

    def text(self, ref: RowRef) -> Handed:
        """What making text of an object does with it."""
        shape = self._shape(ref)
        return MUTE if shape is None else self._readings.callees.text(shape)

    def given_away(self, node: ast.Return | ast.Yield, ref: RowRef) -> Handed:
        """What a framework does with what the function returns to it."""
        shape = self._shape(ref)
        return MUTE if shape is None else self._readings.frameworks.given(self.place, shape)

    def effects(self, node: ast.Call | ast.Attribute) -> Effects:
        """What a call, or the assignment to an attribute, may do to a session."""
        if node not in self._done:
            summaries, here = self._readings.summaries, self._place(node)
            if isinstance(node, ast.Call):
                found = effects_of(summaries.deeds_of_call(node, here))
                self._done[node] = found or (_WRITING if self._lends_session(node) else found)
            else:
                self._done[node] = effects_of(summaries.deeds_of_assignment(node, here))
        return self._done[node]

    def _lends_session(self, call: ast.Call) -> bool:
        """Whether code that is not seen gets a session."""
        callee = self._value(call.func)
        if callee is not None and not isinstance(callee.value, Outside):
            return False
        answers = (self._value(argument) for argument in (*call.args, *(keyword.value for keyword in call.keywords)))
        return any(answer is not None and isinstance(answer.value, Session) for answer in answers)

    def effects_of_leaving(self, manager: ast.expr) -> Effects:
        """What leaving `with manager:` may do to a session."""
        return effects_of(self._readings.summaries.deeds_of_leaving(manager, self._place(manager)))

    def swallows(self, manager: ast.expr) -> bool:
        """Whether `with manager:` may swallow an exception: a session, a transaction and a file do not."""
        answer = self._value(manager)
        match answer:
            case Answer(value=Session() | Engine()):
                return False
            case Answer(value=Managed(inner=Session() | Engine())):
                return not _is_method(self._value(manager.func) if isinstance(manager, ast.Call) else None)
        name = manager.func if isinstance(manager, ast.Call) else manager
        match name:
            case ast.Attribute(attr="begin" | "begin_nested" | "no_autoflush"):
                return False
            case ast.Name(id="open"):
                return False
        return True

    def value_at(self, site: Root, path: Path) -> Value | None:
        """What `path` leads to from what a root gives."""
        key = (site, path)
        if key not in self._at:
            self._at[key] = self._step(site, path)
        return self._at[key]

    def _step(self, site: Root, path: Path) -> Value | None:
        if not path:
            return self._at_root(site)
        before, step = self.value_at(site, path[:-1]), path[-1]
        if before is None:
            return None
        found: Answer | None
        if step == "[]":
            found = element_of(Answer(before))
        elif step.startswith("#"):
            found = part_of(Answer(before), ast.Constant(int(step[1:])))
        else:
            found = self._resolver.read(Answer(before), step, self.place)
        return found.value if found is not None else None

    def _at_root(self, site: Root) -> Value | None:
        if isinstance(site, ast.arg):
            return self._given.get(site)
        if site in self._returned:
            returned, sources = self._returned[site]
            return sources.value_at(returned.ref.site, ())
        answer = self._value(site)
        value = _awaited(answer.value) if answer is not None else None
        return None if value is None or _has_added_columns(value) else value

    def _shape(self, ref: RowRef) -> Shape | None:
        producer = self._producers.get(ref.site) if isinstance(ref.site, ast.Call) else None
        lazy = ref.path == () and producer is not None and producer.lazy
        return shape_of(self.value_at(ref.site, ref.path), listed=ref.listed, lazy=lazy)

    def _producer(self, call: ast.Call) -> Producer | None:
        if not isinstance(call.func, ast.Attribute) or call.func.attr not in _GIVING_ROWS:
            return None
        if (answer := self._value(call)) is None:
            return None
        value = _awaited(answer.value)
        if not isinstance(value, Rows | Row | Object | Statement) or not self._is_executing(call.func):
            return None
        match value:
            case Rows(lazy=lazy, mappings=False):
                return Producer(lazy=lazy)
            case Statement(style="query"):
                return Producer(lazy=True)
            case Row() | Object(of=ModelClass()):
                return Producer(Given())
        return None

    def _given_back(self, call: ast.Call) -> Producer | None:
        """A call of a function of the project whose value is rows that it, or what it calls, asked for."""
        if isinstance(call.func, ast.Attribute) and last_name(call) not in self._resolver.project.givers.names:
            return None
        function = self._value(call.func)
        if function is None or not isinstance(function.value, FunctionObject | LocalFunction):
            return None
        answer = self._value(call)
        if answer is None or not _may_be_rows(_awaited(answer.value)):
            return None
        if isinstance(answer.value, Statement):
            return Producer(lazy=True)
        if (found := self._readings.returned(function)) is None:
            return None
        returned, sources = found
        asked = sources.asked(returned.ref.site)
        if asked is None:
            return None
        self._returned[call] = found
        return Producer(Given(*returned.ref[1:]), asked.lazy, returned.since, returned.read)

    def _is_executing(self, method: ast.Attribute) -> bool:
        """Whether a method is one of a session, statement or result, not of a class of the project."""
        found = self._value(method)
        if found is not None:
            return isinstance(found.value, Method) and isinstance(_awaited(found.value.owner), _OWNERS)
        return method.attr == "query"

    def _now(self, call: ast.Call, handed: Handed) -> Handed:
        """What happens at a call: nothing is certain of a coroutine that is not awaited there."""
        callee = self._value(call.func)
        match callee:
            case Answer(value=FunctionObject(facts=facts)) if facts.is_async and call not in self._awaited_calls:
                return perhaps(handed)
        return handed

    @cached_property
    def _awaited_calls(self) -> set[ast.expr]:
        node = self.place.scope.node
        walked = own_nodes(node) if isinstance(node, (*FUNCTIONS, ast.Lambda)) else ast.walk(node)
        return {part.value for part in walked if isinstance(part, ast.Await)}

    def _value(self, node: ast.expr) -> Answer | None:
        return self._resolver.value(node, self._place(node))

    def _place(self, node: ast.expr) -> Place:
        return Place(self.place.module, self.place.scope.innermost(node))


def _awaited(value: Value) -> Value:
    return value.inner if isinstance(value, Coroutine) else value


def _may_be_rows(value: Value) -> bool:
    """Whether a value may be mapped objects, or rows with some."""
    match value:
        case Collection(element=inner) | Generator(inner=inner):
            return _may_be_rows(inner)
        case Statement(style=style):
            return style == "query"
    return isinstance(value, Rows | Row) or _model(value) is not None


def _is_method(callee: Answer | None) -> bool:
    """Whether a context manager comes from `maker.begin()` or `engine.begin()`, not from a function of the project."""
    return callee is not None and isinstance(callee.value, Method)


def _model(value: Value | None) -> ModelClass | None:
    return value.of if isinstance(value, Object) and isinstance(value.of, ModelClass) else None


def _has_added_columns(value: Value) -> bool:
    """Whether rows have more columns than the statement's column list says."""
    statement = value.statement if isinstance(value, Rows | Row) else value
    return isinstance(statement, Statement) and statement.has_step(*_ADDED_COLUMNS)
