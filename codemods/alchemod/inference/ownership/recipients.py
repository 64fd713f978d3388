"""Who gets the sessions that a function opens and returns, and whether they are closed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from alchemod.facts.module import FunctionFacts, last_name
from alchemod.inference.area import Area
from alchemod.inference.ownership.life import SessionLife
from alchemod.inference.ownership.lives import SessionLives
from alchemod.inference.resolving.functions import enclosing_function
from alchemod.inference.scoping.scopes import FUNCTIONS
from alchemod.inference.summaries.openers import is_given_away
from alchemod.inference.values import Answer, FunctionObject, Outside, Place

if TYPE_CHECKING:
    from alchemod.inference import Inference

_INJECTING: Final = frozenset({"Depends", "Security"})
_MAX_FILES: Final = 60


@dataclass(slots=True)
class Recipients:
    """The places that get a session from a function, as `file:line`.

    `injected`: by the framework, through `Depends()`. `closing`: calls whose caller closes the session or uses it in a
    `with` block. `leaking`: calls whose caller does not. `others`: mentions of another kind. `complete`: whether all
    mentions of the name are seen.
    """

    function: FunctionFacts
    injected: list[str] = field(default_factory=list)
    closing: list[str] = field(default_factory=list)
    leaking: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    complete: bool = True


class SessionRecipients(Area):
    """Answers about the functions of one project."""

    def __init__(self, inference: Inference) -> None:
        super().__init__(inference)
        self._lives: Final = inference.ask(SessionLives)
        self._resolver: Final = inference.local

    def of_call(self, path: Path, call: ast.Call) -> tuple[SessionLife, Recipients] | None:
        """Who gets the session that `call` opens in a function that does nothing but return it; None where that is not
        so."""
        judged = self._lives.of_call(path, call)
        place = self.inference.place(path, call)
        function = enclosing_function(place.scope) if place is not None else None
        if judged is None or place is None or function is None or not is_given_away(judged[0]):
            return None
        node = function.node
        if not isinstance(node, FUNCTIONS) or node.decorator_list:
            return None
        facts = self._resolver.callers.facts_of(node, Place(place.module, function))
        return (judged[0], self._of(facts)) if facts is not None else None

    def _of(self, facts: FunctionFacts) -> Recipients:
        found = Recipients(facts)
        project = self._resolver.project
        for index, path in enumerate(project.files_mentioning(facts.name)):
            if index >= _MAX_FILES:
                found.complete = False
                break
            module = project.facts(path)
            top = self._resolver.module_place(module) if module is not None else None
            if top is None:
                found.complete = False
                continue
            for node, parent in _mentions(top.scope.node, facts.name):
                self._note(node, parent, top, found)
        return found

    def _note(self, node: ast.expr, parent: ast.AST, top: Place, found: Recipients) -> None:
        answer = self._resolver.value(node, Place(top.module, top.scope.innermost(node)))
        match answer:
            case Answer(value=FunctionObject(facts=facts)) if facts is found.function:
                pass
            case None:
                found.complete = found.complete and isinstance(parent, ast.Call)
                return
            case _:
                return
        where = f"{top.module.path.name}:{node.lineno}"
        match parent:
            case ast.Call(func=called, args=[first, *_]) if first is node and self._injects(called, top):
                found.injected.append(where)
            case ast.Call(func=called) if called is node:
                (found.closing if self._closes(top.module.path, parent) else found.leaking).append(where)
            case ast.Subscript(value=ast.Attribute(attr="dependency_overrides")):
                pass
            case _:
                found.others.append(where)

    def _injects(self, called: ast.expr, top: Place) -> bool:
        """Whether a function is FastAPI's `Depends()`, which calls what it gets for each request."""
        answer = self._resolver.value(called, Place(top.module, top.scope.innermost(called)))
        return last_name(called) in _INJECTING and answer is not None and isinstance(answer.value, Outside)

    def _closes(self, path: Path, call: ast.Call) -> bool:
        """Whether the code that calls the function closes the session it gets, on some way at least."""
        judged = self._lives.of_call(path, call)
        if judged is None or judged[0].record is None:
            return False
        life, _ = judged
        record = life.record
        assert record is not None
        return life.in_with or life.closing is not None or bool(record.closes or record.managed)


def _mentions(tree: ast.AST, name: str) -> Iterator[tuple[ast.expr, ast.AST]]:
    """The places that say a name, each with the node around it."""
    for parent in ast.walk(tree):
        for child in ast.iter_child_nodes(parent):
            if isinstance(child, ast.Name | ast.Attribute) and last_name(child) == name:
                yield child, parent
