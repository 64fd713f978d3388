"""Expressions that are a mapper, or the state of a mapped object."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Final

from alchemod.inference.area import Area
from alchemod.inference.names.assigned import spelled_out
from alchemod.inference.values import Answer, ModelClass, Object, Outside, resting_on

_OF_CLASS: Final = frozenset({"inspect", "class_mapper"})
_OF_OBJECT: Final = frozenset({"inspect", "instance_state"})


class Mappers(Area):
    """Answers about what `inspect()` and its older forms give for mapped classes and objects."""

    def mapper(self, path: Path, node: ast.expr) -> Answer | None:
        """The answer that an expression is a mapper: `inspect(A)`, `class_mapper(A)`, `A.__mapper__`."""
        match self._behind(path, node):
            case ast.Attribute(value=ast.expr() as owner, attr="__mapper__"):
                return self._mapped_class(path, owner)
            case ast.Attribute(value=ast.Call(args=[subject]) as call, attr="mapper"):
                return self._given(path, call, _OF_OBJECT, self.mapped_object(path, subject))
            case ast.Call(args=[subject]) as call:
                if (answer := self._given(path, call, _OF_CLASS, self._mapped_class(path, subject))) is not None:
                    return answer
                return self._given(path, call, frozenset({"object_mapper"}), self.mapped_object(path, subject))
        return None

    def state(self, path: Path, node: ast.expr) -> Answer | None:
        """The answer that an expression is the state of a mapped object: `inspect(a)`, `instance_state(a)`."""
        match self._behind(path, node):
            case ast.Call(args=[subject]) as call:
                return self._given(path, call, _OF_OBJECT, self.mapped_object(path, subject))
        return None

    def mapped_object(self, path: Path, node: ast.expr) -> Answer | None:
        """The answer that an expression is an instance of a mapped class; None for anything else."""
        answer = self.inference.value(path, node)
        match answer:
            case Answer(value=Object(of=ModelClass())):
                return answer
        return None

    def _mapped_class(self, path: Path, node: ast.expr) -> Answer | None:
        answer = self.inference.value(path, node)
        return answer if answer is not None and isinstance(answer.value, ModelClass) else None

    def _given(self, path: Path, call: ast.Call, names: frozenset[str], subject: Answer | None) -> Answer | None:
        if subject is None or call.keywords:
            return None
        callee = self.inference.value(path, call.func)
        match callee:
            case Answer(value=Outside(canonical=str(name))) if name in names:
                return resting_on(subject.value, (callee, subject))
        return None

    def _behind(self, path: Path, node: ast.expr) -> ast.expr:
        place = self.inference.place(path, node)
        return spelled_out(node, place) if place is not None else node
