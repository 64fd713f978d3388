"""Which functions listen to which events of SQLAlchemy (`event.listen()`, `@event.listens_for()`)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias
from weakref import WeakKeyDictionary

from alchemod.facts.module import last_name
from alchemod.facts.nodes import walk
from alchemod.inference.area import Area
from alchemod.inference.control.reaching import definitions
from alchemod.inference.values import Answer, Outside

if TYPE_CHECKING:
    from alchemod.inference import Inference

Listening: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(frozen=True, slots=True)
class Listener:
    """One registration: the event, what is listened to, and the function, where that stands in the same file."""

    event: str
    target: ast.expr
    call: ast.Call
    function: Listening | None
    answer: Answer
    is_named: bool = False
    """Whether the function gets its arguments by name."""

    @property
    def parameters(self) -> list[str]:
        """The names of the positional parameters; of none if the function takes others too, or is not seen."""
        function = self.function
        if function is None or function.args.vararg or function.args.kwonlyargs or function.args.kwarg:
            return []
        return [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]


class Listeners(Area):
    """The listeners of the files of a project, file by file."""

    def __init__(self, inference: Inference) -> None:
        super().__init__(inference)
        self._of_tree: Final[WeakKeyDictionary[ast.Module, list[Listener]]] = WeakKeyDictionary()

    def of(self, path: Path) -> list[Listener]:
        """The registrations in the current tree of a file, in source order."""
        tree = self.inference.project.tree(path)
        if tree not in self._of_tree:
            self._of_tree[tree] = list(self._found(tree, path))
        return self._of_tree[tree]

    def _found(self, tree: ast.Module, path: Path) -> Iterator[Listener]:
        for node in walk(tree):
            match node:
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    for decorator in node.decorator_list:
                        if isinstance(decorator, ast.Call) and last_name(decorator) == "listens_for":
                            yield from self._registered(decorator, node, path)
                case ast.Call() if last_name(node) == "listen" and len(node.args) > 2:
                    yield from self._registered(node, self._function(node.args[2], tree), path)

    def _registered(self, call: ast.Call, function: Listening | None, path: Path) -> Iterator[Listener]:
        match call.args:
            case [target, ast.Constant(value=str(event)), *_]:
                pass
            case _:
                return
        answer = self.inference.value(path, call.func)
        match answer:
            case Answer(value=Outside(definition=definition)) if definition.name.startswith("sqlalchemy.event."):
                named = any(keyword.arg in {"named", None} for keyword in call.keywords)
                yield Listener(event, target, call, function, answer, named)

    def _function(self, node: ast.expr, tree: ast.Module) -> Listening | None:
        """The function of the file that a name stands for."""
        if isinstance(node, ast.Lambda):
            return node
        if not isinstance(node, ast.Name):
            return None
        found = definitions(tree, node)
        match [site.node for site in found.sites]:
            case [ast.FunctionDef() | ast.AsyncFunctionDef() as function]:
                return function
        return None
