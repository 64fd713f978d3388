"""Where a loader option starts, and the class that each of its steps leads to.

Up to SQLAlchemy 1.4 an option takes names as strings. They belong to the first entity of the statement, and in a chain
of options to the class that the step before leads to; of a path with dots, or of several arguments, only the last step
loads as the option says. (SQLAlchemy 1.4, "Relationship Loading Techniques"; verified by execution on 1.4.54.)
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from alchemod.facts.attributes import Attribute
from alchemod.inference.area import Area
from alchemod.inference.names.spelling import Spelling, spelling_of, why_not_spelled
from alchemod.inference.querying.filtering import FilteredEntity, at_run_time
from alchemod.inference.resolving.functions import enclosing_function
from alchemod.inference.values import (
    Answer,
    Entity,
    Method,
    ModelAttribute,
    ModelClass,
    Outside,
    Place,
    Statement,
    resting_on,
)

RELATIONSHIP_OPTIONS = frozenset(
    {
        *("joinedload", "selectinload", "subqueryload", "lazyload", "immediateload", "noload", "raiseload"),
        *("defaultload", "contains_eager"),
    }
)
"""Options that say how a relationship loads."""
COLUMN_OPTIONS = frozenset({"load_only", "defer", "undefer"})
"""Options that say which columns load."""
RENAMED_OPTIONS = frozenset({"eagerload", "eagerload_all", "joinedload_all", "subqueryload_all", "contains_alias"})
"""Options of 1.x that are gone."""
_OPTIONS = RELATIONSHIP_OPTIONS | COLUMN_OPTIONS | RENAMED_OPTIONS | {"Load"}
_METHODS = RELATIONSHIP_OPTIONS | COLUMN_OPTIONS
_MAX_DEPTH = 40


@dataclass(frozen=True, slots=True)
class Lead:
    """The class that the names of an option belong to. `answer` says how sure that is.

    `others` are further entities of the statement: in their place SQLAlchemy would not look for the name. `is_built`
    says that the option is made where a Query stands already, which configures the mappers (a select does not).
    """

    entity: Entity
    answer: Answer
    others: tuple[Entity, ...] = ()
    is_built: bool = True


@dataclass(frozen=True, slots=True)
class Step:
    """One attribute of a path: the class it is read from, as it is written, and the attribute."""

    entity: Entity
    spelling: Spelling
    attribute: Attribute


@dataclass(frozen=True, slots=True)
class Path:
    """The steps that the names of an option stand for."""

    steps: tuple[Step, ...]

    def doubt(self, lead: Lead) -> str | None:
        """Why an attribute may not exist where the option is made: a backref makes it with the mappers."""
        if lead.is_built or not any(step.attribute.reverse_of is not None for step in self.steps):
            return None
        return "a backref makes the attribute, which is there only once the mappers are configured"


class LoaderPaths(Area):
    """The classes that loader options speak of."""

    def name_of(self, call: ast.Call, place: Place) -> str | None:
        """SQLAlchemy's name of the option that a call makes, or adds to another option; None when it is none."""
        match self.inference.resolver.value(call.func, place):
            case Answer(value=Outside(definition=definition)) if definition.canonical in _OPTIONS:
                return definition.canonical
            case Answer(value=Method() | Outside()):
                return None
        match call.func:
            case ast.Attribute(value=ast.Call() as before, attr=name) if name in _METHODS:
                return name if self.name_of(before, place) is not None else None
        return None

    def attributes(self, call: ast.Call, place: Place) -> Sequence[ast.expr]:
        """The arguments of an option that stand for attributes.

        Those of a function are a path, of `load_only()` several columns; a method takes one attribute, and then its
        settings.
        """
        is_method = isinstance(call.func, ast.Attribute) and self._before(call, place) is not None
        return call.args if not is_method or self.name_of(call, place) == "load_only" else call.args[:1]

    def _before(self, call: ast.Call, place: Place) -> ast.Call | None:
        """The option that the call of a method adds to."""
        match call.func:
            case ast.Attribute(value=ast.Call() as before) if self.name_of(before, place) is not None:
                return before
        return None

    def lead(self, call: ast.Call, place: Place) -> Lead | str:
        """The class that the names of an option belong to; else why it is not known."""
        before = self._before(call, place)
        return self.reached(before, place) if before is not None else self._start(call, place)

    def at_run_time(self, call: ast.Call, place: Place) -> FilteredEntity | None:
        """The class of the one statement that an option is given to, when only its code is known (`self.model`)."""
        around = enclosing_function(place.scope) or place.scope.root
        uses = list(_uses(call, around.node))
        if self._before(call, place) is not None or len(uses) != 1 or not isinstance(uses[0][0].func, ast.Attribute):
            return None
        answer = self.inference.resolver.value(uses[0][0].func.value, place)
        if answer is None or not isinstance(answer.value, Statement):
            return None
        filtered = at_run_time(answer, answer.value, place, self.inference.resolver)
        return filtered if filtered.runtime is not None else None

    def along(self, call: ast.Call, names: Sequence[str], place: Place) -> tuple[Lead, Path] | str:
        """The lead of an option, and the steps that a path of names takes from there; else why they are not known."""
        lead = self.lead(call, place)
        if isinstance(lead, str):
            return lead
        path = self.path(names, lead, call, place)
        return path if isinstance(path, str) else (lead, path)

    def reached(self, option: ast.Call, place: Place, depth: int = _MAX_DEPTH) -> Lead | str:
        """The class that an option leads to, which the next one in its chain starts at."""
        name = self.name_of(option, place)
        if name is None or depth == 0:
            return f"where {ast.unparse(option)} leads to is not seen"
        if name == "Load":
            return self._of_class(option.args[0], place) if option.args else "Load() has no class"
        if name in COLUMN_OPTIONS:
            return self.lead(option, place)
        lead: Lead | str = "it has no argument"
        for index, argument in enumerate(self.attributes(option, place)):
            start = self.lead(option, place) if index == 0 and _text(argument) is not None else lead
            lead = self._target(argument, start, place)
            if isinstance(lead, str):
                return lead
        return lead

    def path(self, names: Sequence[str], lead: Lead, at: ast.expr, place: Place) -> Path | str:
        """The steps that a path of names takes from a class; else why they cannot be written at `at`."""
        steps: list[Step] = []
        entity = lead.entity
        models = self.inference.project.models
        for index, name in enumerate(names):
            attribute = models.attribute(entity.model, name)
            if attribute is None or not _may_be_loaded(attribute):
                return f"no attribute {name} of {entity.model.name} is seen"
            spelling = spelling_of(entity, at, place, self.inference.resolver)
            if spelling is None:
                return why_not_spelled(entity, place, self.inference.resolver)
            if spelling.cycle:
                return f"importing {spelling.code} here would close a circle of imports"
            steps.append(Step(entity, spelling, attribute))
            if index + 1 < len(names):
                target = models.target(attribute, entity.model) if attribute.kind == "relationship" else None
                if target is None:
                    return f"where {entity.model.name}.{name} leads to is not known"
                entity = Entity(ModelClass(target))
        return Path(tuple(steps))

    def _target(self, argument: ast.expr, lead: Lead | str, place: Place) -> Lead | str:
        """Where one argument of an option leads to from `lead`."""
        models = self.inference.project.models
        text = _text(argument)
        if text is not None:
            if isinstance(lead, str):
                return lead
            path = self.path(text.split("."), lead, argument, place)
            if isinstance(path, str):
                return path
            attribute, owner, answer = path.steps[-1].attribute, path.steps[-1].entity, lead.answer
        else:
            match argument:
                case ast.Call(func=ast.Attribute(attr="of_type"), args=[narrowed]):
                    return self._of_class(narrowed, place)
                case ast.Call(func=ast.Attribute(attr="and_", value=inner)):
                    return self._target(inner, lead, place)
            match self.inference.resolver.value(argument, place):
                case Answer(value=ModelAttribute(owner=cls, attribute=attribute)) as answer:
                    owner = Entity(cls)
                case _:
                    return f"what {ast.unparse(argument)} is is not known"
        target = models.target(attribute, owner.model) if attribute.kind == "relationship" else None
        if target is None:
            return f"where {owner.model.name}.{attribute.name} leads to is not known"
        return Lead(Entity(ModelClass(target)), answer)

    def _of_class(self, node: ast.expr, place: Place) -> Lead | str:
        match self.inference.resolver.value(node, place):
            case Answer(value=ModelClass() as cls) as answer:
                return Lead(Entity(cls, node, place), answer)
        return f"{ast.unparse(node)} is not known to be a mapped class"

    def _start(self, option: ast.Call, place: Place) -> Lead | str:
        """The class at which an option starts: that of the statement it is given to."""
        around = enclosing_function(place.scope) or place.scope.root
        outermost = _outermost(option, around.node)
        uses = list(_uses(outermost, around.node))
        if not uses:
            return "the statement that it is given to is not seen"
        leads: list[Lead] = []
        for given, is_built in uses:
            lead = self._of_receiver(given, place, is_built)
            if isinstance(lead, str):
                return lead
            leads.append(lead)
        if len({(lead.entity.cls, len(lead.others)) for lead in leads}) > 1:
            return "it is given to statements of several classes"
        answer = resting_on(leads[0].answer.value, [lead.answer for lead in leads])
        is_built = all(lead.is_built for lead in leads)
        entity = leads[0].entity if len(leads) == 1 else Entity(leads[0].entity.cls)
        return Lead(entity, answer, leads[0].others, is_built)

    def _of_receiver(self, given: ast.Call, place: Place, is_built: bool) -> Lead | str:
        """The class of the statement or option whose `options()` is called, or that `get()` loads."""
        assert isinstance(given.func, ast.Attribute)
        receiver = given.func.value
        if given.func.attr == "get":
            lead = self._of_class(given.args[0], place) if given.args else "the class of get() is not seen"
            return replace(lead, is_built=False) if isinstance(lead, Lead) else lead
        if isinstance(receiver, ast.Call) and self.name_of(receiver, place) is not None:
            return self.reached(receiver, place)
        answer = self.inference.resolver.value(receiver, place)
        if answer is None or not isinstance(answer.value, Statement):
            return "the statement that it is given to is not known"
        return _lead_of(answer.value, answer, is_built and answer.value.style == "query")


