"""Names that grow from themselves in a loop: `query = query.filter(...)`.

What such a name is depends on itself. Its value before the loop is taken first; then every step of the loop is applied
to it until the turns agree. What the turns do not agree on is lost, as where branches meet.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from alchemod.inference.control.reaching import definitions
from alchemod.inference.scoping.bindings import Binding
from alchemod.inference.values import Answer, Place

if TYPE_CHECKING:
    from alchemod.inference.resolving.resolver import Resolver

_TURNS = 3
"""Turns after which a chain of calls adds nothing new: the entity known, another one, none."""


def grows_in_circle(binding: Binding, root: ast.Module) -> bool:
    """Whether `binding` is `name = name.step(...)` and the name read there may be its own result."""
    return binding in _sources(binding, root)


def grown(binding: Binding, root: ast.Module, place: Place, resolver: Resolver) -> Answer | None:
    """What a binding that grows in a circle gives."""
    sites = _sources(binding, root)
    circle = [site for site in sites if site in _sources(site, root)]
    starts = [site for site in sites if site not in circle]
    before = resolver.agreeing(resolver.bound(site, place) for site in starts)
    for _ in range(_TURNS):
        if before is None:
            return None
        turned = [_applied(site, before, place, resolver) for site in circle]
        before = resolver.agreeing([before, *turned])
    return _applied(binding, before, place, resolver) if before is not None else None


def _sources(binding: Binding, root: ast.Module) -> list[Binding]:
    """The bindings that the name read in `binding` may see, through those that grow from the same name too."""
    found: list[Binding] = []
    stack = [binding]
    while stack:
        read = _root_name(stack.pop())
        if read is None:
            continue
        for site in definitions(root, read).sites:
            if site not in found:
                found.append(site)
                stack.append(site)
    return found


def _root_name(binding: Binding) -> ast.Name | None:
    """The `name` at the root of the chain in `name = name.step(...)`."""
    node = binding.value
    if binding.kind != "assignment" or binding.position != () or not isinstance(node, ast.Call):
        return None
    while isinstance(node, ast.Call | ast.Attribute):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node if isinstance(node, ast.Name) and node.id == binding.name else None


def _applied(binding: Binding, before: Answer, place: Place, resolver: Resolver) -> Answer | None:
    """The value of the chain in `binding` when the name at its root is `before`."""
    links: list[ast.Call | ast.Attribute] = []
    node = binding.value
    while isinstance(node, ast.Call | ast.Attribute):
        links.append(node)
        node = node.func if isinstance(node, ast.Call) else node.value
    answer: Answer | None = before
    for link in reversed(links):
        answer = resolver.linked(answer, link, place) if answer is not None else None
    return answer
