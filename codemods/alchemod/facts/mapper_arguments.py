"""What `__mapper_args__` gives to the mapper of a class.

SQLAlchemy 2.0, "Mapper Configuration Options with Declarative".
"""

from __future__ import annotations

import ast

from alchemod.facts.attributes import returned
from alchemod.facts.model import Model


def may_have_mapper_argument(model: Model, name: str) -> bool:
    """Whether a class, or one above it, gives its mapper this argument, or that cannot be excluded."""
    for facts in model.family:
        declared = facts.attributes.get("__mapper_args__")
        if declared is not None and not _lacks(declared.value, name):
            return True
        body = facts.bodies.get("__mapper_args__")
        if "__mapper_args__" in facts.methods and (body is None or not _lacks(returned(body), name)):
            return True
    return False


def _lacks(given: ast.expr | None, name: str) -> bool:
    """Whether an expression is a dictionary that is seen not to have a key."""
    match given:
        case ast.Dict(keys=keys):
            return all(isinstance(key, ast.Constant) and key.value != name for key in keys)
        case ast.Call(func=ast.Name(id="dict"), args=[], keywords=keywords):
            return all(keyword.arg not in {name, None} for keyword in keywords)
    return False
