"""Validators of mapped classes, and those that a class derived from them redefines.

Up to SQLAlchemy 2.0 the validator of the class above ran, in 2.1 the one of the class itself (verified by execution).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from alchemod.facts.model import Model
from alchemod.facts.module import ClassFacts, last_name
from alchemod.facts.nodes import walk
from alchemod.inference.area import Area


class Validators(Area):
    """Answers about the validators of a project."""

    def redefined(self, node: ast.ClassDef, model: Model) -> Iterator[tuple[ast.FunctionDef, ClassFacts]]:
        """The validators in the body of a mapped class that have the name of one above, and the class of that.

        Those that call the one above by `super()` do not count.
        """
        for statement in node.body:
            if not isinstance(statement, ast.FunctionDef) or not _validates(statement.decorator_list):
                continue
            for facts in model.ancestors:
                above = facts.methods.get(statement.name)
                if above is not None and _validates(above.decorators) and not _calls_super(statement):
                    yield statement, facts
                    break


def _validates(decorators: Sequence[ast.expr]) -> bool:
    return any(isinstance(one, ast.Call) and last_name(one) == "validates" for one in decorators)


def _calls_super(function: ast.FunctionDef) -> bool:
    """Whether a method calls the one of its name above it."""
    for node in walk(function):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr=name)):
                if name == function.name:
                    return True
    return False
