"""Listeners that take the arguments of an older SQLAlchemy, and what becomes of them.

`ConnectionEvents`, `PoolEvents` and `SessionEvents`: "Event signatures" of 1.4, 2.0 and 2.1 (verified by execution).
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from alchemod.facts.nodes import walk
from alchemod.inference.area import Area
from alchemod.inference.legacy.listeners import Listener, Listeners
from alchemod.text.problem import FileError


@dataclass(frozen=True, slots=True)
class Signature:
    """How an event was called: with how many arguments, and what takes their place.

    `wanted` are numbers of old arguments and names of new ones, `since` the SQLAlchemy that knows them. `gone` says
    what the other old arguments are called by now, None for one that has no successor.
    """

    old: int
    wanted: tuple[int | str, ...]
    since: str
    gone: dict[int, str | None] = field(default_factory=dict)
    always_false: tuple[int, ...] = ()


_BULK: Final[dict[int, str | None]] = {0: "session", 1: "query", 2: None, 3: "result"}
SIGNATURES: Final = {
    "before_execute": Signature(4, (0, 1, 2, 3, "execution_options"), "1.4"),
    "after_execute": Signature(5, (0, 1, 2, 3, "execution_options", 4), "1.4"),
    "engine_connect": Signature(2, (0,), "2.0", {1: None}, (1,)),
    "reset": Signature(2, (0, 1, "reset_state"), "2.0"),
    "after_bulk_update": Signature(4, ("update_context",), "1.4", _BULK),
    "after_bulk_delete": Signature(4, ("delete_context",), "1.4", _BULK),
}


@dataclass(frozen=True, slots=True)
class OldListener:
    """A function that listens with an old signature.

    `replaced` are the places in it that read an argument which is gone, with the attribute of the new one. `dropped`
    are statements for the case that an argument is true which by now would always be false. `missing` says why the
    function cannot be changed.
    """

    listener: Listener
    signature: Signature
    replaced: list[tuple[ast.Name, str]]
    missing: str = ""
    dropped: list[ast.If] = field(default_factory=list)


class OldListeners(Area):
    """The listeners of a project that have old signatures."""

    def of(self, path: Path, call: ast.Call) -> OldListener | None:
        """What a call of `listen()` or `listens_for()` registers, if that has an old signature."""
        listeners = self.inference.ask(Listeners).of(path)
        listener = next((found for found in listeners if found.call is call), None)
        signature = SIGNATURES.get(listener.event) if listener is not None else None
        if listener is None or signature is None or listener.is_named or len(listener.parameters) != signature.old:
            return None
        function = listener.function
        if not isinstance(function, ast.FunctionDef):
            return OldListener(listener, signature, [], "the function is no plain one")
        if sum(found.function is function for found in listeners) > 1:
            return OldListener(listener, signature, [], f"{function.name}() listens to more than one event")
        if any(decorator is not call for decorator in function.decorator_list):
            return OldListener(listener, signature, [], f"{function.name}() has other decorators")
        if function.args.defaults or function.args.posonlyargs:
            return OldListener(listener, signature, [], f"{function.name}() has defaults")
        dropped = _never_run(function, {listener.parameters[one] for one in signature.always_false})
        replaced, missing = _replaced(function, listener.parameters, signature, dropped)
        missing = missing or self._other_callers(path, listener, function)
        return OldListener(listener, signature, replaced, missing, dropped)

    def _other_callers(self, path: Path, listener: Listener, function: ast.FunctionDef) -> str:
        """Why a function may be called by others too, "" when it is not."""
        reads = len(self._mentions(path, function.name)) - (len(listener.call.args) > 2)
        others = [one for one in self.inference.project.files_mentioning(function.name) if one != path]
        if reads > 0 or any(self._mentions(other, function.name) for other in others):
            return f"who else calls {function.name}()"
        return ""

    def _mentions(self, path: Path, name: str) -> list[ast.AST]:
        """The places in a file that read a function by its name, or import it."""
        try:
            tree = self.inference.project.tree(path)
        except FileError:
            return []
        return [
            node
            for node in walk(tree)
            if isinstance(node, ast.Name | ast.Attribute | ast.alias)
            and name in (getattr(node, "id", ""), getattr(node, "attr", ""), getattr(node, "name", ""))
        ]


def _replaced(
    function: ast.FunctionDef, parameters: list[str], signature: Signature, dropped: list[ast.If]
) -> tuple[list[tuple[ast.Name, str]], str]:
    """The reads of arguments that are gone, and why the function cannot do without one of them."""
    new = next((one for one in signature.wanted if isinstance(one, str)), "")
    gone = {parameters[number]: attribute for number, attribute in signature.gone.items()}
    found: list[tuple[ast.Name, str]] = []
    for node in (inner for statement in function.body if statement not in dropped for inner in walk(statement)):
        match node:
            case ast.Name(id=name) if name == new and new not in parameters:
                return [], f"{function.name}() uses the name {new} already"
            case ast.arg(arg=name) if name in gone:
                return [], f"{name} means two things in {function.name}()"
            case (
                ast.ExceptHandler() | ast.FunctionDef() | ast.ClassDef() | ast.alias() | ast.MatchAs() | ast.MatchStar()
            ):
                bound = getattr(node, "asname", None) or node.name
                if bound in gone or bound == new:
                    return [], f"{bound} means two things in {function.name}()"
            case ast.Name(id=name) if name in gone:
                attribute = gone[name]
                if attribute is None or not isinstance(node.ctx, ast.Load):
                    return [], f"{function.name}() uses {name}"
                found.append((node, f"{new}.{attribute}"))
    return found, ""


def _never_run(function: ast.FunctionDef, names: set[str]) -> list[ast.If]:
    """The statements of a function that only say what happens if one of these arguments is true."""
    return [
        statement
        for statement in function.body
        if isinstance(statement, ast.If)
        and isinstance(statement.test, ast.Name)
        and statement.test.id in names
        and not statement.orelse
    ]
