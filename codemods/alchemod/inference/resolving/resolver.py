"""What an expression is, asked on demand and remembered: names through scopes and imports, attributes, calls.

There is no guessing: bindings that disagree, and whatever is not understood, have no answer.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from alchemod.facts.lookup import Definition, External, Variable
from alchemod.facts.module import Assigned, ClassFacts, FunctionFacts, Module
from alchemod.facts.project import Project
from alchemod.facts.recall import Recall
from alchemod.inference.control.reaching import definitions
from alchemod.inference.resolving import calls, members
from alchemod.inference.resolving.annotation import annotated
from alchemod.inference.resolving.bound import bound
from alchemod.inference.resolving.callers import Callers
from alchemod.inference.resolving.containers import part_of, parts_of
from alchemod.inference.resolving.functions import Functions
from alchemod.inference.resolving.growth import grown, grows_in_circle
from alchemod.inference.resolving.instances import Instances
from alchemod.inference.resolving.merging import agreed
from alchemod.inference.resolving.stored import stored
from alchemod.inference.scoping.bindings import Binding
from alchemod.inference.scoping.scopes import Scope, scope_of
from alchemod.inference.values import (
    Answer,
    ClassObject,
    Collection,
    ColumnObject,
    Coroutine,
    Engine,
    Expression,
    FlaskDatabase,
    FunctionObject,
    LocalFunction,
    ModelAttribute,
    ModelClass,
    Object,
    Outside,
    Place,
    Plain,
    ProjectModule,
    resting_on,
)
from alchemod.text.problem import FileError

_MAX_DEPTH = 60
_MAX_LINKS = 2_000


@dataclass(frozen=True, slots=True)
class _Link:
    node: ast.Attribute | ast.Call


class Resolver:
    """Answers what expressions of one project are. Answers are dropped when the content of a file changes."""

    def __init__(self, project: Project, *, follow_callers: bool = True) -> None:
        self.project = project
        self.functions = Functions(self)
        self.callers = Callers(self)
        self.follow_callers = follow_callers
        self.instances = Instances(self)
        self.recall: Recall[Answer] = Recall()
        self._generation = project.generation
        self._tops: dict[Path, Scope] = {}

    def value(self, node: ast.expr, place: Place) -> Answer | None:
        """What `node` is where it stands, None when it is not known."""
        if self._generation != self.project.generation:
            self.recall.clear()
            self.callers.forget()
            self.instances.forget()
            self._generation = self.project.generation
        if self.recall.depth >= _MAX_DEPTH and node not in self.recall:
            self.recall.cut()
            return None
        if self.recall.depth:
            return self.recall.ask(node, lambda: self._value(node, place))
        try:
            return self.recall.ask(node, lambda: self._value(node, place))
        except RecursionError:
            return None

    def place(self, path: Path, node: ast.expr | ast.stmt) -> Place | None:
        """Where a node of the current tree of `path` stands; None when the file cannot be parsed."""
        module = self.project.facts(path)
        if module is None:
            return None
        root = scope_of(self.project.tree(path))
        return Place(module, root.innermost(node))

    def module_place(self, module: Module) -> Place | None:
        """The top level of a module; None when the file cannot be parsed."""
        try:
            return Place(module, scope_of(self.project.tree(module.path)))
        except FileError:
            return None

    def top_of(self, module: Module) -> Place:
        """The top level of a module as far as its facts tell, for which its file need not be parsed again."""
        if module.path not in self._tops:
            self._tops[module.path] = Scope(ast.Module([], []))
        return Place(module, self._tops[module.path])

    def named(self, name: str, place: Place) -> Answer | None:
        """What `name` stands for in `place`, all its bindings together (without regard to the order of statements)."""
        owner = place.scope.owner(name)
        if owner is None or owner.parent is None:
            return self.defined(self.project.lookup.name(place.module, name))
        bindings = owner.bindings[name]
        here = Place(place.module, owner)
        return self.agreeing(self.bound(binding, here) for binding in _meaningful(bindings))

    def read(self, answer: Answer, name: str, place: Place) -> Answer | None:
        """What attribute `name` of a known value is."""
        return members.attribute(answer, ast.Attribute(ast.Name("_"), name), place, self)

    def defined(self, definition: Definition | None) -> Answer | None:
        """The value of a module-level definition."""
        match definition:
            case None:
                return None
            case External():
                return Answer(Outside(definition))
            case Module():
                return Answer(ProjectModule(definition))
            case ClassFacts():
                return Answer(self.class_of(definition))
            case FunctionFacts():
                return Answer(FunctionObject(definition))
            case Variable():
                return self._variable(definition)

    def class_of(self, facts: ClassFacts) -> ModelClass | ClassObject:
        """The value of a class of the project."""
        model = self.project.models.of(facts)
        return ModelClass(model) if model is not None else ClassObject(facts)

    def _variable(self, variable: Variable) -> Answer | None:
        module = variable.module
        if self.project.lookup.is_flask_database(variable):
            return Answer(FlaskDatabase(), why=(f"{variable.name} is a Flask-SQLAlchemy object",))
        return self.agreeing(self._assigned(assigned, module) for assigned in (variable.assigned, *variable.others))

    def _assigned(self, assigned: Assigned, module: Module) -> Answer | None:
        """What facts tell of an assignment; nothing where it takes names that only the statements around it bind."""
        place = self.top_of(module)
        told = assigned.value is not None and not _mentions(assigned.value, module.opaque)
        answer = self.value(assigned.value, place) if assigned.value is not None and told else None
        if answer is None and assigned.annotation is not None:
            return annotated(assigned.annotation, place, self)
        return answer

    def _value(self, node: ast.expr, place: Place) -> Answer | None:
        match node:
            case ast.Name():
                return self._name(node, place)
            case ast.Attribute() | ast.Call():
                return self._chain(node, place)
            case ast.Await(value=inner):
                answer = self.value(inner, place)
                return self._awaited(answer)
            case ast.NamedExpr(value=inner) | ast.Starred(value=inner):
                return self.value(inner, place)
            case ast.IfExp(body=body, orelse=orelse):
                return self.agreeing((self.value(body, place), self.value(orelse, place)))
            case ast.BoolOp(values=values):
                return self.agreeing(self.value(part, place) for part in values)
            case ast.Compare(left=left, comparators=others):
                return self._combined((left, *others), place)
            case ast.BinOp(left=left, right=right):
                return self._combined((left, right), place)
            case ast.UnaryOp(operand=operand):
                return self._combined((operand,), place)
            case ast.Subscript(value=value, slice=index):
                answer = self.value(value, place)
                if answer is not None and isinstance(answer.value, Object):
                    return self._item(answer, place)
                return part_of(answer, index) if answer is not None else stored(value, place, self)
            case ast.List(elts=[first, *rest]) | ast.Tuple(elts=[first, *rest]) | ast.Set(elts=[first, *rest]):
                found = [self.value(part, place) for part in (first, *rest)]
                answer = self.agreeing(found) if None not in found else None
                if answer is not None:
                    return answer.then(Collection(answer.value))
                return parts_of(node.elts, found) if isinstance(node, ast.Tuple) else None
            case ast.ListComp(elt=element) | ast.SetComp(elt=element) | ast.GeneratorExp(elt=element):
                scope = place.scope.find(node)
                answer = self.value(element, Place(place.module, scope)) if scope is not None else None
                lazy = isinstance(node, ast.GeneratorExp)
                return answer.then(Collection(answer.value, lazy)) if answer is not None else None
            case ast.Constant(value=None):
                return None
            case ast.Constant() | ast.JoinedStr():
                return Answer(Plain())
            case ast.Lambda():
                return Answer(LocalFunction(node, place))
        return None

    def _item(self, answer: Answer, place: Place) -> Answer | None:
        """What `value[index]` gives where the class has its own `__getitem__()`."""
        method = self.read(answer, "__getitem__", place)
        is_own = method is not None and isinstance(method.value, FunctionObject)
        return self.functions.returned(method, None, place) if is_own else None

    def _combined(self, parts: Sequence[ast.expr], place: Place) -> Answer | None:
        """A SQL expression when one operand is one."""
        found = [self.value(part, place) for part in parts]
        answers = [answer for answer in found if answer is not None]
        owners: list[ModelClass] = []
        for answer in answers:
            match answer.value:
                case ModelAttribute(owner=owner):
                    owners.append(owner)
                case Expression(owners=inside):
                    owners.extend(inside)
        sql = [answer for answer in answers if isinstance(answer.value, ModelAttribute | ColumnObject | Expression)]
        if sql:
            # What stands left of the first column may belong to a class; what stands right of it does not decide.
            return resting_on(Expression(tuple(dict.fromkeys(owners)), is_whole=_is_of_classes(found[0])), sql)
        if answers and all(isinstance(answer.value, Plain) for answer in answers):
            return Answer(Plain())
        return None

    def _name(self, node: ast.Name, place: Place) -> Answer | None:
        owner = place.scope.owner(node.id)
        if owner is None or owner.parent is None:
            known = self._module_name(node.id, place)
            if known is not None or owner is None or node.id not in place.module.bindings:
                return known
        root = place.scope.root.node
        assert isinstance(root, ast.Module)
        found = definitions(root, node)
        if found.captured and owner.parent is None:
            return None
        if not found.sites or (found.may_be_unbound and len(found.sites) == 1 and not found.exact):
            return None
        owner_place = Place(place.module, found.owner or owner)
        answer = self.agreeing(self._site(site, root, owner_place) for site in _meaningful(found.sites))
        if answer is not None and not found.exact:
            return answer.weakened(f"{node.id} may be bound again elsewhere")
        return answer

    def _module_name(self, name: str, place: Place) -> Answer | None:
        found = self.project.lookup.name(place.module, name)
        if found is None and name in _BUILTIN_TYPES and name not in place.module.bindings:
            found = External(f"builtins.{name}")
        return self.defined(found)

    def _site(self, site: Binding, root: ast.Module, place: Place) -> Answer | None:
        return grown(site, root, place, self) if grows_in_circle(site, root) else self.bound(site, place)

    def bound(self, binding: Binding, place: Place) -> Answer | None:
        """What a binding gives its name."""
        return bound(binding, place, self)

    def enclosing_class(self, place: Place) -> ClassFacts | None:
        """The class whose body a method stands in directly; None for plain and nested functions."""
        parts: list[str] = []
        scope: Scope | None = place.scope.parent
        while scope is not None and isinstance(scope.node, ast.ClassDef):
            parts.append(scope.node.name)
            scope = scope.parent
        if not parts or scope is None or scope.parent is not None:
            return None
        return place.module.classes.get(".".join(reversed(parts)))

    def _awaited(self, answer: Answer | None) -> Answer | None:
        match answer:
            case Answer(value=Coroutine(inner=inner)):
                return answer.then(inner)
            case Answer(value=Engine(is_async=True, is_connection=True)):
                return answer  # connect() gives what can be awaited and entered ("Asynchronous I/O (asyncio)")
        return None

    def _chain(self, node: ast.Attribute | ast.Call, place: Place) -> Answer | None:
        """A chain of attributes and calls, from its root outwards, without recursion over its length."""
        links: list[_Link] = []
        known: Answer | None = None
        current: ast.expr = node
        while isinstance(current, ast.Attribute | ast.Call):
            if links and current in self.recall:
                break
            known = calls.known_by_arguments(current, place, self)
            if known is not None and known.certainty != "proved":
                known = None
            if known is not None:
                self.recall.keep(current, known)
                break
            links.append(_Link(current))
            current = current.func if isinstance(current, ast.Call) else current.value
            if len(links) > _MAX_LINKS:
                return None
        answer = known if known is not None else self.value(current, place)
        for link in reversed(links):
            if answer is None:
                answer = self._known_call(link.node, place)
            else:
                answer = self.linked(answer, link.node, place)
            if link.node is not node:
                self.recall.keep(link.node, answer)
        return answer

    def _known_call(self, node: ast.expr, place: Place) -> Answer | None:
        """A call known by its arguments alone, when nothing is known of what is asked."""
        match node:
            case ast.Call(func=ast.Attribute(value=receiver, attr=name)) if self.value(receiver, place) is None:
                known = calls.known_by_arguments(node, place, self)
                return stored(receiver, place, self) if known is None and name == "get" else known
        return None

    def linked(self, answer: Answer, link: ast.Attribute | ast.Call, place: Place) -> Answer | None:
        """What one link of a chain gives when what stands left of it is `answer`."""
        if isinstance(link, ast.Attribute):
            return members.attribute(answer, link, place, self)
        return calls.call(answer, link, place, self)

    def agreeing(self, answers: Iterable[Answer | None]) -> Answer | None:
        """The one value that all answers give, None when one is unknown or they differ."""
        return agreed(answers)

    def function_place(self, facts: FunctionFacts) -> Place | None:
        """The inside of a function of the project; None when its file cannot be parsed."""
        place = self.module_place(facts.module)
        if place is None:
            return None
        scope: Scope = place.scope
        for part in facts.qualname.split("."):
            inner = scope.named.get(part)
            if inner is None:
                return None
            exact = [child for child in inner if getattr(child.node, "lineno", 0) == facts.line]
            scope = (exact or inner)[-1]
        return Place(facts.module, scope)


def _is_of_classes(operand: Answer | None) -> bool:
    """Whether an operand is known and holds nothing but plain values and what belongs to mapped classes."""
    match operand:
        case None | Answer(value=ColumnObject() | Expression(is_whole=False)):
            return False
    return True


def _mentions(node: ast.expr, names: Set[str]) -> bool:
    return bool(names) and any(isinstance(part, ast.Name) and part.id in names for part in ast.walk(node))


def _meaningful(bindings: Iterable[Binding]) -> list[Binding]:
    """The bindings that say something: placeholders (`order = None`) give way to real ones."""
    every = list(bindings)
    real = [binding for binding in every if not _is_none(binding.value) or binding.kind == "parameter"]
    return real or every


def _is_none(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


_BUILTIN_TYPES = frozenset(
    {
        "all", "anext", "any", "bool", "callable", "dict", "enumerate", "filter", "float", "format", "getattr",
        "hasattr", "hash", "id", "int", "isinstance", "iter", "len", "list", "map", "max", "min", "next", "print",
        "range", "repr", "reversed", "set", "sorted", "str", "sum", "super", "tuple", "type", "zip",
    }
)  # fmt: skip
