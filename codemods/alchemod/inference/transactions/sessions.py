"""Which session an expression stands for, and who owns it.

Two expressions stand for the same session when their keys are equal. A key is where the session comes from: the call
that opens it, the parameter, the attribute of `self`, the variable of a module. Aliases share it.
"""

from __future__ import annotations

import ast
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from alchemod.facts.lookup import Variable
from alchemod.facts.module import last_name
from alchemod.inference.control.reaching import definitions
from alchemod.inference.resolving.containers import entered
from alchemod.inference.resolving.functions import TRANSPARENT, enclosing_function
from alchemod.inference.resolving.resolver import Resolver
from alchemod.inference.scoping.bindings import Binding
from alchemod.inference.scoping.scopes import FUNCTIONS, Scope
from alchemod.inference.transactions.evidence import told_by_use
from alchemod.inference.values import (
    Answer,
    ClassObject,
    FlaskDatabase,
    Managed,
    Object,
    Outside,
    Place,
    ProjectModule,
    Session,
)
from alchemod.inference.values import SessionFactory as Factory

Owner: TypeAlias = Literal[
    "opened", "block", "transaction", "managed", "parameter", "injected", "attribute", "module", "registry", "several"
]
"""Who ends the session, told by where it comes from.

`opened`: this function opens it and closes it by hand, if at all. `block`: opened in the head of a `with`, which closes
it. `transaction`: by `with maker.begin()`, which also commits or rolls back. `managed`: another context manager or
function hands it out. `parameter`: the caller. `injected`: a framework or decorator that fills the parameter.
`attribute`: the object it is kept on. `module`: nobody, it is a variable of a module. `registry`: a `scoped_session`
or Flask's `db.session`. `several`: it depends on the way here.
"""

