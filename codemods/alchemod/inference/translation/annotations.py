"""Annotations that say Query where a statement goes after the translation."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from alchemod.facts.module import last_name
from alchemod.inference.resolving.resolver import Resolver
from alchemod.inference.translation.changes import Change, Replaced, UntranslatedError
from alchemod.inference.translation.web import Web
from alchemod.inference.values import Answer, Outside, Place


def annotated_again(web: Web, resolver: Resolver) -> Iterator[Change]:
    """The changes of annotations: of variables, of parameters, of what functions return."""
    for annotation, place in _annotations(web):
        named = annotation.value if isinstance(annotation, ast.Subscript) else annotation
        if isinstance(annotation, ast.Constant):
            if "Query" in str(annotation.value):
                raise UntranslatedError(f"the annotation {annotation.value!r} cannot be changed")
        elif last_name(named) == "Query" and _is_query(named, place, resolver):
            yield Replaced(annotation, "{sqlalchemy.sql.Select}", place.module.path)


def _annotations(web: Web) -> Iterator[tuple[ast.expr, Place]]:
    for binding, place in web.bindings.items():
        if isinstance(binding.node, ast.AnnAssign | ast.arg) and binding.node.annotation is not None:
            yield binding.node.annotation, place
    for passage in web.passages:
        if passage.function.returns is not None and _returns_the_query(web, passage.function):
            yield passage.function.returns, passage.inside


def _returns_the_query(web: Web, function: ast.AST) -> bool:
    return any(
        isinstance(site.call, ast.Call) and _is_followed(web, site.call)
        for passage in web.passages
        if passage.function is function
        for site in passage.sites
    )


def _is_followed(web: Web, call: ast.Call) -> bool:
    """Whether what a call gives is part of the web: a step, a use or a variable takes it."""
    if any(step.method.value is call for step in web.steps) or any(use.receiver is call for use in web.uses):
        return True
    return any(binding.value is call for binding in web.bindings)


def _is_query(node: ast.expr, place: Place, resolver: Resolver) -> bool:
    match resolver.value(node, place):
        case None:
            return True  # by another way to the name; what stands there is a Query
        case Answer(value=Outside() as outside):
            return outside.canonical == "Query"
    return False
