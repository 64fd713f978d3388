"""What a join goes to, however SQLAlchemy 1.3 to 2.1 lets it be written ("Joins" in the ORM Querying Guide)."""

from __future__ import annotations

import ast
from collections.abc import Callable

from alchemod.facts.model import Model
from alchemod.facts.models import Models
from alchemod.inference.values import Answer, Entity, ModelAttribute, ModelClass, Place, Statement

Evaluate = Callable[[ast.expr], Answer | None]


def join_target(
    statement: Statement, arguments: list[ast.expr], place: Place, evaluate: Evaluate, models: Models
) -> tuple[Entity, list[Answer]] | None:
    """The entity that `statement.join(*arguments)` goes to, and the answers it rests on; None when it is not known."""
    first, *others = arguments
    if isinstance(first, ast.Tuple) and first.elts and not others and statement.style == "query":
        first = first.elts[0]  # join((Target, onclause)), SQLAlchemy 1.x
    if isinstance(first, ast.Constant):
        return _string_join(statement, arguments, models)
    answer = evaluate(first)
    match answer:
        case Answer(value=ModelClass()):
            return _class_join(statement, answer, first, others, place, evaluate)
        case Answer(value=ModelAttribute()):
            return _path_join(statement, answer, others, evaluate, models)
    match first:
        case ast.Call(func=ast.Attribute(attr="and_", value=narrowed)):
            return join_target(statement, [narrowed, *others], place, evaluate, models)
        case ast.Call(func=ast.Attribute(attr="of_type"), args=[typed], keywords=[]):
            answer = evaluate(typed)
            if answer is not None and isinstance(answer.value, ModelClass) and not others:
                return Entity(answer.value, typed, place), [answer]
    return None


def _class_join(
    statement: Statement, answer: Answer, first: ast.expr, others: list[ast.expr], place: Place, evaluate: Evaluate
) -> tuple[Entity, list[Answer]] | None:
    """The target of `join(A)`, `join(A, on)`; of `join(A, B)`, SQLAlchemy 1.x, the last class."""
    found = [evaluate(other) for other in others]
    classes = [answer, *(other for other in found if other is not None and isinstance(other.value, ModelClass))]
    last = first
    if len(classes) > 1:
        if len(classes) <= len(others) or statement.style != "query":
            return None
        last = others[-1]
    elif len(others) > 1:
        return None
    cls = classes[-1].value
    assert isinstance(cls, ModelClass)
    return Entity(cls, last, place), classes


def _path_join(
    statement: Statement, answer: Answer, others: list[ast.expr], evaluate: Evaluate, models: Models
) -> tuple[Entity, list[Answer]] | None:
    """The target of `join(A.bs)`; of `join(A.bs, B.cs)`, SQLAlchemy 1.x, that of the last."""
    if others and statement.style != "query":
        return None
    answers = [answer]
    for other in others:
        found = evaluate(other)
        if found is None:
            return None
        answers.append(found)
    target: Model | None = None
    for step in answers:
        if not isinstance(step.value, ModelAttribute) or step.value.attribute.kind != "relationship":
            return None
        target = models.target(step.value.attribute, step.value.owner.model)
    return (Entity(ModelClass(target)), answers) if target is not None else None


def _string_join(statement: Statement, arguments: list[ast.expr], models: Models) -> tuple[Entity, list[Answer]] | None:
    """The target of `join("a", "b")`, 1.x: a call starts at the first column's entity, each name at the one before."""
    root = statement.terms[0].entity if statement.terms else None
    if root is None or statement.style != "query":
        return None
    if statement.selected_from is not None and statement.selected_from.cls != root.cls:
        return None  # the join starts at the one, the keywords of filter_by at the other
    model: Model | None = root.model
    for argument in arguments:
        if not (isinstance(argument, ast.Constant) and isinstance(argument.value, str)) or model is None:
            return None
        attribute = models.attribute(model, argument.value)
        if attribute is None or attribute.kind != "relationship":
            return None
        model = models.target(attribute, model)
    return (Entity(ModelClass(model)), []) if model is not None else None
