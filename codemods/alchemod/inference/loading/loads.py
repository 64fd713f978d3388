"""The relationships that one function reads row by row: what is read where, and what would load it at once."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final

from alchemod.facts.models import Models
from alchemod.facts.module import last_name
from alchemod.inference.area import Area
from alchemod.inference.loading.earlier import Earlier
from alchemod.inference.loading.hooks import LoadHooks
from alchemod.inference.loading.loop import Loading, RowLoop
from alchemod.inference.loading.options import LoaderOptions, listed_options, loader_options, together
from alchemod.inference.loading.origin import Origin, apart, joined, origin_of, uses_of
from alchemod.inference.loading.steps import Loadings
from alchemod.inference.loading.verdict import Verdict, verdict
from alchemod.inference.reading.shapes import models_in
from alchemod.inference.reading.table import Readings, Walk
from alchemod.inference.reading.telling import PASSED_ON
from alchemod.inference.resolving.functions import own_nodes
from alchemod.inference.resolving.statements import EXECUTING
from alchemod.inference.rows.reads import PathRead, RowReads, position
from alchemod.inference.rows.record import Exposure
from alchemod.inference.rows.refs import Root
from alchemod.inference.rows.turns import Turns
from alchemod.inference.scoping.scopes import FUNCTIONS
from alchemod.inference.values import (
    Answer,
    Expression,
    FunctionObject,
    LocalFunction,
    ModelAttribute,
    ModelClass,
    Outside,
    Place,
)

if TYPE_CHECKING:
    from alchemod.inference import Inference
    from alchemod.inference.reading.sources import RowSources

ASKING: Final = EXECUTING | {"query", "get", "get_one"}
"""Methods by which code asks for rows; `Model.query` does it without a call."""
_ASKING_FOR: Final = frozenset({"query", "select", "with_entities", "with_only_columns", "select_from"})
_MAY_ASK: Final = re.compile(rb"\.query\b|\.(?:%b)\(|\bget(?:_one)?\(\s*[\w.]*[A-Z]" % "|".join(EXECUTING).encode())


def lazy_names(models: Models) -> Iterator[str]:
    """The names of the relationships of all mapped classes that load when they are read."""
    for model in models.all():
        for name, found in model.attributes.items():
            if found.kind == "relationship" and models.lazy(found) in {"select", "unknown"}:
                yield name


class RowLoops(Area):
    """What the functions of one project read row by row, of rows that they ask for."""

    def __init__(self, inference: Inference) -> None:
        super().__init__(inference)
        self._resolver: Final = inference.local
        self._readings: Final = inference.ask(Readings)
        self._memo: Final[dict[ast.AST, list[RowLoop]]] = {}
        self._hooks: Final = LoadHooks(inference.project)

    def of(self, inside: Place) -> list[RowLoop]:
        """What the function (or module) reads row by row, by the statements it reads from."""
        function = inside.scope.node
        if function not in self._memo:
            self._memo[function] = list(self._found(inside)) if self._asks(inside) else []
        return self._memo[function]

    def verdict(self, loop: RowLoop, loading: Loading) -> Verdict:
        """What may be done about one relationship that a loop reads row by row."""
        return verdict(loop, loading, lambda: self._hooks.of(loop))

    def _asks(self, inside: Place) -> bool:
        """A quick look: whether the function asks for objects with relationships that load when they are read."""
        node, givers = inside.scope.node, self._resolver.project.givers
        source = self._resolver.project.source(inside.module.path)
        text = source.utf8 if isinstance(node, ast.Module) else source.segment(node)
        if not (_MAY_ASK.search(text) or givers.are_named_in(text)):
            return False
        assert isinstance(node, (*FUNCTIONS, ast.Module))
        nodes = [part for part in own_nodes(node) if isinstance(part, ast.Call | ast.Attribute)]
        classes = (asked for part in nodes for asked in _asked_for(part))
        if any(self._is_lazy(asked, inside) for asked in classes):
            return True
        calls = [part for part in nodes if isinstance(part, ast.Call)]
        if any(self._leads_to_lazy(part, inside) for part in calls if _executes_by_name(part)):
            return True
        if any(self._gives_lazy_objects(part, inside) for part in calls if last_name(part) in givers.names):
            return True
        kept = (part for part in nodes if isinstance(part, ast.Attribute) and part.attr in givers.keeping)
        return any(self._keeps_lazy_objects(part, inside) for part in kept)

    def _is_lazy(self, asked: ast.expr, inside: Place) -> bool:
        """Whether what is asked for is a class with such relationships, or an attribute of one."""
        match self._value(asked, inside):
            case Answer(value=ModelClass(model=model) | ModelAttribute(owner=ModelClass(model=model))):
                return model.facts in self._lazy
            case Answer(value=Expression(owners=owners)):
                return any(owner.model.facts in self._lazy for owner in owners)
        return False

    def _keeps_lazy_objects(self, node: ast.Attribute, inside: Place) -> bool:
        """Whether an attribute may be one in which the function's own object keeps rows."""
        return isinstance(node.value, ast.Name) and self._readings.keepers.rows(node, inside) is not None

    def _gives_lazy_objects(self, call: ast.Call, inside: Place) -> bool:
        function = self._value(call.func, inside)
        if function is None or not isinstance(function.value, FunctionObject | LocalFunction):
            return False
        return self._leads_to_lazy(call, inside)

    def _leads_to_lazy(self, call: ast.Call, inside: Place) -> bool:
        answer = self._value(call, inside)
        return answer is not None and any(model.facts in self._lazy for model in models_in(answer.value))

    def _value(self, node: ast.expr, inside: Place) -> Answer | None:
        return self._resolver.value(node, Place(inside.module, inside.scope.innermost(node)))

    @cached_property
    def _lazy(self) -> frozenset[object]:
        """The classes that have such relationships, or lead to some that do by others."""
        models = self._resolver.project.models
        return frozenset(
            model.facts
            for model in models.all()
            if any(found.kind == "relationship" for found in model.attributes.values())
        )

    def reading(self, inside: Place, loop: ast.AST, name: str, node: ast.expr) -> RowLoop | None:
        """What it would take to read the relationship `name` of the rows that `loop` goes over, at `node`; None when
        the statement behind the rows is not seen."""
        walk = self._readings.walk(inside)
        if walk.sources is None:
            return None
        function = _Function(inside, self._readings, walk)
        found = (function.reading(reads, loop, name, node) for reads in walk.walked.reads)
        return next((rows for rows in found if rows is not None), None)

    def _found(self, inside: Place) -> Iterator[RowLoop]:
        walk = self._readings.walk(inside)
        if walk.sources is None:
            return
        function = _Function(inside, self._readings, walk)
        loops = [loop for reads in walk.walked.reads if (loop := function.loop(reads)) is not None]
        yield from (loop for loop in loops if not any(_goes_with(loop, other) for other in loops))


