"""What the resolver knows, for the analysis of a session's life: openings, products, attributes, callees."""

from __future__ import annotations

import ast
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

from alchemod.facts.attributes import Attribute
from alchemod.facts.module import last_name
from alchemod.inference.ownership.eager import options_of
from alchemod.inference.ownership.knowledge import (
    AttributeKind,
    FactoryKind,
    Leaving,
    Opening,
    Options,
    Product,
    ProductKind,
)
from alchemod.inference.resolving.resolver import Resolver
from alchemod.inference.summaries.providers import FIRST_ELEMENT, started_by
from alchemod.inference.summaries.vocabulary import Given, Treatment
from alchemod.inference.values import (
    Answer,
    ClassObject,
    Collection,
    ColumnObject,
    Coroutine,
    Expression,
    FunctionObject,
    Generator,
    LocalFunction,
    Managed,
    Method,
    ModelAttribute,
    ModelClass,
    Object,
    Outside,
    Place,
    Plain,
    Row,
    Rows,
    Session,
    SessionFactory,
    Statement,
    Term,
    Value,
)

if TYPE_CHECKING:
    from alchemod.inference.summaries.table import Summaries

_PARTIAL_LOADING: Final = ("load_only", "defer", "undefer", "raiseload")
_FIXTURES: Final = frozenset({"fixture", "yield_fixture"})
_MANAGERS: Final = frozenset({"contextmanager", "asynccontextmanager"})
_KINDS: Final[dict[str, FactoryKind]] = {"plain": "plain", "scoped": "never", "committing": "never", "unknown": "plain"}