Key: TypeAlias = tuple[Hashable, ...]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a session comes from. `node` is the call or parameter, None for what lies outside the function."""

    key: Key
    owner: Owner
    node: ast.AST | None = None


@dataclass(frozen=True, slots=True)
class WorkingSession:
    """A session that a function works with; `answer` says how sure it is that it is one."""

    origin: Origin
    answer: Answer
    written: str
    """How the code writes it where it is first met."""

    @property
    def owner(self) -> Owner:
        """Who ends the session."""
        return self.origin.owner

    @property
    def is_own(self) -> bool:
        """Whether the function opens the session itself."""
        return self.owner in ("opened", "block", "transaction")

    @property
    def is_async(self) -> bool:
        """Whether it is an AsyncSession, whose methods are awaited."""
        return isinstance(self.answer.value, Session) and self.answer.value.is_async

    @property
    def factory(self) -> Factory | None:
        """What made it, None when that is not in sight."""
        return self.answer.value.factory if isinstance(self.answer.value, Session) else None

    @property
    def is_plain(self) -> bool:
        """Whether closing it closes and does nothing else: its factory is in sight and makes plain sessions."""
        return self.factory is not None and self.factory.kind == "plain"

    @property
    def expires_on_commit(self) -> bool | None:
        """Whether a commit expires its objects; None when its factory is not in sight."""
        return self.factory.expire_on_commit if self.factory is not None else None


_STORED: Final = "_alchemod_stored_attributes"
_INJECTING: Final = {"Depends", "Security", "Provide", "Inject"}


class SessionOrigins:
    """Answers about the expressions of one project."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver: Final = resolver

    def session(self, node: ast.expr, place: Place) -> WorkingSession | None:
        """The session that `node` stands for where it stands; None when it is none, or that is not known."""
        answer = self._answer(node, place)
        if answer is None:
            return None
        origin = self._origin(node, place)
        return WorkingSession(origin, answer, ast.unparse(node)) if origin is not None else None

    def entered(self, item: ast.withitem, place: Place) -> WorkingSession | None:
        """The session that a `with` item opens or takes over."""
        manager = item.context_expr
        answer = self._answer(manager, place)
        if answer is None:
            answer = entered(self._resolver.value(manager, place))
        origin = self._of_item(manager, place) if answer is not None and isinstance(answer.value, Session) else None
        if answer is None or origin is None:
            return None
        return WorkingSession(origin, answer, ast.unparse(item.optional_vars or manager))

    def flask(self, model: Answer) -> WorkingSession:
        """The session of Flask-SQLAlchemy, which `Model.query` asks; `model` is the answer about the class."""
        origin = Origin(("registry", "flask"), "registry")
        return WorkingSession(origin, model.then(Session(scoped=True)), "db.session")

    def _answer(self, node: ast.expr, place: Place) -> Answer | None:
        answer = self._resolver.value(node, place)
        match answer:
            case Answer(value=Session()):
                return answer
            case Answer(value=Factory(kind="scoped") as factory):
                return answer.then(Session(factory.is_async, scoped=True, factory=factory))
            case None:
                return told_by_use(node, place, self._resolver)
        return None

    def _origin(self, node: ast.expr, place: Place) -> Origin | None:
        match node:
            case ast.Name():
                return self._of_name(node, place)
            case ast.Attribute():
                return self._of_attribute(node, place)
            case ast.Await(value=inner) | ast.NamedExpr(value=inner):
                return self._origin(inner, place)
            case ast.Call():
                return self._of_call(node, place)
            case ast.IfExp(body=body, orelse=orelse):
                return _together([self._origin(body, place), self._origin(orelse, place)])
            case ast.BoolOp(values=parts):
                return _together([self._origin(part, place) for part in parts])
        return None

    def _of_name(self, node: ast.Name, place: Place) -> Origin | None:
        owner = place.scope.owner(node.id)
        if owner is None or (owner.parent is None and not _runs_in(place.scope, owner)):
            return self._of_module(place, node)
        root = place.scope.root.node
        assert isinstance(root, ast.Module)
        found = definitions(root, node)
        where = Place(place.module, found.owner or owner)
        sites = [site for site in found.sites if not _is_none(site)] or list(found.sites)
        return _together([self._of_binding(site, where) for site in sites])

    def _of_module(self, place: Place, node: ast.Name) -> Origin | None:
        match self._resolver.project.lookup.name(place.module, node.id):
            case Variable(module=module, name=name):
                return Origin(("module", module.name, name), self._kept(node, place, "module"))
        return None

    def _of_binding(self, binding: Binding, place: Place) -> Origin | None:
        if binding.position != () or binding.value is None:
            if binding.kind == "parameter" and binding.position == ():
                return self._of_parameter(binding, place)
            return None
        match binding.kind:
            case "assignment" | "annotation" | "walrus":
                return self._origin(binding.value, place)
            case "with":
                return self._of_item(binding.value, place)
            case "parameter":
                return self._of_parameter(binding, place)
        return None

    def _of_parameter(self, binding: Binding, place: Place) -> Origin:
        owner: Owner = "injected" if _is_injected(binding, place.scope) else "parameter"
        return Origin(("parameter", binding), owner, binding.node)

    def _of_item(self, manager: ast.expr, place: Place) -> Origin | None:
        """What `with manager as name` gives."""
        answer = self._resolver.value(manager, place)
        match manager, answer:
            case ast.Call(func=func, args=[argument, *_]), _ if last_name(func) in {"closing", "aclosing"}:
                return self._origin(argument, place)
            case ast.Call(func=ast.Attribute(attr="begin")), Answer(value=Managed(inner=Session())):
                return Origin(("call", manager), "transaction", manager)
            case ast.Call(), Answer(value=Session(scoped=False, factory=Factory())):
                return Origin(("call", manager), "block", manager)
            case ast.Call(), Answer(value=Session(scoped=False) | Managed(inner=Session())):
                return Origin(("call", manager), "managed", manager)
        return self._origin(manager, place)

    def _of_attribute(self, node: ast.Attribute, place: Place) -> Origin | None:
        match self._resolver.value(node.value, place):
            case Answer(value=FlaskDatabase()):
                return Origin(("registry", "flask"), "registry")
            case Answer(value=ProjectModule(module=module)):
                match self._resolver.project.lookup.name(module, node.attr):
                    case Variable(module=home, name=name):
                        return Origin(("module", home.name, name), self._kept(node, place, "module"))
        path = [node.attr]
        base: ast.expr = node.value
        while isinstance(base, ast.Attribute):
            path.append(base.attr)
            base = base.value
        if not isinstance(base, ast.Name):
            return None
        owner = place.scope.owner(base.id)
        bindings = owner.bindings.get(base.id, []) if owner is not None else []
        if len(bindings) > 1:
            return None
        root: Hashable = bindings[0] if bindings else base.id
        if self._is_made_anew(node, place) or self._is_set_here(node, place):
            return Origin(("call", node), "managed", node)
        return Origin(("attribute", root, *reversed(path)), self._kept(node, place, "attribute"))

    def _is_made_anew(self, node: ast.Attribute, place: Place) -> bool:
        """Whether the attribute is a property, which may give another session each time."""
        match self._resolver.value(node.value, place):
            case Answer(value=Object(of=ClassObject(facts=facts))):
                family = self._resolver.project.families.above(facts)
                is_property = any(node.attr in one.methods for one in family)
                return is_property and self._kept(node, place, "attribute") != "registry"
        return False

    def _is_set_here(self, node: ast.Attribute, place: Place) -> bool:
        """Whether the function gives the attribute another session."""
        around = enclosing_function(place.scope)
        return around is not None and node.attr in _stored_attributes(around)

    def _kept(self, node: ast.expr, place: Place, otherwise: Owner) -> Owner:
        """The owner of a session that lies outside the function."""
        match self._resolver.value(node, place):
            case Answer(value=Session(scoped=True) | Factory(kind="scoped")):
                return "registry"
        return otherwise

    def _of_call(self, node: ast.Call, place: Place) -> Origin | None:
        match self._resolver.value(node, place):
            case Answer(value=Session(scoped=True)):
                shared = self._origin(node.func, place)
                return shared or Origin(("registry", ast.unparse(node)), "registry")
            case Answer(value=Factory(kind="scoped")):
                return Origin(("registry", node), "registry")
            case Answer(value=Session(factory=Factory())):
                maker = self._resolver.value(node.func, place)
                is_factory = maker is not None and isinstance(maker.value, Factory | Outside)
                return Origin(("call", node), "opened" if is_factory else "managed", node)
            case Answer(value=Session()):
                return Origin(("call", node), "managed", node)
        return None


