"""The relationships that one function reads row by row: what is read where, and what would load it at once."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final

from alchemod.facts.model import Model
from alchemod.facts.models import Models
from alchemod.facts.module import last_name
from alchemod.inference.area import Area
from alchemod.inference.loading.loop import Loading, Loop, RowLoop
from alchemod.inference.loading.opacity import Opacity
from alchemod.inference.loading.options import LoaderOptions, loader_options, together
from alchemod.inference.loading.origin import EXECUTING, Origin, apart, joined, origin_of, uses_of
from alchemod.inference.loading.rows import RowSources
from alchemod.inference.loading.strategy import compared_by_selectinload, strategy
from alchemod.inference.resolver import Resolver
from alchemod.inference.rows.reads import PathRead, RowReads, row_reads
from alchemod.inference.rows.record import Exposure
from alchemod.inference.scopes import COMPREHENSIONS, Scope, contains
from alchemod.inference.spelling import spelling_of
from alchemod.inference.summaries.table import Summaries
from alchemod.inference.values import (
    Answer,
    Collection,
    Entity,
    ModelClass,
    Object,
    Outside,
    Place,
    Row,
    Rows,
    Statement,
    Value,
)

if TYPE_CHECKING:
    from alchemod.inference import Inference

_SHOWING: Final = ("__repr__", "__str__", "__format__", "__eq__", "__hash__", "__bool__", "__iter__")
"""Methods that are called without being named."""
_ASKING: Final = EXECUTING | {"query"}


def lazy_names(models: Models) -> Iterator[str]:
    """The names of the relationships of all mapped classes that load when they are read."""
    for model in models.all():
        for name, found in model.attributes.items():
            if found.kind == "relationship" and models.lazy(found) in {"select", "unknown"}:
                yield name


class RowLoops(Area):
    """The loops of the functions of one project that read relationships row by row."""

    def __init__(self, inference: Inference) -> None:
        super().__init__(inference)
        self._resolver: Final = (resolver := inference.local)
        self._summaries: Final = inference.ask(Summaries)
        self._opacity: Final = Opacity(resolver)
        self._memo: Final[dict[ast.AST, list[RowLoop]]] = {}
        self._asking: Final[dict[ast.AST, bool]] = {}

    def at(self, loop: ast.AST, inside: Place) -> list[RowLoop]:
        """What one loop of the function whose inside is `inside` reads row by row, by the statements it reads from."""
        function = inside.scope.node
        if not self._may_read(loop, inside):
            return []
        if function not in self._memo:
            self._memo[function] = self.of(inside)
        return [found for found in self._memo[function] if found.loop is loop]

    def _may_read(self, loop: ast.AST, inside: Place) -> bool:
        """A quick look: a relationship's name is read in a turn, and what is gone over may be rows."""
        named = (part for part in ast.walk(loop) if isinstance(part, ast.Attribute) and part.attr in self._names)
        if not any(isinstance(part.ctx, ast.Load) and _is_in_turn(part, loop) for part in named):
            return False
        return any(self._may_be_rows(iterated, inside) for iterated in _iterated(loop))

    def _may_be_rows(self, iterated: ast.expr, inside: Place) -> bool:
        answer = self._resolver.value(iterated, Place(inside.module, inside.scope.innermost(iterated)))
        return self._asks(inside) if answer is None else _is_rows(answer.value)

    def _asks(self, inside: Place) -> bool:
        """Whether the function itself asks for rows, which may get to a loop on ways that are not simple."""
        function = inside.scope.node
        if function not in self._asking:
            calls = (part for part in ast.walk(function) if isinstance(part, ast.Call))
            asking = (call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr in _ASKING)
            answers = (self._resolver.value(call, self._place(call, inside)) for call in asking)
            self._asking[function] = any(answer is not None and _is_rows(answer.value) for answer in answers)
        return self._asking[function]

    def _place(self, node: ast.expr, inside: Place) -> Place:
        return Place(inside.module, inside.scope.innermost(node))

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(lazy_names(self._resolver.project.models))

    def of(self, inside: Place) -> list[RowLoop]:
        """The loops of the function that read relationships row by row."""
        sources = RowSources(inside, self._resolver, self._summaries, self._opacity)
        found = row_reads(inside.scope, sources)
        if found is None:
            return []
        function = _Function(inside, self._resolver, sources, {reads.site: reads for reads in found})
        loops = [loop for reads in found if (loop := function.loop(reads)) is not None]
        return [loop for loop in loops if not any(_goes_with(loop, other) for other in loops)]


def _is_rows(value: Value) -> bool:
    return isinstance(value, Rows | Statement) or (isinstance(value, Collection) and isinstance(value.element, Object))