def _asked_for(node: ast.AST) -> Sequence[ast.expr]:
    """The classes and columns that a query, a select() or a `get()` asks for; the class of `Model.query`."""
    match node:
        case ast.Attribute(value=cls, attr="query"):
            return [cls]
        case ast.Call(func=ast.Attribute(attr="get" | "get_one"), args=[cls, *_]):
            return [cls] if last_name(cls)[:1].isupper() else []
        case ast.Call(args=[_, *_] as args) if last_name(node) in _ASKING_FOR:
            return args
    return []


def _executes_by_name(call: ast.Call) -> bool:
    """Whether a statement is executed that is made elsewhere: in a variable of the module, or of an object."""
    return last_name(call) in EXECUTING and bool(call.args) and isinstance(call.args[0], ast.Name | ast.Attribute)


class _Function:
    def __init__(self, inside: Place, readings: Readings, walk: Walk) -> None:
        assert walk.sources is not None
        self._inside: Final = inside
        self._readings: Final = readings
        self._resolver: Final = readings.resolver
        self._sources: Final[RowSources] = walk.sources
        self._turns: Final = Turns(inside.scope)
        self._is_async: Final = isinstance(inside.scope.node, ast.AsyncFunctionDef)
        self._earlier: Final = Earlier(inside, readings, walk.sources, walk.walked)

    def loop(self, reads: RowReads) -> RowLoop | None:
        """Where the rows of a producer are gone over first and a relationship of them is read; None when none is."""
        if isinstance(reads.site, ast.arg):
            return None
        answer = self._asked(reads.site)
        repeated = [read for read in reads.reads if self._places(read, reads)]
        asked = repeated or (self._is_async and reads.reads)
        origin = self._origin(reads.site, reads) if asked and answer is not None else None
        if answer is None or origin is None:
            return None
        repeated = list(filter(_is_needed, reads.reads)) if origin.is_async else repeated
        return self._loop(reads, reads.site, answer, origin, repeated)

    def reading(self, reads: RowReads, loop: ast.AST, name: str, node: ast.expr) -> RowLoop | None:
        """The same for a read of a relationship that the loop does not make yet."""
        going = next((one for one in reads.loops if _is_clause(one.node, loop)), None)
        if going is None or isinstance(reads.site, ast.arg):
            return None
        answer = self._asked(reads.site)
        origin = self._origin(reads.site, reads)
        if answer is None or origin is None:
            return None
        read = PathRead((*going.path, name), True, (node,), (), (), frozenset(), ())
        return self._loop(reads, reads.site, answer, origin, [read], always=True)

    def _loop(
        self,
        reads: RowReads,
        site: ast.Call | ast.Attribute,
        answer: Answer,
        origin: Origin,
        repeated: Sequence[PathRead],
        *,
        always: bool = False,
    ) -> RowLoop | None:
        options = self._options(origin)
        found = Loadings(reads, origin, self._sources, self._resolver)
        loadings = [loading for read in repeated if (loading := found.of(read)) is not None]
        undecided = [loading for loading in loadings if not _is_decided(loading, options, reads)]
        if not undecided and not (always and loadings):
            return None
        undecided.sort(key=lambda loading: (position(loading.read.nodes[0]), loading.names))
        places = [place for loading in undecided for place in self._places(loading.read, reads) or _at(loading.read)]
        earlier = [(site, self._options_at(site)) for site in reads.earlier]
        return RowLoop(
            min(places, key=position, default=site),
            answer,
            origin,
            options,
            reads,
            tuple(undecided),
            tuple(_relevant(reads.exposures, undecided, max(map(_end, places), default=(0, 0)))),
            frozenset(loading.label for loading in undecided if self._earlier.loaded(loading, earlier)),
            self._earlier.shows_itself(undecided),
            self._earlier.may_hold_changes(site),
            self._elsewhere(site),
        )

    def _asked(self, site: ast.Call | ast.Attribute) -> Answer | None:
        """What the call gives, or the one that gave the rows which an attribute keeps."""
        if isinstance(site, ast.Call):
            return self._resolver.value(site, self._place(site))
        found = self._sources.origin(site)
        if found is None:
            return None
        asked, sources = found
        return self._resolver.value(asked, Place(sources.place.module, sources.place.scope.innermost(asked)))

    def _elsewhere(self, site: ast.Call | ast.Attribute) -> str:
        found = self._sources.origin(site)
        if found is None or found[0] is site:
            return ""
        asked, sources = found
        name = getattr(sources.place.scope.node, "name", "a lambda")
        return f"{name}(), {self._readings.where(sources.place, asked)}"

    def _places(self, read: PathRead, reads: RowReads) -> list[ast.expr | ast.stmt]:
        return self._turns.repeating(read, reads)

    def _origin(self, site: Root, reads: RowReads) -> Origin | None:
        """The statement behind the rows; queries of one beginning that a variable holds by turns are taken as one."""
        found = self._sources.origin(site)
        if found is None:
            return None
        asked, sources = found
        origin = origin_of(asked, sources.place, self._resolver)
        if origin is None:
            return None
        if reads.joined:
            return joined(origin, [self._origin_of(other) for other in reads.joined])
        if origin.start is not asked and asked not in (call for _, call in origin.steps):
            return origin
        over = [going.node.iter for going in reads.loops if isinstance(going.node, ast.For | ast.AsyncFor)]
        names = [part for iterated in over for part in _iterated(iterated) if isinstance(part, ast.Name)]
        return apart(origin, uses_of(asked, sources.place.scope, _tree(sources.place)), names)

    def _origin_of(self, site: Root) -> Origin | None:
        found = self._sources.origin(site)
        return origin_of(found[0], found[1].place, self._resolver) if found is not None else None

    def _options(self, origin: Origin) -> LoaderOptions:
        tree = _tree(origin.place)
        if origin.by_key:
            return listed_options(origin.given_options, tree, lambda call: self._called(call, origin.place))
        here = loader_options(origin.steps, tree, lambda call: self._called(call, origin.place))
        return together(here, loader_options(origin.steps_elsewhere, None))

    def _options_at(self, site: Root) -> LoaderOptions:
        origin = self._origin_of(site)
        return self._options(origin) if origin is not None else LoaderOptions()

    def _called(self, call: ast.Call, place: Place) -> str:
        """The name of what is called in its own library, when it is imported under another one."""
        callee = self._resolver.value(call.func, Place(place.module, place.scope.root.innermost(call.func)))
        match callee:
            case Answer(value=Outside(definition=definition)):
                return definition.name.rpartition(".")[2]
        return last_name(call)

    def _place(self, node: ast.expr) -> Place:
        return Place(self._inside.module, self._inside.scope.innermost(node))