def _stored_attributes(scope: Scope) -> frozenset[str]:
    """The attributes that the code of a function sets, of whatever object."""
    known = scope.node.__dict__.get(_STORED)
    if not isinstance(known, frozenset):
        known = scope.node.__dict__[_STORED] = frozenset(
            node.attr
            for node in ast.walk(scope.node)
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
        )
    return known


def _together(origins: list[Origin | None]) -> Origin | None:
    """The one origin of all, or that it depends; None when one is not known."""
    known = [origin for origin in origins if origin is not None]
    if not known or len(known) < len(origins):
        return None
    if len({origin.key for origin in known}) == 1:
        return known[0]
    return Origin(("several", frozenset(origin.key for origin in known)), "several")


def _runs_in(scope: Scope, owner: Scope) -> bool:
    """Whether code of `scope` runs where that of `owner` does: only comprehensions lie between."""
    current: Scope | None = scope
    while current is not None and current is not owner and current.is_comprehension:
        current = current.parent
    return current is owner


def _is_injected(binding: Binding, scope: Scope) -> bool:
    """Whether a decorator, a fixture or a framework gives the parameter its value, not the caller."""
    default = binding.value
    if isinstance(default, ast.Call) and last_name(default) in _INJECTING:
        return True
    annotation = getattr(binding.node, "annotation", None)
    if annotation is not None and any(
        isinstance(part, ast.Call) and last_name(part) in _INJECTING for part in ast.walk(annotation)
    ):
        return True
    if not isinstance(scope.node, FUNCTIONS):
        return False
    decorators = [last_name(decorator) for decorator in scope.node.decorator_list]
    return any(name == "provide_session" or name not in TRANSPARENT for name in decorators)


def _is_none(binding: Binding) -> bool:
    return (
        binding.kind != "parameter"
        and isinstance(binding.value, ast.Constant)
        and binding.value.value is None
        and binding.position == ()
    )