class _Function:
    def __init__(self, inside: Place, resolver: Resolver, sources: RowSources, reads: dict[ast.Call, RowReads]) -> None:
        self._inside: Final = inside
        self._resolver: Final = resolver
        self._sources: Final = sources
        self._reads: Final = reads
        self._loops: Final = _loops_of(inside.scope)

    def loop(self, reads: RowReads) -> RowLoop | None:
        """The first loop over the rows of a producer that reads a relationship of them, None when none does."""
        loops = [self._loops[node] for node in reads.loops if node in self._loops]
        inner = [read for read in reads.reads if reads.many and _first_loop(read, loops) is not None]
        origin = self._origin(reads, loops) if inner and reads.many else None
        answer = self._resolver.value(reads.site, self._place(reads.site))
        if origin is None or answer is None:
            return None
        options = self._options(origin)
        loadings = [loading for read in inner if (loading := self._loading(read, origin)) is not None]
        undecided = tuple(
            loading
            for loading in sorted(loadings, key=lambda loading: _position(loading.read.nodes[0]))
            if not self._is_decided(loading, options)
        )
        reading = [loop for loading in undecided if (loop := _first_loop(loading.read, loops)) is not None]
        if not reading:
            return None
        return RowLoop(
            min(reading, key=_position),
            answer,
            origin,
            options,
            reads,
            undecided,
            tuple(_relevant(reads.exposures, undecided, max(map(_end, reading)))),
            frozenset(loading.name for loading in undecided if self._is_loaded_before(loading, reads.earlier)),
            self._shows_itself(undecided),
            self._may_hold_changes(reads.site),
        )

    def _may_hold_changes(self, site: ast.Call) -> bool:
        root: ast.expr = site
        while isinstance(root, ast.Attribute | ast.Call):
            root = root.func if isinstance(root, ast.Call) else root.value
        scope = self._inside.scope
        bindings = scope.bindings.get(root.id, []) if isinstance(root, ast.Name) else []
        if not bindings or any(binding.kind not in {"with", "assignment"} for binding in bindings):
            return True
        return any(_changes(node) and _position(node) < _position(site) for node in ast.walk(scope.node))

    def _origin(self, reads: RowReads, loops: Sequence[Loop]) -> Origin | None:
        """The statement behind the rows; queries of one beginning that a variable holds by turns are taken as one."""
        origin = origin_of(reads.site, self._inside, self._resolver)
        if origin is None:
            return None
        if reads.joined:
            return joined(origin, [origin_of(site, self._inside, self._resolver) for site in reads.joined])
        if origin.start is not reads.site and reads.site not in (call for _, call in origin.steps):
            return origin
        over = [name for loop in loops for name in _iterated(loop) if isinstance(name, ast.Name)]
        return apart(origin, uses_of(reads.site, self._inside.scope, self._tree), over)

    def _options(self, origin: Origin) -> LoaderOptions:
        here = loader_options(origin.steps, self._tree, self._called)
        return together(here, loader_options(origin.steps_elsewhere, None))

    def _called(self, call: ast.Call) -> str:
        """The name of what is called in its own library, when it is imported under another one."""
        callee = self._resolver.value(call.func, self._place(call))
        match callee:
            case Answer(value=Outside(definition=definition)):
                return definition.name.rpartition(".")[2]
        return last_name(call)

    def _loading(self, read: PathRead, origin: Origin) -> Loading | None:
        entity = _entity_of(read, origin.statement)
        if entity is None:
            return None
        name = read.path[-1]
        models = self._resolver.project.models
        found = models.attribute(entity.model, name)
        spelling = spelling_of(entity, origin.start, self._place(origin.start), self._resolver)
        chosen = strategy(entity.cls, found, origin, models) if found is not None else "selectinload"
        compared = compared_by_selectinload(entity.model, found, models) if found is not None else entity.model
        return Loading(entity, name, found, read, compared, spelling, chosen)

    def _is_decided(self, loading: Loading, options: LoaderOptions) -> bool:
        """Whether the model or an option already says how the relationship loads."""
        if options.all is not None or loading.name in options.names:
            return True
        if loading.relationship is None:
            return False
        return self._resolver.project.models.lazy(loading.relationship) not in {"select", "unknown"}

    def _is_loaded_before(self, loading: Loading, earlier: Iterable[ast.Call]) -> bool:
        """Whether an earlier query of the function gave the targets, or the same rows with the same relationship."""
        models = self._resolver.project.models
        relationship = loading.relationship
        target = models.target(relationship, loading.entity.model) if relationship is not None else None
        is_many = relationship is not None and models.is_collection(relationship, loading.entity.model) is not False
        for site in earlier:
            for model in self._models_of(site):
                if target is not None and not is_many and _related(model, target):
                    return True
                if _related(model, loading.entity.model) and self._reads_same(site, loading.name):
                    return True
        return False

    def _reads_same(self, site: ast.Call, name: str) -> bool:
        reads = self._reads.get(site)
        if reads is not None and any(read.path[-1] == name for read in reads.reads):
            return True
        origin = origin_of(site, self._inside, self._resolver)
        return origin is not None and name in self._options(origin).names

    def _models_of(self, site: ast.Call) -> Iterator[Model]:
        producer = self._sources.producer(site)
        if producer is None or not producer.many:
            return
        value = self._sources.value_at(site, ("[]",))
        if isinstance(value, Object) and isinstance(value.of, ModelClass):
            yield value.of.model
        elif isinstance(value, Row):
            yield from (term.entity.model for term in value.statement.terms if term.kind == "entity" and term.entity)

    def _shows_itself(self, loadings: Iterable[Loading]) -> str:
        """A method that makes text of a row from what is loaded; "" when there is none."""
        for model in {loading.entity.model for loading in loadings}:
            if any("__getattribute__" in facts.methods for facts in model.family):
                return f"{model.name}.__getattribute__()"
            for name in _SHOWING:
                if any(name in facts.methods for facts in model.family) and self._sources.looks_inside(model, name):
                    return f"{model.name}.{name}()"
        return ""

    @property
    def _tree(self) -> ast.Module:
        root = self._inside.scope.root.node
        assert isinstance(root, ast.Module)
        return root

    def _place(self, node: ast.expr) -> Place:
        return Place(self._inside.module, self._inside.scope.innermost(node))