def _is_clause(node: ast.AST, loop: ast.AST) -> bool:
    """Whether what goes over rows is a loop, or a clause of that comprehension."""
    return node is loop or node in getattr(loop, "generators", ())


def _is_needed(read: PathRead) -> bool:
    """Whether a read under AsyncSession needs its relationship loaded: nothing is seen that loads it again before."""
    return not any(effect == "expire" for effect, _ in read.between)


def _at(read: PathRead) -> list[ast.expr | ast.stmt]:
    return [node for node in read.nodes if isinstance(node, ast.expr | ast.stmt)][:1]


def _is_decided(loading: Loading, options: LoaderOptions, reads: RowReads) -> bool:
    """Whether the model, an option or the function that gives the rows says already how the relationship loads."""
    if loading.last.loads_itself or loading.read.path in reads.producer.read:
        return True
    return options.decides(loading.names)


def _goes_with(loop: RowLoop, other: RowLoop) -> bool:
    """Whether another finding at the same loop, of an earlier query, stands for this one too."""
    earlier = position(other.reads.site) < position(loop.reads.site)
    return other.node is loop.node and loop.reads.site in other.reads.joined and earlier


def _relevant(exposures: Iterable[Exposure], loadings: Sequence[Loading], end: tuple[int, int]) -> Iterator[Exposure]:
    """The exposures to which it matters what is loaded: behind the loops, what they read of each row is, either way."""
    must = all(loading.read.must for loading in loadings)
    for exposure in exposures:
        if exposure.kind in PASSED_ON and not (must and position(exposure.node) > end):
            yield exposure


def _iterated(iterated: ast.expr) -> list[ast.expr]:
    """What a loop goes over: the arguments of `enumerate`, `zip` and `reversed`, else the iterable itself."""
    match iterated:
        case ast.Call(func=ast.Name(id="enumerate" | "zip" | "reversed" | "sorted" | "list"), args=[_, *_] as args):
            return args
    return [iterated]


def _tree(place: Place) -> ast.Module:
    root = place.scope.root.node
    assert isinstance(root, ast.Module)
    return root


def _end(node: ast.AST) -> tuple[int, int]:
    return getattr(node, "end_lineno", 0), getattr(node, "end_col_offset", 0)
