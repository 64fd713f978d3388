"""Where sessions live that outlive the work they were opened for: at module level, in classes, on objects."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from alchemod.facts.module import Import, Module
from alchemod.facts.nodes import statements
from alchemod.inference.area import Area
from alchemod.inference.ownership.knowledge import Opening
from alchemod.inference.ownership.lives import SessionLives
from alchemod.inference.ownership.teardown import is_removed
from alchemod.inference.ownership.values import dotted
from alchemod.inference.resolving.functions import enclosing_function
from alchemod.inference.scoping.scopes import FUNCTIONS, FunctionNode, Scope, contains
from alchemod.inference.summaries.table import Summaries
from alchemod.inference.values import Place, SessionFactory

if TYPE_CHECKING:
    from alchemod.inference import Inference

HomeKind: TypeAlias = Literal["module", "class", "default", "instance", "request", "global", "registry"]
"""At the top level of a file; in the body of a class; as the default of a parameter; on an object, on the state of a
request, in a global variable that a function sets; in a registry that nothing is removed from."""

_SET_UP: Final = frozenset(
    {"setUp", "setUpClass", "setup", "setup_method", "setup_class", "asyncSetUp", "setUpTestData", "setup_module"}
)
_MANAGING: Final = frozenset({"__enter__", "__aenter__"})
_CLOSING: Final = frozenset({"close", "aclose", "remove"})


@dataclass(frozen=True, slots=True)
class Home:
    """Where a session lives that the call `site` opens.

    `name` is the variable, parameter or attribute that holds it, `owner` the class or function it belongs to ("" for a
    file). `users` are the functions that use it there, `closed` the line where one of them closes it, 0 if none does.
    `function` is the function whose default it is.
    """

    kind: HomeKind
    site: ast.Call
    opening: Opening
    name: str
    owner: str = ""
    users: tuple[str, ...] = ()
    closed: int = 0
    function: FunctionNode | None = None


class SessionHomes(Area):
    """Finds where sessions are kept."""

    def __init__(self, inference: Inference) -> None:
        super().__init__(inference)
        self._lives: Final = inference.ask(SessionLives)

    def of_call(self, path: Path, call: ast.Call) -> Home | None:
        """The home of the session that `call` opens, if that outlives the code around it."""
        place = self.inference.place(path, call)
        if place is None:
            return None
        root = Place(place.module, place.scope.root)
        opening = self.inference.ask(Summaries).sources(root).opening(call)
        if opening is None:
            return self._registry(root, call) if place.scope is root.scope else None
        if opening.factory != "plain" or opening.provider is not None:
            return None
        tree = root.scope.node
        assert isinstance(tree, ast.Module)
        function = enclosing_function(place.scope)
        defining = _whose_default(place.scope, call)
        if defining is not None:
            definition, name = defining
            return Home("default", call, opening, name, definition.name, function=definition)
        if function is not None:
            return self._kept_by(function, call, opening, place, tree)
        if isinstance(place.scope.node, ast.ClassDef):
            return Home("class", call, opening, _target(place.scope.node, call), place.scope.node.name)
        return self._of_module(root, call, opening)

    def _registry(self, root: Place, call: ast.Call) -> Home | None:
        """A registry at the top level of a file, whose sessions nobody removes."""
        answer = self.inference.local.value(call, root)
        assert isinstance(root.scope.node, ast.Module)
        if answer is None or not isinstance(answer.value, SessionFactory) or answer.value.kind != "scoped":
            return None
        name, project = _target(root.scope.node, call), self.inference.project
        if not name or is_removed(name, project) or project.is_test(root.module.path):
            return None
        opening = Opening("plain", answer.value.is_async, answer.certainty == "proved", answer.missing or "")
        return Home("registry", call, opening, name)

    def _of_module(self, root: Place, call: ast.Call, opening: Opening) -> Home | None:
        assert isinstance(root.scope.node, ast.Module)
        name = _target(root.scope.node, call)
        if not name:
            return None
        users = [_name(scope) for scope in _functions(root.scope) if name in scope.free_names()]
        users += self._importers(root.module, name)
        return Home("module", call, opening, name, users=tuple(dict.fromkeys(users)))

    def _importers(self, module: Module, name: str) -> Iterator[str]:
        """The files that import a name of a module, or the module itself and say the name."""
        for path in self.inference.project.files_mentioning(name):
            other = self.inference.project.facts(path)
            if other is None or other is module:
                continue
            bindings = [
                binding for found in other.bindings.values() for binding in found if isinstance(binding, Import)
            ]
            whole = (module.name, *([module.name.rpartition(".")[2]] if "." in module.name else []))
            for binding in bindings:
                if binding.module == module.name and binding.name in {None, name}:
                    yield path.name
                    break
                if binding.name in whole and f"{binding.module}.{binding.name}" == module.name:
                    yield path.name
                    break

    def _kept_by(
        self, function: Scope, call: ast.Call, opening: Opening, place: Place, tree: ast.Module
    ) -> Home | None:
        """The object or global that a function puts its session into; a lambda puts it nowhere."""
        if isinstance(function.node, ast.Lambda):
            return None
        assert isinstance(function.node, FUNCTIONS)
        target = next((part for part in statements(function.node.body) if _gives(part, call)), None)
        match target:
            case ast.Assign(targets=[ast.Name(id=name)]) if name in function.global_names:
                users = [_name(scope) for scope in _functions(place.scope.root) if name in scope.free_names()]
                return Home("global", call, opening, name, users=tuple(dict.fromkeys(users)))
            case (
                ast.Assign(targets=[ast.Attribute(value=holder, attr=name)])
                | ast.AnnAssign(target=ast.Attribute(value=holder, attr=name))
            ):
                held = dotted(holder) or ""
                if held.endswith("request.state") or held in {"request", "req"}:
                    return Home("request", call, opening, f"{held}.{name}", _name(function))
                return self._on_instance(function, call, opening, holder, name)
        return None

    def _on_instance(
        self, function: Scope, call: ast.Call, opening: Opening, holder: ast.expr, name: str
    ) -> Home | None:
        cls = function.parent.node if function.parent is not None else None
        first = next((parameter.arg for parameter in function.parameters), None)
        if not isinstance(cls, ast.ClassDef) or not isinstance(holder, ast.Name) or holder.id != first:
            return None
        methods = [part for part in cls.body if isinstance(part, FUNCTIONS)]
        if _name(function) in _SET_UP or any(method.name in _MANAGING for method in methods):
            return None
        users = [method for method in methods if method is not function.node and _reads(method, name)]
        closing = [line for method in methods if (line := _closes(method, name))]
        users_names = tuple(method.name for method in users)
        return Home("instance", call, opening, f"self.{name}", cls.name, users_names, min(closing, default=0))


def _imports(binding: Import, module: Module, name: str) -> bool:
    """Whether an import brings a name of a module, or the module."""
    return (binding.module == module.name and binding.name in {None, name}) or (
        f"{binding.module}.{binding.name}" == module.name
    )


def _whose_default(scope: Scope, call: ast.Call) -> tuple[FunctionNode, str] | None:
    """The function defined in a scope that has the call as the default of a parameter, and the parameter."""
    for child in scope.children:
        node = child.node
        if isinstance(node, FUNCTIONS) and contains(node, call):
            arguments = node.args
            positional = [*arguments.posonlyargs, *arguments.args]
            named = dict(zip(reversed(positional), reversed(arguments.defaults), strict=False))
            pairs = [*named.items(), *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)]
            return next(((node, parameter.arg) for parameter, default in pairs if default is call), None)
    return None


def _gives(node: ast.AST, call: ast.Call) -> bool:
    """Whether a statement assigns what the call opens, or that or something else."""
    if not isinstance(node, ast.Assign | ast.AnnAssign):
        return False
    match node.value:
        case ast.BoolOp(values=[*_, last]):
            return last is call
        case ast.IfExp(body=body, orelse=orelse):
            return call in (body, orelse)
    return node.value is call


def _target(block: ast.Module | ast.ClassDef, call: ast.Call) -> str:
    """The name that a statement of a file or class gives to what the call opens."""
    for node in statements(block.body):
        if _gives(node, call):
            target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
            return target.id if isinstance(target, ast.Name) else ""
    return ""


def _functions(scope: Scope) -> Iterator[Scope]:
    """The functions of a file and the methods of its classes; not those inside them."""
    stack = list(reversed(scope.children))
    while stack:
        inner = stack.pop()
        if isinstance(inner.node, (*FUNCTIONS, ast.Lambda)):
            yield inner
        else:
            stack += reversed(inner.children)


def _name(scope: Scope) -> str:
    return getattr(scope.node, "name", "a lambda")


def _reads(method: FunctionNode, name: str) -> bool:
    return any(isinstance(part, ast.Attribute) and part.attr == name for part in ast.walk(method))


def _closes(method: FunctionNode, name: str) -> int:
    """The line in which a method closes what the attribute holds, 0 if it does not."""
    for part in ast.walk(method):
        match part:
            case ast.Call(func=ast.Attribute(value=ast.Attribute(attr=held), attr=closing)):
                if held == name and closing in _CLOSING:
                    return part.lineno
    return 0
