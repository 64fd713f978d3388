"""Patterns of LIKE that Python code puts together: the text in the middle, and the wildcards around it."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from typing import Literal

from alchemod.inference.area import Area
from alchemod.inference.control.reaching import definitions
from alchemod.inference.sql.origins import Origins
from alchemod.inference.sql.strings import Hole, SqlString, built
from alchemod.inference.values import Place

Shape = Literal["contains", "startswith", "endswith"]
LIKES = ("like", "ilike", "notlike", "not_like", "notilike", "not_ilike")
"""The methods of a column that take a pattern."""
_SHAPES: dict[tuple[str, str], Shape] = {("%", "%"): "contains", ("", "%"): "startswith", ("%", ""): "endswith"}


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern made of a text and wildcards at its ends. `missing` says why it is not seen as such."""

    text: ast.expr | None
    shape: Shape = "contains"
    missing: str = ""
    assignment: ast.Assign | None = None
    """What holds the pattern in a variable that nothing but `calls` reads."""
    calls: tuple[ast.Call, ...] = ()


class LikePatterns(Area):
    """What the patterns of LIKE are made of."""

    def of(self, node: ast.expr, place: Place) -> Pattern | None:
        """The pattern that an expression is; None when nobody outside the code decides about a part of it, or when
        its wildcards are looked after."""
        strings = built(node, place, self.inference.resolver)
        holes = [hole for string in strings for hole in string.holes]
        if not holes or all(self._is_harmless(hole, string) for string in strings for hole in string.holes):
            return None
        if len(strings) > 1 or not strings[0].is_whole:
            return Pattern(None, missing="the pattern is put together in several steps")
        variable = strings[0].variable
        if variable is not None:
            elsewhere = Pattern(None, missing=f"the pattern is built elsewhere and read from {variable.id}")
            return self._shared(variable, strings[0], place) or elsewhere
        return self._shaped(strings[0])

    def _shared(self, name: ast.Name, string: SqlString, place: Place) -> Pattern | None:
        """A pattern in a variable of the function that only calls of `like()` and its kin read, made of a text that
        is the same where they stand."""
        owner = place.scope.owner(name.id)
        root = place.scope.root.node
        if owner is None or not owner.is_function or not isinstance(root, ast.Module):
            return None
        single = definitions(root, name).single
        pattern = self._shaped(string)
        match pattern.text:
            case ast.Name(id=text) if len(owner.bindings.get(text, ())) == 1 and text not in owner.rebound_inside:
                pass
            case _:
                return None
        if single is None or not isinstance(single.node, ast.Assign) or len(single.node.targets) > 1:
            return None
        reads = [node for node in ast.walk(owner.node) if isinstance(node, ast.Name) and node.id == name.id]
        calls = [
            node
            for node in ast.walk(owner.node)
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in LIKES
            and not node.keywords
            and len(node.args) == 1
            and node.args[0] in reads
        ]
        if len(owner.bindings[name.id]) > 1 or len(calls) + 1 != len(reads):
            return None
        calls.sort(key=lambda call: (call.lineno, call.col_offset, call.end_lineno or 0, call.end_col_offset or 0))
        return replace(pattern, assignment=single.node, calls=tuple(calls))

    def _shaped(self, string: SqlString) -> Pattern:
        """The pattern that a whole string is."""
        match string.parts:
            case ["%", Hole() as hole, "%"]:
                ends = ("%", "%")
            case [Hole() as hole, "%"]:
                ends = ("", "%")
            case ["%", Hole() as hole]:
                ends = ("%", "")
            case _:
                return Pattern(None, missing="the pattern has more than wildcards at its ends")
        if not hole.is_plain:
            return Pattern(None, missing=f"{ast.unparse(hole.value)} is put in with a format of its own")
        return Pattern(hole.value, _SHAPES[ends])

    def _is_harmless(self, hole: Hole, string: SqlString) -> bool:
        """Whether a hole is filled by the code itself, by a number, or by a text whose wildcards are looked after."""
        origin = self.inference.ask(Origins).of(hole.value, string.place)
        return origin in {"constant", "number", "quoted"} or self._looks_after(hole.value, string.place)

    def _looks_after(self, node: ast.expr, place: Place) -> bool:
        """Whether wildcards are escaped or put in: `replace("*", "%")`, `escape_like(term)`."""
        if _replaces_wildcards(node):
            return True
        if not isinstance(node, ast.Name):
            return False
        root = place.scope.root.node
        assert isinstance(root, ast.Module)
        sites = definitions(root, node).sites if place.scope.owner(node.id) is not None else ()
        return any(site.value is not None and _replaces_wildcards(site.value) for site in sites)


def _replaces_wildcards(node: ast.expr) -> bool:
    for part in ast.walk(node):
        match part:
            case ast.Call(func=ast.Attribute(attr="replace" | "sub" | "translate"), args=arguments):
                texts = [str(one.value) for one in arguments if isinstance(one, ast.Constant)]
                if any(wildcard in text for text in texts for wildcard in "%_"):
                    return True
            case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)) if "escape" in name.lower():
                return True
    return False
