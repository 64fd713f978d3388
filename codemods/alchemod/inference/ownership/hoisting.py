"""Engines and session factories that functions make anew on each call, and whether the module can make them once."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from alchemod.facts.certain import certain_names
from alchemod.facts.module import Import, last_name
from alchemod.facts.nodes import walk
from alchemod.inference.area import Area
from alchemod.inference.ownership.factories import is_only_called, reads_of
from alchemod.inference.resolving.functions import enclosing_function
from alchemod.inference.resolving.routes import is_route
from alchemod.inference.resolving.sessions import MAKERS
from alchemod.inference.scoping.scopes import FUNCTIONS, FunctionNode, Scope, contains
from alchemod.inference.values import Answer, Outside, Place

if TYPE_CHECKING:
    from alchemod.inference import Inference

Made: TypeAlias = Literal["engine", "factory"]

Depends: TypeAlias = Literal["constants", "module", "local"]
"""What an expression depends on: constants and names that the module binds once; other things of the module; local
values that do not come from outside the function."""

_ENGINES: Final = frozenset({"create_engine", "create_async_engine", "engine_from_config", "async_engine_from_config"})
NAMES: Final = _ENGINES | MAKERS
"""The names of what makes engines and session factories."""
_ONCE: Final = re.compile(
    r"_*(main|run|cli|(create|make|build)_.*app.*|init.*|setup.*|configure.*|connect.*|start.*|lifespan|bootstrap.*"
    r"|__init__|run_migrations.*|upgrade|downgrade|seed.*|populate.*)"
)
"""Functions that a program calls once, by the names they have."""
_ONCE_DECORATORS: Final = frozenset(
    {"command", "callback", "on_event", "cache", "lru_cache", "cached", "fixture", "group"}
)
_TASKS: Final = frozenset({"task", "shared_task", "periodic_task", "job", "actor"})
_CHANGING: Final = frozenset({"configure", "dispose"})
_FREE_NAMES: Final = ("SessionLocal", "make_session", "new_session")


@dataclass(frozen=True, slots=True)
class Anew:
    """Something that a function makes on each call, by `calls`, equal calls of one file.

    `owner` is the function that makes it first. `on_request`: whether it answers requests or runs tasks. `name` is the
    one that the module can give it, "" where none is free; `before` the statement before which it can be made, `after`
    the assignment it then follows at best; `statements` assign it to a local variable and nothing else, `uses` read
    that.
    """

    made: Made
    depends: Depends
    calls: tuple[ast.Call, ...]
    owner: str
    on_request: bool
    name: str
    before: ast.stmt | None
    after: ast.stmt | None
    statements: tuple[ast.stmt, ...]
    uses: tuple[ast.Name, ...]


_LISTENING: Final = frozenset({"listen", "listens_for", "remove"})


class Hoisting(Area):
    """Answers about the functions of one project."""

    def __init__(self, inference: Inference) -> None:
        super().__init__(inference)
        self._found: dict[Path, dict[ast.Call, Anew]] = {}

    def of_call(self, path: Path, call: ast.Call) -> Anew | None:
        """What `call`, the first of its kind in the file, makes anew in a function; None when it makes nothing, or
        something that is not the same each time, or that is kept."""
        project = self.inference.project
        if path not in self._found:
            exempt = project.is_test(path) or project.is_revision(path)
            self._found[path] = {} if exempt else self._in_file(path)
        return self._found[path].get(call)

    def _in_file(self, path: Path) -> dict[ast.Call, Anew]:
        """What the functions of a file make anew, by the first call for each; no name is given twice."""
        tree = self.inference.project.tree(path)
        given: set[str] = set()
        found: dict[ast.Call, Anew] = {}
        for equal in _equal_calls(tree):
            place = self.inference.place(path, equal[0])
            made = self._made(equal[0], place) if place is not None else None
            if place is None or made is None:
                continue
            frames = {call: frame for call in equal if (frame := self._frame(call, self._at(call, place))) is not None}
            first = next(iter(frames), None)
            depends = self._depends(first, frames[first], place) if first is not None else None
            if first is not None and depends is not None:
                found[first] = self._anew(made, depends, frames, place, tree, given)
                given.add(found[first].name)
        return found

    def _at(self, node: ast.expr, place: Place) -> Place:
        return Place(place.module, place.scope.root.innermost(node))

    def _made(self, call: ast.Call, place: Place) -> Made | None:
        callee = self.inference.local.value(call.func, place)
        match callee:
            case Answer(value=Outside() as outside, certainty="proved"):
                if outside.canonical in MAKERS:
                    return "factory"
                return "engine" if outside.canonical in _ENGINES else None
        return None

    def _frame(self, call: ast.Call, place: Place) -> Scope | None:
        """The function that makes something on each call, and lets it go with the call."""
        function = enclosing_function(place.scope)
        if function is None or not isinstance(function.node, FUNCTIONS) or _runs_once(function):
            return None
        statement = _statement_of(function.node, call)
        match statement:
            case ast.Return(value=value) | ast.Expr(value=ast.Yield(value=value)) if _hands_on(value, call):
                return None
            case None:
                return None
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if _hands_on(value, call):
                if name in function.global_names | function.nonlocal_names or _is_given_away(function.node, name):
                    return None
            case ast.Assign(targets=targets) if not all(isinstance(target, ast.Name) for target in targets):
                return None
        return function

    def _depends(self, call: ast.Call, function: Scope, place: Place) -> Depends | None:
        """What the arguments depend on; None when a parameter of a function decides."""
        found: set[Depends] = {"constants"}
        for part in (*call.args, *(keyword.value for keyword in call.keywords)):
            for node in ast.walk(part):
                match node:
                    case ast.Name(ctx=ast.Load()):
                        depends = self._name(node, function, place, 0)
                        if depends is None:
                            return None
                        found.add(depends)
                    case ast.Call() if not self._is_of_library(node, place):
                        found.add("local")
                    case ast.Call() | ast.Attribute() | ast.Subscript() | ast.Await() | ast.Starred():
                        found.add("module")
                    case ast.Lambda() | ast.Yield() | ast.Dict() | ast.List() | ast.Set():
                        return None  # each call makes its own
        if any(keyword.arg is None for keyword in call.keywords):
            found.add("local")
        return "local" if "local" in found else "module" if "module" in found else "constants"

    def _is_of_library(self, call: ast.Call, place: Place) -> bool:
        answer = self.inference.local.value(call.func, self._at(call.func, place))
        return answer is not None and isinstance(answer.value, Outside)

    def _name(self, name: ast.Name, function: Scope, place: Place, depth: int) -> Depends | None:
        owner = function.innermost(name).owner(name.id)
        if owner is None:
            return "module" if name.id in place.module.bindings else "constants"
        if owner.parent is None:
            if not self._is_bound_once(name.id, owner, place):
                return "local"
            return "module" if self.inference.pinning.replaced(name.id, place.module.name) else "constants"
        values = [binding.value for binding in owner.bindings.get(name.id, ()) if binding.kind != "import"]
        kinds = {binding.kind for binding in owner.bindings.get(name.id, ())}
        if not kinds <= {"assignment", "annotation", "import", "with"} or depth > 4:
            return None
        inner = (part for value in values if value is not None for part in ast.walk(value))
        names = [part for part in inner if isinstance(part, ast.Name)]
        if any(self._name(part, owner, place, depth + 1) is None for part in names):
            return None
        return "local"

    def _is_bound_once(self, name: str, root: Scope, place: Place) -> bool:
        """Whether the module binds a name once and for all, on every way."""
        bindings = place.module.bindings.get(name, ())
        if len(bindings) != 1 or name in root.rebound_inside or name not in certain_names(_tree(root)):
            return False
        return not (isinstance(bindings[0], Import) and bindings[0].is_typing)

    def _anew(
        self,
        made: Made,
        depends: Depends,
        frames: dict[ast.Call, Scope],
        place: Place,
        tree: ast.Module,
        given: set[str],
    ) -> Anew:
        statements: list[ast.stmt] = []
        uses: list[ast.Name] = []
        wanted = ""
        is_plain = True
        for call, function in frames.items():
            node = _function(function)
            is_plain = is_plain and (made == "engine" or is_only_called(call, node))
            match _statement_of(node, call):
                case ast.Assign(targets=[ast.Name(id=name)], value=value) as statement if value is call:
                    wanted = wanted or name
                    reads = list(reads_of(node, name))
                    statements.append(statement)
                    uses += reads
                    is_bound_once = len(function.bindings.get(name, ())) == 1
                    is_plain = is_plain and is_bound_once and not _is_changed(reads, node)
        first, function = next(iter(frames.items()))
        before = next((top for top in tree.body if contains(top, first)), None)
        limit = before.lineno if before is not None else 0
        needed = {part.id for part in ast.walk(first) if isinstance(part, ast.Name)}
        ready = all(binding.line < limit for name in needed for binding in place.module.bindings.get(name, ()))
        name = _free_name(made, wanted, frames, place, given) if is_plain and ready and depends != "local" else ""
        return Anew(
            made,
            depends,
            tuple(frames),
            _function(function).name,
            _serves(function),
            name,
            before,
            _last_of(tree, needed, limit),
            tuple(statements),
            tuple(uses),
        )


def _last_of(tree: ast.Module, names: set[str], limit: int) -> ast.stmt | None:
    """The last assignment at the top level, above a line, that gives one of these names its value."""
    found: ast.stmt | None = None
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                found = statement if name in names and statement.lineno < limit else found
    return found


def _free_name(made: Made, wanted: str, frames: dict[ast.Call, Scope], place: Place, given: set[str]) -> str:
    """A name that means nothing else in the file: the one that the functions use themselves, if all do."""
    others = [scope for scope in place.scope.root.within() if scope not in frames.values()]
    taken = {*place.module.bindings, *given, *(name for scope in others for name in scope.bindings)}
    own = {name for scope in frames.values() for name in scope.bindings}
    if wanted and wanted not in taken and all(wanted in scope.bindings for scope in frames.values()):
        return wanted
    candidates = _FREE_NAMES if made == "factory" else ("engine", "shared_engine")
    return next((name for name in candidates if name not in taken | own), "")


def _function(scope: Scope) -> FunctionNode:
    assert isinstance(scope.node, FUNCTIONS)
    return scope.node


def _serves(function: Scope) -> bool:
    """Whether a function answers requests or is a task."""
    owner = function.parent.node if function.parent is not None else None
    node = _function(function)
    is_task = any(last_name(decorator) in _TASKS for decorator in node.decorator_list)
    return is_task or is_route(node, owner if isinstance(owner, ast.ClassDef) else None)


def _tree(root: Scope) -> ast.Module:
    assert isinstance(root.node, ast.Module)
    return root.node


def _equal_calls(tree: ast.Module) -> list[list[ast.Call]]:
    """The calls of a file that may make an engine or factory, equal ones together, in source order."""
    found: dict[str, list[ast.Call]] = {}
    calls = [node for node in walk(tree) if isinstance(node, ast.Call) and last_name(node.func) in NAMES]
    for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        found.setdefault(ast.unparse(call), []).append(call)
    return list(found.values())


def _runs_once(function: Scope) -> bool:
    """Whether a function, or one around it, is called once in a program, as far as names and decorators tell."""
    current: Scope | None = function
    while current is not None:
        node = current.node
        if isinstance(node, FUNCTIONS):
            decorators = {last_name(decorator) for decorator in node.decorator_list}
            if _ONCE.fullmatch(node.name) or decorators & _ONCE_DECORATORS:
                return True
        current = current.parent
    return False


def _statement_of(function: FunctionNode, call: ast.Call) -> ast.stmt | None:
    """The innermost statement that holds a call."""
    found: ast.stmt | None = None
    for node in ast.walk(function):
        if isinstance(node, ast.stmt) and node is not function and contains(node, call):
            found = node if found is None or contains(found, node) else found
    return found


def _is_changed(reads: list[ast.Name], function: FunctionNode) -> bool:
    """Whether something is set on what a variable holds, it is disposed of, or an event listens to it."""
    calls = (node for node in ast.walk(function) if isinstance(node, ast.Call))
    if any(read in call.args[:1] for call in calls if last_name(call) in _LISTENING for read in reads):
        return True
    changing = (node for node in ast.walk(function) if isinstance(node, ast.Attribute))
    changed = [node.value for node in changing if node.attr in _CHANGING or isinstance(node.ctx, ast.Store)]
    return any(read in changed for read in reads)


def _is_given_away(function: FunctionNode, name: str) -> bool:
    """Whether a local variable is returned, yielded, or stored on something."""
    for node in ast.walk(function):
        match node:
            case ast.Return(value=value) | ast.Yield(value=value) if value is not None:
                if any(isinstance(part, ast.Name) and part.id == name for part in _own_parts(value)):
                    return True
            case ast.Assign(targets=targets, value=ast.Name(id=stored)) if stored == name:
                if any(not isinstance(target, ast.Name) for target in targets):
                    return True
    return False


def _hands_on(value: ast.expr | None, call: ast.Call) -> bool:
    """Whether a value is what a call makes, or something made of it."""
    return value is call or (isinstance(value, ast.Call) and call in (*value.args, *(k.value for k in value.keywords)))


def _own_parts(value: ast.expr) -> Iterator[ast.expr]:
    """A value, or the elements of a tuple."""
    if isinstance(value, ast.Tuple | ast.List | ast.Dict):
        yield from (part for part in ast.iter_child_nodes(value) if isinstance(part, ast.expr))
    else:
        yield value
