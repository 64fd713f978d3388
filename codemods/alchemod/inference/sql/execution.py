"""Where SQL is executed: the sessions and connections asked, and what kind of statement they get.

SQLAlchemy 1.4 to 2.1: `Session.execute`, `Connection.execute`, `text()`, "Working with Transactions and the DBAPI".
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Literal

from alchemod.facts.vocabulary import canonical
from alchemod.inference.area import Area
from alchemod.inference.control.reaching import definitions
from alchemod.inference.names.assigned import spelled_out
from alchemod.inference.resolving.functions import enclosing_function
from alchemod.inference.resolving.sessions import opened
from alchemod.inference.scoping.bindings import Binding
from alchemod.inference.sql.strings import SqlString, built
from alchemod.inference.values import Answer, Engine, Outside, Place, Plain, Session, SessionFactory

EXECUTING = ("execute", "scalar", "scalars", "stream", "stream_scalars")
"""Methods of sessions and connections whose first argument is a statement."""

Argument = Literal["string", "construct", "unknown"]
"""What a statement is given as: a `str`, a `text()` or other construct, or it is not known."""


@dataclass(frozen=True, slots=True)
class Execution:
    """One call that executes a statement. `receiver` is the answer about what is asked: its value is a Session or a
    connection. `parameters` are the arguments after the statement."""

    call: ast.Call
    method: ast.Attribute
    place: Place
    receiver: Answer
    statement: ast.expr
    parameters: tuple[ast.expr, ...]

    @property
    def is_connection(self) -> bool:
        """Whether a connection is asked, not a session."""
        return isinstance(self.receiver.value, Engine)

    @property
    def named_parameters(self) -> list[ast.keyword]:
        """The keywords of the call that are no options: on a 1.x connection each one is a parameter."""
        return [keyword for keyword in self.call.keywords if keyword.arg not in _OPTIONS]

    @property
    def has_options(self) -> bool:
        """Whether the call has keywords that are options: `execution_options=`, `bind_arguments=`."""
        return any(keyword.arg in _OPTIONS for keyword in self.call.keywords)


_OPTIONS = frozenset({"statement", "params", "parameters", "execution_options", "bind_arguments", "mapper", "clause"})


_GIVING_STRINGS = frozenset({"strip", "lstrip", "rstrip", "format", "replace", "removesuffix", "removeprefix"})
_SPLITTING = frozenset({"split", "rsplit", "splitlines"})
"""Methods that give strings; of what can be executed, only strings have them."""


class SqlExecutions(Area):
    """Calls that execute SQL."""

    def of(self, call: ast.Call, place: Place) -> Execution | None:
        """The execution that a call of a method of :data:`EXECUTING` is; None when a session or connection is not
        what is asked, or no statement is given."""
        match call:
            case ast.Call(func=ast.Attribute(value=receiver) as method, args=[statement, *parameters]):
                if isinstance(statement, ast.Starred):
                    return None
            case _:
                return None
        answer = self.inference.resolver.value(receiver, place)
        match answer:
            case Answer(value=SessionFactory(kind="scoped") as registry):
                answer = answer.then(opened(registry))
            case Answer(value=Session() | Engine(is_connection=True)):
                pass
            case _:
                return None
        return Execution(call, method, place, answer, statement, tuple(parameters))

    def is_text(self, node: ast.expr, place: Place) -> bool:
        """Whether an expression is a call of SQLAlchemy's `text()`."""
        return isinstance(node, ast.Call) and self._name_of(node.func, place) == "text"

    def executing(self, statement: ast.expr, place: Place) -> Execution | None:
        """The execution whose statement is this very expression."""
        around = enclosing_function(place.scope) or place.scope.root
        for node in ast.walk(around.node):
            if isinstance(node, ast.Call) and node.args and node.args[0] is statement:
                return self.of(node, place)
        return None

    def strings(self, node: ast.expr, place: Place) -> list[SqlString]:
        """The strings that an expression may be, see :func:`built`."""
        return built(node, place, self.inference.resolver)

    def argument(self, node: ast.expr, place: Place) -> tuple[Argument, Answer | None]:
        """What is given as a statement, and the answer that says so."""
        answer = self.inference.resolver.value(node, place)
        if answer is not None:
            return ("string" if isinstance(answer.value, Plain) else "construct"), answer
        if isinstance(node, ast.Name):
            return self._variable(node, place)
        if self.strings(node, place):
            return "string", None
        if isinstance(node, ast.Call) and _last(node.func) in _GIVING_STRINGS:
            return "string", Answer(Plain(), "inferred", missing=f"whether {ast.unparse(node)} is a string")
        if isinstance(node, ast.Call) and self._makes_construct(node, place):
            return "construct", None
        return "unknown", None

    def _variable(self, name: ast.Name, place: Place) -> tuple[Argument, Answer | None]:
        """What all that a variable may be bound to is."""
        root = place.scope.root.node
        assert isinstance(root, ast.Module)
        found = definitions(root, name)
        owner = found.owner
        if owner is None or not found.sites or (owner.parent is None and found.captured):
            return ("string" if self.strings(name, place) else "unknown"), None
        kinds = [self._bound(site, Place(place.module, owner)) for site in found.sites]
        if len({kind for kind, _ in kinds}) != 1:
            return "unknown", None
        return kinds[0][0], next((about for _, about in kinds if about is not None), None)

    def _bound(self, site: Binding, place: Place) -> tuple[Argument, Answer | None]:
        if site.kind == "augmented" and isinstance(site.node, ast.AugAssign):
            added = site.node.value
            is_string = bool(self.strings(added, place)) and not isinstance(added, ast.Name)
            return ("string" if is_string else "unknown"), None
        if site.value is None or site.position != ():
            return "unknown", None
        if site.kind == "loop":
            source = spelled_out(site.value, place)
            if isinstance(source, ast.Call) and _last(source.func) in _SPLITTING:
                missing = f"whether {ast.unparse(source)} gives strings"
                return "string", Answer(Plain(), "inferred", missing=missing)
        if site.kind not in {"assignment", "annotation", "walrus"} or isinstance(site.value, ast.Name):
            return "unknown", None
        return self.argument(site.value, place)

    def _makes_construct(self, call: ast.Call, place: Place) -> bool:
        """Whether a call, or the first call of a chain of methods, makes a construct of SQLAlchemy's."""
        current: ast.expr = call
        while isinstance(current, ast.Call):
            if self._name_of(current.func, place) is not None:
                return True
            current = current.func.value if isinstance(current.func, ast.Attribute) else current.func
        return False

    def _name_of(self, function: ast.expr, place: Place) -> str | None:
        """SQLAlchemy's name of a function, `db.text` of Flask-SQLAlchemy included."""
        match self.inference.resolver.value(function, place):
            case Answer(value=Outside(definition=definition)):
                return canonical(definition.name)
        return None


def _last(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else ""
