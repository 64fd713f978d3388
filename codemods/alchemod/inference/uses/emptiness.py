"""Whether a list may be empty where it is used."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from alchemod.inference.area import Area
from alchemod.inference.control.reaching import definitions
from alchemod.inference.uses.usage import Usage
from alchemod.inference.values import Place

_LEAVING = (ast.Return, ast.Raise, ast.Continue, ast.Break)


class Emptiness(Area):
    """Answers about lists."""

    def may_be_empty(self, node: ast.expr, place: Place) -> bool:
        """Whether the list that `node` gives may have no elements, as far as the code shows."""
        match node:
            case ast.List(elts=elements) | ast.Tuple(elts=elements):
                return all(isinstance(element, ast.Starred) for element in elements)
            case ast.BinOp(op=ast.Add(), left=left, right=right):
                return self.may_be_empty(left, place) and self.may_be_empty(right, place)
            case ast.Name():
                return not (self._is_filled(node, place) or self._is_guarded(node, place))
        return True

    def _is_filled(self, name: ast.Name, place: Place) -> bool:
        """Whether all that a name may be bound to here has elements."""
        root = place.scope.root.node
        if not isinstance(root, ast.Module):
            return False
        found = definitions(root, name)
        return bool(found.sites) and all(
            binding.kind == "assignment" and binding.value is not None and not self.may_be_empty(binding.value, place)
            for binding in found.sites
        )

    def _is_guarded(self, name: ast.Name, place: Place) -> bool:
        """Whether the code gets here only when the list of this name has elements."""
        around = self.inference.ask(Usage).around(place)
        node: ast.AST = name
        while (parent := around.get(node)) is not None:
            match parent:
                case ast.If(test=test, body=body) | ast.While(test=test, body=body):
                    if node in body and _asks(test, name.id):
                        return True
                case ast.IfExp(test=test, body=body):
                    if node is body and _asks(test, name.id):
                        return True
            if isinstance(node, ast.stmt) and any(_leaves(one, name.id) for one in _before(node, parent)):
                return True
            node = parent
        return False


def _asks(test: ast.expr, name: str) -> bool:
    """Whether a test holds only when the list has elements."""
    match test:
        case ast.Name(id=found):
            return found == name
        case ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=found)]):
            return found == name
        case ast.Compare(left=left, ops=[ast.Gt() | ast.NotEq()], comparators=[ast.Constant(value=0)]):
            return _asks(left, name)
        case ast.BoolOp(op=ast.And(), values=values):
            return any(_asks(value, name) for value in values)
    return False


def _leaves(statement: ast.stmt, name: str) -> bool:
    """Whether a statement leaves the suite when the list has no elements."""
    match statement:
        case ast.If(test=ast.UnaryOp(op=ast.Not(), operand=operand), body=[*_, last]):
            return _asks(operand, name) and isinstance(last, _LEAVING)
    return False


def _before(statement: ast.stmt, parent: ast.AST) -> Iterator[ast.stmt]:
    """The statements before one in its suite."""
    for suite in ("body", "orelse", "finalbody"):
        statements: Sequence[ast.stmt] = getattr(parent, suite, ())
        if isinstance(statements, list) and statement in statements:
            yield from statements[: statements.index(statement)]
