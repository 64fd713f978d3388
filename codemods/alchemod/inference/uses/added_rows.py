"""Objects that are made and added where a query did not find them: `if not user: user = User(...); db.add(user)`."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass

from alchemod.facts.keys import refers
from alchemod.facts.model import Model
from alchemod.facts.uniqueness import required
from alchemod.inference.values import Answer, ModelClass, Session


@dataclass(frozen=True, slots=True)
class AddedRow:
    """An object that is made and added: its name and class, the statement that adds it to which session. `given` are
    the attributes it is given before, None where that is not seen."""

    name: str
    model: Model
    given: frozenset[str] | None
    statement: ast.Expr
    session: ast.expr
    is_async: bool
    answer: Answer

    def lacks(self, wanted: frozenset[str]) -> frozenset[str]:
        """The attributes of `wanted`, and those that the row cannot be inserted without, which the object is not given
        before it is added. A relationship gives its foreign keys."""
        if self.given is None:
            return frozenset()
        attributes = self.model.attributes
        relates = any(name in attributes and attributes[name].kind == "relationship" for name in self.given)
        lacking = (required(self.model) | wanted) - self.given
        return frozenset(name for name in lacking if not (relates and name in attributes and refers(attributes[name])))


def added_if_missing(node: ast.If, value: Callable[[ast.expr], Answer | None]) -> AddedRow | None:
    """The object that an `if` makes and adds when there is none; None where it does something else. `value` tells what
    an expression is."""
    name = _tested_for_none(node.test)
    if name is None or node.orelse:
        return None
    made: Model | None = None
    given: frozenset[str] | None = None
    for statement in node.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=target)], value=ast.Call() as call) if target == name:
                answer = value(call.func)
                made = answer.value.model if answer is not None and isinstance(answer.value, ModelClass) else None
                given = _given_to(call, made) if made is not None else None
            case ast.Assign(targets=[ast.Attribute(value=ast.Name(id=target), attr=attribute)]) if target == name:
                given = given | {attribute} if given is not None else None
            case ast.Expr(
                value=ast.Call(func=ast.Attribute(value=session, attr="add"), args=[ast.Name(id=added)], keywords=[])
            ) if added == name and made is not None:
                owner = value(session)
                if owner is not None and isinstance(owner.value, Session):
                    return AddedRow(name, made, given, statement, session, owner.value.is_async, owner)
                return None
    return None


def _given_to(call: ast.Call, model: Model) -> frozenset[str] | None:
    """The attributes that a constructor call sets; None where the class has one of its own, or values are unpacked."""
    if call.args or any("__init__" in facts.methods for facts in model.family):
        return None
    names = [keyword.arg for keyword in call.keywords]
    return None if None in names else frozenset(name for name in names if name is not None)


def _tested_for_none(test: ast.expr) -> str | None:
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=ast.Name(id=name)):
            return name
        case ast.Compare(left=ast.Name(id=name), ops=[ast.Is() | ast.Eq()], comparators=[ast.Constant(value=None)]):
            return name
    return None