def _lead_of(statement: Statement, answer: Answer, is_built: bool) -> Lead | str:
    """The first entity of a statement, which is the one that names belong to; columns do not count."""
    entities: list[Entity] = []
    for term in statement.terms:
        if term.kind == "unknown" and not entities:
            return "the first class of the statement is not known"
        if term.kind == "entity" and term.entity is not None:
            entities.append(term.entity)
    if not entities:
        return "the statement has columns only"
    return Lead(entities[0], answer, tuple(entities[1:]), is_built)


def _outermost(option: ast.Call, root: ast.AST) -> ast.Call:
    """The whole chain of options that `option` begins: `joinedload("a").load_only("b")`."""
    chain = option
    for _ in range(_MAX_DEPTH):
        longer = next(
            (
                node
                for node in ast.walk(root)
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.value is chain
            ),
            None,
        )
        if longer is None:
            return chain
        chain = longer
    return chain


def _uses(option: ast.expr, root: ast.AST) -> Iterator[tuple[ast.Call, bool]]:
    """The calls of `options()` and `get()` that an option is given to, directly or in a variable, and whether it is
    made there."""
    names: set[str] = set()
    calls: list[ast.Call] = []
    for node in ast.walk(root):
        match node:
            case ast.Call(func=ast.Attribute(attr="options")):
                calls.append(node)
                if any(_holds(argument, option) for argument in node.args):
                    yield node, True
            case ast.Call(func=ast.Attribute(attr="get"), keywords=[*_, ast.keyword(arg="options", value=given)]):
                if _holds(given, option):
                    yield node, False
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if _holds(value, option):
                names.add(name)
            case ast.AugAssign(target=ast.Name(id=name), value=value) if _holds(value, option):
                names.add(name)
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append" | "extend"), args=[value]):
                if _holds(value, option):
                    names.add(name)
    for call in calls:
        for argument in call.args:
            inner = argument.value if isinstance(argument, ast.Starred) else argument
            if isinstance(inner, ast.Name) and inner.id in names:
                yield call, False


def _holds(given: ast.expr, option: ast.expr) -> bool:
    """Whether an expression is an option, or a display or choice of options with it."""
    match given:
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            return any(_holds(part, option) for part in parts)
        case ast.Starred(value=inner):
            return _holds(inner, option)
        case ast.IfExp(body=one, orelse=other) | ast.BinOp(left=one, right=other):
            return _holds(one, option) or _holds(other, option)
    return given is option


def _may_be_loaded(attribute: Attribute) -> bool:
    """Whether an option may name an attribute: a mapped one, or what a function of the project makes: as options take
    no other names, that is mapped too."""
    if attribute.kind == "other":
        return isinstance(attribute.value, ast.Call)
    return attribute.kind not in {"method", "property"}


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def is_name(node: ast.expr) -> bool:
    """Whether an argument names an attribute by a string that 2.0 does not take; `"*"` it does."""
    text = _text(node)
    return text is not None and text != "*"
