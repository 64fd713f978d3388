"""Which query classes may stand behind a Query (`query_cls` of the Session; Flask-SQLAlchemy, "Custom Query Class")."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from alchemod.facts.lookup import Definition, External
from alchemod.facts.module import Assigned, ClassFacts, Module, last_name
from alchemod.facts.nodes import walk
from alchemod.facts.project import Project
from alchemod.inference.values import Statement

_KEYWORDS = frozenset({"query_class", "query_cls"})
_QUERY_LIBRARIES = frozenset({"sqlalchemy", "flask_sqlalchemy", "sqlmodel"})


class QueryClasses:
    """The query classes of one project, looked up when a method of a Query is asked for."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._unseen: tuple[int, str] | None = None

    def override(self, name: str, statement: Statement) -> bool:
        """Whether a query class of the project that may stand behind `statement` has its own method `name`.

        Every Query subclass counts, unless the session's factory is seen and names no query class.
        """
        if statement.style != "query" or _is_plain(statement):
            return False
        lookup, families = self._project.lookup, self._project.families
        owners = [method.owner for method in self._project.methods_named(name) if method.owner is not None]
        classes = (having for owner in owners for having in families.having(owner))
        return any(lookup.reaches(one, kind) for one in classes for kind in ("Query", "flask_sqlalchemy:Query"))

    def unseen(self, statement: Statement) -> str:
        """What is not seen of the query class behind `statement`, which may have methods of its own; "" if nothing."""
        if statement.style != "query" or _is_plain(statement):
            return ""
        if self._unseen is None or self._unseen[0] != self._project.generation:
            self._unseen = self._project.generation, next(self._find_unseen(), "")
        return self._unseen[1]

    def _find_unseen(self) -> Iterator[str]:
        for module in self._project.modules():
            for expression in _mentioned(module):
                if not self._is_seen(self._project.lookup.expression(module, expression)):
                    yield f"not all of the query class {ast.unparse(expression)} is seen"
        for facts in self._project.classes():
            if self._project.lookup.reaches(facts, "Session") and self._project.families.defines(facts, "query"):
                yield f"{facts.name} has its own query()"

    def _is_seen(self, definition: Definition | None) -> bool:
        stack = [definition]
        while stack:
            match stack.pop():
                case ClassFacts() as facts:
                    stack.extend(self._project.lookup.base(facts.module, base) for base in facts.bases)
                case External(name=name) if name.partition(".")[0].partition(":")[0] in {*_QUERY_LIBRARIES, "builtins"}:
                    pass
                case _:
                    return False
        return True


def _is_plain(statement: Statement) -> bool:
    """Whether the session's factory is seen and makes SQLAlchemy's own queries."""
    factory = statement.session.factory if statement.session is not None else None
    return factory is not None and factory.has_plain_queries


def _mentioned(module: Module) -> Iterator[ast.expr]:
    """The expressions that a module gives as query classes."""
    for bindings in module.bindings.values():
        for binding in bindings:
            if isinstance(binding, Assigned) and isinstance(binding.value, ast.Call):
                yield from _given(binding.value)
    for facts in module.classes.values():
        for name, assigned in facts.attributes.items():
            if name in _KEYWORDS and assigned.value is not None:
                yield assigned.value
            elif name == "query" and isinstance(assigned.value, ast.Call) and _is_property(assigned.value):
                yield from (*assigned.value.args, *_given(assigned.value))


def _is_property(call: ast.Call) -> bool:
    """Whether a call makes the `query` of a class, and is no field of that name of another kind of class."""
    return last_name(call) == "query_property"


def _given(call: ast.Call) -> Iterator[ast.expr]:
    for node in walk(call):
        if isinstance(node, ast.keyword) and node.arg in _KEYWORDS:
            yield node.value