class SessionSources:
    """Answers the questions of `SessionKnowledge` about the function (or module) whose inside is `place`."""

    def __init__(self, place: Place, resolver: Resolver, summaries: Summaries) -> None:
        self._root: Final = place
        self._resolver: Final = resolver
        self._summaries: Final = summaries

    def opening(self, call: ast.Call) -> Opening | None:
        """How `call` opens a session: by a factory, a session class, or a function that opens one for its caller."""
        if last_name(call.func) in FIRST_ELEMENT:
            return self._from_provider(call)
        if last_name(call) not in self._resolver.project.session_makers or self._is_made_by(_FIXTURES):
            return None
        answer, maker = self._value(call), self._value(call.func)
        if maker is None and (passed := self._passed(call)) is not None:
            answer, maker = passed
        if isinstance(maker, Answer) and isinstance(maker.value, FunctionObject | LocalFunction):
            opening = self._summaries.opening(maker)
            return replace(opening, handed_out=self._is_made_by(_MANAGERS)) if opening is not None else None
        if answer is None or not isinstance(answer.value, Session) or answer.value.factory is None:
            return None
        if maker is None or not isinstance(maker.value, SessionFactory | Outside | ClassObject):
            return None
        factory = answer.value.factory
        return Opening(
            "never" if factory.shares_connection else _KINDS[factory.kind],
            is_async=answer.value.is_async,
            proved=answer.certainty == "proved" and factory.kind != "unknown",
            reason=factory.reason or answer.missing or "",
            enterable=self._resolver.project.versions.allows("1.4"),
            expires_on_commit=factory.expire_on_commit,
            handed_out=self._is_made_by(_MANAGERS),
            is_read=factory.is_read,
            reopens=factory.reopens,
        )

    def _passed(self, call: ast.Call) -> tuple[Answer, Answer] | None:
        """What a parameter, of the function or of one around it, makes that all callers which are seen give the same
        factory, and the factory."""
        owner = self._root.scope.owner(call.func.id) if isinstance(call.func, ast.Name) else None
        parameters = owner.parameters if owner is not None and owner.parent is not None else ()
        if not any(isinstance(call.func, ast.Name) and parameter.arg == call.func.id for parameter in parameters):
            return None
        everywhere = self._summaries.inference.resolver
        made, maker = (everywhere.value(node, self._place(node)) for node in (call, call.func))
        return (made, maker) if made is not None and maker is not None else None

    def _from_provider(self, call: ast.Call) -> Opening | None:
        """The session of `next(provider())`: the generator is gone at once, and with it who would close the session."""
        start = started_by(call)
        provider = self._summaries.provider(self._value(start.func)) if start is not None else None
        answer = self._value(call)
        if answer is None or provider is None:
            return None
        value = answer.value.inner if isinstance(answer.value, Coroutine) else answer.value
        if not isinstance(value, Session):
            return None
        opening = provider.opening or Opening("plain", value.is_async)
        proved = opening.proved and answer.certainty == "proved"
        leaving = Leaving(provider.commits)
        return replace(opening, factory="plain", proved=proved, handed_out=False, provider=provider, leaving=leaving)

    def managing(self, call: ast.Call) -> Opening | None:
        """How `call` makes a context manager that gives a session: `maker.begin()`, or one of the project."""
        answer, callee = self._value(call), self._value(call.func)
        if answer is None or not isinstance(answer.value, Managed) or not isinstance(answer.value.inner, Session):
            return None
        session = answer.value.inner
        match callee:
            case Answer(value=Method(owner=SessionFactory(kind="plain") as factory, name="begin")):
                return Opening(
                    "plain", session.is_async, expires_on_commit=factory.expire_on_commit, leaving=Leaving("must")
                )
            case Answer(value=FunctionObject() | LocalFunction()):
                provider = self._summaries.provider(callee, managed=True)
                if provider is not None and provider.opening is not None and provider.opening.factory == "plain":
                    leaving = Leaving(provider.commits, provider.closes)
                    return replace(provider.opening, leaving=leaving, handed_out=False)
        return None

    def shared(self, node: ast.expr) -> Opening | None:
        """How a session from outside the function was opened. Where that is not seen, a commit is not said to expire
        anything."""
        answer = self._value(node)
        match answer:
            case Answer(value=Session(factory=factory, is_async=is_async)):
                pass
            case Answer(value=SessionFactory(kind="scoped", is_async=is_async) as factory):
                pass
            case _:
                return None
        expires = factory is not None and factory.is_read and factory.expire_on_commit
        return Opening("plain", is_async, proved=answer.certainty == "proved", expires_on_commit=expires)

    def product(self, node: ast.expr) -> Product:
        """What a call, attribute or subscript gives."""
        answer = self._value(node)
        if answer is not None and isinstance(answer.value, Coroutine) and node in self._awaited:
            answer = answer.then(answer.value.inner)
        if answer is None:
            return Product(self._of_unknown_call(node))
        match answer.value:
            case Object(of=ModelClass() as cls):
                return Product("object", self._referred(cls, node), options=self._options(node))
        product = _product(answer.value)
        return replace(product, options=self._options(node)) if product.kind != "plain" else product

    def _options(self, node: ast.expr) -> Options:
        """The loader options behind an object or rows: those of the statement that gave them, or of `get()`."""
        steps: list[tuple[str, ast.Call]] = []
        while isinstance(node, ast.Call):
            given = (keyword.value for keyword in node.keywords if keyword.arg == "options")
            steps += [("options", ast.Call(node, [options], [])) for options in given]
            for part in (node, *node.args[:1]):
                answer = self._value(part)
                match answer:
                    case Answer(value=Statement() as statement) | Answer(value=Rows(statement=statement)):
                        steps += statement.steps
            node = node.func.value if isinstance(node.func, ast.Attribute) else node.func
        return options_of(steps)

    @cached_property
    def _awaited(self) -> set[ast.expr]:
        return {node.value for node in ast.walk(self._root.scope.node) if isinstance(node, ast.Await)}

    def attribute(self, node: ast.Attribute) -> AttributeKind:
        """What reading an attribute of a mapped object is."""
        owner = self._value(node.value)
        if owner is None or not isinstance(owner.value, Object) or not isinstance(owner.value.of, ModelClass):
            return "other"
        models = self._resolver.project.models
        found = models.attribute(owner.value.of.model, node.attr)
        if found is None:
            return "other"
        match found.kind:
            case "column" | "column_property":
                return _column_kind(found)
            case "relationship":
                return {"eager": "eager", "select": "relationship"}.get(models.lazy(found), "other")  # type: ignore[return-value]
        return "other"

    def is_computed(self, value: ast.expr) -> bool:
        """Whether `value` is an expression of SQL."""
        answer = self._value(value)
        if answer is not None:
            return isinstance(answer.value, Expression | ModelAttribute | ColumnObject | Statement)
        called = self._value(value.func) if isinstance(value, ast.Call) else None
        match called:
            case Answer(value=Outside(definition=definition)):
                return definition.name.startswith("sqlalchemy.")
        return False

    def through(self, call: ast.Call, used: str | None) -> Treatment:
        """What a call of something that holds the session does with it."""
        return self._summaries.through(call, self._place(call), used)

    def treatment(self, call: ast.Call, argument: ast.expr, given: Given) -> Treatment:
        """What the callee of `call` does with `argument`, which is of the kind `given`."""
        return self._summaries.of_argument(call, argument, self._place(call), given)

    def _is_made_by(self, decorators: frozenset[str]) -> bool:
        """Whether the function has one of these decorators."""
        return any(last_name(part) in decorators for part in getattr(self._root.scope.node, "decorator_list", ()))

    def _referred(self, cls: ModelClass, node: ast.expr) -> tuple[ast.expr, ...]:
        """The arguments of a constructor call that the new object may refer to: all but values of columns."""
        if not isinstance(node, ast.Call):
            return ()
        models = self._resolver.project.models
        kinds = {keyword: models.attribute(cls.model, keyword.arg or "") for keyword in node.keywords}
        held = [keyword.value for keyword, found in kinds.items() if found is None or found.kind != "column"]
        return (*node.args, *held)

    def _of_unknown_call(self, node: ast.expr) -> ProductKind:
        """A call of something outside the project gives a plain value unless it got objects (analysis assumes so)."""
        if isinstance(node, ast.Call):
            callee = self._value(node.func)
            if callee is not None and isinstance(callee.value, Outside) and callee.value.canonical is None:
                return "plain"
        return "unknown"

    def _value(self, node: ast.expr) -> Answer | None:
        return self._resolver.value(node, self._place(node))

    def _place(self, node: ast.expr) -> Place:
        return Place(self._root.module, self._root.scope.innermost(node))