def _entity_of(read: PathRead, statement: Statement) -> Entity | None:
    """The entity of the statement whose relationship is read, None when the path leads further or elsewhere."""
    match read.path:
        case ("[]", _):
            term = statement.terms[0] if statement.terms else None
        case ("[]", step, _) if step.startswith("#") and int(step[1:]) < len(statement.terms):
            term = statement.terms[int(step[1:])]
        case ("[]", step, _):
            named = [term for term in statement.terms if term.entity is not None and term.entity.model.name == step]
            term = named[0] if len(named) == 1 else None
        case _:
            return None
    return term.entity if term is not None and term.kind == "entity" else None


def _goes_with(loop: RowLoop, other: RowLoop) -> bool:
    """Whether another finding at the same loop, of an earlier query, stands for this one too."""
    earlier = _position(other.reads.site) < _position(loop.reads.site)
    return other.loop is loop.loop and loop.reads.site in other.reads.joined and earlier


def _relevant(exposures: Iterable[Exposure], loadings: Sequence[Loading], end: tuple[int, int]) -> Iterator[Exposure]:
    """The exposures to which it matters what is loaded: behind the loops, what they read of each row is, either way."""
    must = all(loading.read.must for loading in loadings)
    for exposure in exposures:
        if exposure.kind in {"member", "reflection", "callee"} and not (must and _position(exposure.node) > end):
            yield exposure


def _iterated(loop: ast.AST) -> Iterator[ast.expr]:
    """What a loop goes over: the arguments of `enumerate`, `zip` and `reversed`, else the iterable itself."""
    clauses = [loop] if isinstance(loop, ast.For | ast.AsyncFor) else getattr(loop, "generators", [])
    for clause in clauses:
        match clause.iter:
            case ast.Call(func=ast.Name(id="enumerate" | "zip" | "reversed" | "sorted" | "list"), args=[_, *_] as args):
                yield from args
            case iterated:
                yield iterated


def _loops_of(scope: Scope) -> dict[ast.AST, Loop]:
    """The loops of a function, by the node that goes over the rows: the statement itself, or a clause."""
    found: dict[ast.AST, Loop] = {}
    for node in ast.walk(scope.node):
        if isinstance(node, ast.For | ast.AsyncFor):
            found[node] = node
        elif isinstance(node, COMPREHENSIONS):
            found.update((clause, node) for clause in node.generators)
    return found


def _first_loop(read: PathRead, loops: Sequence[Loop]) -> Loop | None:
    """The first of the loops with a read in its turns."""
    inside = (loop for loop in loops if any(_is_in_turn(node, loop) for node in read.nodes))
    return min(inside, key=_position, default=None)


def _is_in_turn(node: ast.AST, loop: ast.AST) -> bool:
    if not isinstance(node, ast.expr | ast.stmt) or not isinstance(loop, ast.expr | ast.stmt):
        return False
    return contains(loop, node) and not (isinstance(loop, ast.For | ast.AsyncFor) and contains(loop.iter, node))


def _related(one: Model, other: Model) -> bool:
    return one.facts in other.family or other.facts in one.family


def _changes(node: ast.AST) -> bool:
    """Whether a node sets an attribute, or calls what adds to a session or takes from it."""
    match node:
        case ast.Attribute(ctx=ast.Store() | ast.Del()):
            return True
        case (
            ast.Call(func=ast.Attribute(attr="add" | "add_all" | "delete" | "merge"))
            | ast.Call(func=ast.Name(id="setattr"))
        ):
            return True
    return False


def _position(node: ast.AST) -> tuple[int, int]:
    return getattr(node, "lineno", 0), getattr(node, "col_offset", 0)


def _end(node: ast.AST) -> tuple[int, int]:
    return getattr(node, "end_lineno", 0), getattr(node, "end_col_offset", 0)
