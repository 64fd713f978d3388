"""Results whose rows have to be made unique before they are asked for, and where that can be done."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Final

from alchemod.inference.area import Area
from alchemod.inference.control.reaching import definitions
from alchemod.inference.loading.joined import JoinedCollections
from alchemod.inference.resolving.sessions import as_session
from alchemod.inference.uses.usage import Usage, Uses
from alchemod.inference.values import Answer, ModelAttribute, Place, Session, Statement, resting_on

SENDING: Final = ("execute", "scalars", "exec", "stream", "stream_scalars")
_RAISING: Final = frozenset(
    {
        *("all", "one", "one_or_none", "scalar_one", "scalar_one_or_none", "fetchone", "fetchall", "fetchmany"),
        *("partitions", "__next__"),
    }
)
"""Methods that raise unless the rows are made unique."""
_PASSING: Final = frozenset({"scalars", "columns", "mappings", "tuples"})
_LISTING: Final = frozenset({"list", "tuple", "set", "sorted", "next", "sum", "max", "min", "any", "all", "enumerate"})


@dataclass(frozen=True, slots=True)
class Repeating:
    """A call that sends a select with a joined collection, whose result is not made unique.

    `missing` says why `.unique()` is not offered, `doubt` why it is not safe.
    """

    result: ast.expr
    """The expression that gives the result: the call, with the `await` before it."""
    answer: Answer
    collection: str
    missing: str = ""
    doubt: str | None = None


class Uniqueness(Area):
    """Which results lack `unique()`."""

    def repeating(self, call: ast.Call, place: Place) -> Repeating | None:
        """What `call`, a method of a session, sends whose rows raise when they are asked for."""
        value = self.inference.resolver.value
        if not isinstance(call.func, ast.Attribute) or not call.args:
            return None
        session, given = as_session(value(call.func.value, place)), value(call.args[0], place)
        match session, given:
            case Answer(value=Session()), Answer(value=Statement(style="select") as statement):
                pass
            case _:
                return None
        assert session is not None
        assert given is not None
        assert isinstance(session.value, Session)
        if "yield_per" in ast.unparse(call) or statement.has_step("yield_per"):
            return None
        joined = self.inference.ask(JoinedCollections).of(statement, place)
        if joined is None or not isinstance(joined.value, ModelAttribute):
            return None
        uses = self.inference.ask(Usage).of(call, place)
        if session.value.is_async is isinstance(uses.value, ast.Call):
            return None
        fate = self._fate(uses, place)
        if fate is None:
            return None
        label = f"{joined.value.owner.model.name}.{joined.value.attribute.name}"
        answer = resting_on(statement, (session, given, joined))
        doubt = None if all(term.kind == "entity" for term in statement.terms) else "a column may hold what has no hash"
        if not self._is_straight(call.args[0], place):
            doubt = "the statement is built on several ways, and not all of them may load the collection"
        return Repeating(uses.value, answer, label, "" if fate == "consumed" else fate, doubt)

    def _fate(self, uses: Uses, place: Place) -> str | None:
        """`consumed` where the rows are asked for here and raise, None where they do not, else why it is not seen."""
        around = self.inference.ask(Usage).around(place)
        found: list[str | None] = []
        for use in uses.every:
            node: ast.expr = use.read
            parent = around.get(node)
            while isinstance(parent, ast.Attribute) and isinstance(called := around.get(parent), ast.Call):
                if parent.attr == "unique":
                    return None
                node, method = called, parent.attr
                parent = around.get(node)
                while isinstance(parent, ast.Await):
                    node, parent = parent, around.get(parent)
                if method not in _PASSING:
                    found.append("consumed" if method in _RAISING else None)
                    break
            else:
                found.append(_handed_on(parent) if node is use.read else self._kept(node, parent, place))
        said = next((fate for fate in found if fate not in {None, "consumed"}), None)
        return said or ("consumed" if "consumed" in found else None)

    def _kept(self, result: ast.expr, parent: ast.AST | None, place: Place) -> str | None:
        """The fate of a result in another form, which a variable may hold: `rows = session.execute(s).scalars()`."""
        if not isinstance(parent, ast.Assign):
            return _handed_on(parent)
        return self._fate(self.inference.ask(Usage).of(result, place), place)

    def _is_straight(self, statement: ast.expr, place: Place) -> bool:
        """Whether a statement is built on one way only: a chain, whose variables are assigned once."""
        node = statement
        root = place.scope.root.node
        for _ in range(50):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                node = node.func.value
            elif isinstance(node, ast.Name) and isinstance(root, ast.Module):
                single = definitions(root, node).single
                if single is None or single.value is None:
                    return self.inference.resolver.value(node, place) is None or _is_module(node, place)
                node = single.value
            else:
                return True
        return False


def _handed_on(parent: ast.AST | None) -> str | None:
    """What becomes of a result that no method is called on."""
    match parent:
        case ast.For() | ast.AsyncFor() | ast.comprehension():
            return "consumed"
        case ast.Call(func=ast.Name(id=name)) if name in _LISTING:
            return "consumed"
        case ast.Starred():
            return "consumed"
        case ast.Expr():
            return None
        case ast.Return():
            return "the result leaves the function"
    return "what becomes of the result is not seen"


def _is_module(name: ast.Name, place: Place) -> bool:
    owner = place.scope.owner(name.id)
    return owner is None or owner.parent is None
