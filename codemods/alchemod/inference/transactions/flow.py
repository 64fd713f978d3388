"""Calls and `with` blocks that control does not simply pass: those that never return, those that swallow exceptions."""

from __future__ import annotations

import ast
from typing import Final

from alchemod.facts.module import last_name
from alchemod.inference.resolving.resolver import Resolver
from alchemod.inference.values import Answer, Managed, Outside, Place, Plain, Session

_ABORTING: Final = frozenset({"flask", "werkzeug", "flask_restful", "flask_restx", "flask_smorest", "flask_restplus"})
_EXITING: Final = frozenset({"sys.exit", "os._exit", "os.abort", "pytest.fail", "pytest.skip"})
_NAMES: Final = frozenset({"abort", "exit", "_exit", "quit", "fail", "skip"})


class FlowOfCalls:
    """Answers about the function (or module body) whose inside is `place`."""

    def __init__(self, place: Place, resolver: Resolver) -> None:
        self._place: Final = place
        self._resolver: Final = resolver

    def only_raises(self, call: ast.Call) -> bool:
        """Whether a call never returns: `abort()` of Flask and its kin, `exit()`."""
        name = last_name(call)
        if name not in _NAMES:
            return False
        if isinstance(call.func, ast.Name) and name in {"exit", "quit"} and self._place.scope.owner(name) is None:
            return name not in self._place.module.bindings
        match self._value(call.func):
            case Answer(value=Outside(definition=definition)):
                top = definition.name.partition(".")[0]
                return definition.name in _EXITING or (name == "abort" and top in _ABORTING)
        return False

    def may_swallow(self, item: ast.withitem) -> bool:
        """Whether a `with` item may swallow an exception: sessions, their transactions and files do not."""
        match self._value(item.context_expr):
            case Answer(value=Session() | Managed(inner=Session() | Plain())):
                return False
        return True

    def _value(self, node: ast.expr) -> Answer | None:
        return self._resolver.value(node, Place(self._place.module, self._place.scope.innermost(node)))