def _column_kind(attribute: Attribute) -> AttributeKind:
    if attribute.value is not None and last_name(attribute.value) == "deferred":
        return "deferred"
    if attribute.keyword("onupdate") is not None or attribute.keyword("server_onupdate") is not None:
        return "computed"
    return "deferred" if attribute.keyword("deferred") is not None else "column"


def _product(value: Value) -> Product:
    match value:
        case Plain() | Expression() | Outside() | ModelClass() | ClassObject() | FunctionObject() | LocalFunction():
            return Product("plain")
        case Session():
            return Product("session")
        case Object(of=ModelClass()):
            return Product("object")
        case Statement(style="query"):
            return Product("lazy")
        case Statement():
            return Product("plain")
        case Rows():
            return _of_rows(value)
        case Row(statement=statement):
            return Product("objects" if _has_entity(statement.terms) else "plain")
        case Collection(element=element, lazy=lazy):
            inner = _product(element).kind
            if inner == "plain":
                return Product("plain")
            return Product("lazy" if lazy else "objects" if inner == "object" else "unknown")
        case Generator() | Coroutine() | Managed():
            return Product("lazy")
    return Product("unknown")


def _of_rows(rows: Rows) -> Product:
    if rows.lazy:
        return Product("lazy")
    if any(_loads_in_part(call) for name, call in rows.statement.steps if name == "options"):
        return Product("unknown")
    return Product("objects" if _has_entity(rows.statement.terms) else "plain")


def _loads_in_part(call: ast.Call) -> bool:
    return any(isinstance(node, ast.Call) and last_name(node) in _PARTIAL_LOADING for node in ast.walk(call))


def _has_entity(terms: tuple[Term, ...]) -> bool:
    return any(term.kind in {"entity", "unknown"} for term in terms)
