"""Templates: text with holes, filled with nodes of the original.

What can be written as text (identifiers, literals, qualified names) is put into the text before it is
parsed. Every other hole becomes a placeholder, a name that occurs nowhere else, and its value is put in
twice: into the :mod:`ast` tree that the edit promises and into the LibCST tree that is rendered.
"""

from __future__ import annotations

import ast
import keyword
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from string import Formatter
from typing import Any

from alchemod.edits.ancestry import Place, children
from alchemod.edits.refusal import Refusal
from alchemod.edits.verbs import Code, Holes

_PLACEHOLDER = "__alchemod_hole_{}__"


@dataclass(frozen=True, slots=True)
class Filled:
    """The text of a template, and the values that its placeholders stand for.

    A value is a node of the original, a :class:`Code`, or a tuple of them where statements stand.
    """

    text: str
    values: Mapping[str, Any]


@lru_cache(maxsize=1024)
def _fields(template: str) -> tuple[tuple[str, str | None, str | None], ...]:
    try:
        return tuple((text, name, conversion) for text, name, _, conversion in Formatter().parse(template))
    except ValueError as error:
        raise Refusal(f"the template {template!r} cannot be read: {error}") from None


def names_of(template: str) -> list[str]:
    """The names of the holes of a template, in order, without ``*`` and conversions."""
    return [name.removeprefix("*") for _, name, _ in _fields(template) if name is not None]


def nodes_of(template: str, holes: Holes, target: ast.AST) -> list[ast.AST]:
    """The nodes of the original that fill the holes of a template."""
    found: list[ast.AST] = []
    for name in names_of(template):
        value = target if name == "_" else holes.get(name)
        found += [item for item in _sequence(value) if isinstance(item, ast.AST)]
    return found


def fill(template: str, holes: Holes, target: ast.AST, *, spell: Callable[[str], str], quote: str = '"') -> Filled:
    """Fill a template. ``spell`` gives the code for a qualified name, ``quote`` opens string literals.

    Raises Refusal when a hole has no value or one that cannot stand in code.
    """
    text: list[str] = []
    values: dict[str, Any] = {}
    for before, name, conversion in _fields(template):
        text.append(before)
        if name is None:
            continue
        value = _value(name, holes, target)
        if conversion == "r":
            text.append(literal(value, quote))
        elif value is None:
            text.append(spell(name))
        elif isinstance(value, str):
            text.append(_identifier(name, value))
        else:
            placeholder = _PLACEHOLDER.format(len(values))
            values[placeholder] = value
            text.append(placeholder)
    return Filled("".join(text), values)


def _value(name: str, holes: Holes, target: ast.AST) -> Any:
    if name == "_":
        return target
    if name.startswith("*"):
        return tuple(_sequence(holes.get(name[1:], ())))
    if name in holes:
        return holes[name]
    if "." not in name:
        raise Refusal(f"the template has a hole {{{name}}} with no value")
    return None


def _sequence(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _identifier(name: str, value: str) -> str:
    if all(part.isidentifier() and not keyword.iskeyword(part) for part in value.split(".")):
        return value
    raise Refusal(f"the hole {{{name}}} was given {value!r}, which is no identifier")


def literal(value: Any, quote: str) -> str:
    """The source text of a value; its strings open with ``quote`` where that needs no escape."""
    text = repr(value)
    try:
        if ast.literal_eval(text) != value:
            raise ValueError
    except (ValueError, SyntaxError):
        raise Refusal(f"{value!r} cannot be written as a literal") from None
    plain = isinstance(value, str) and quote not in value and "\\" not in text and text[0] != quote
    return f"{quote}{text[1:-1]}{quote}" if plain else text


def placeholders(tree: ast.AST, filled: Filled) -> Iterator[tuple[str, list[Place]]]:
    """The placeholders in the parsed text of a template, each with the places that lead to it."""
    if isinstance(tree, ast.Name) and tree.id in filled.values:
        yield tree.id, []
    stack: list[tuple[ast.AST, list[Place]]] = [(tree, [])]
    while stack:
        node, places = stack.pop()
        for field, index, child in children(node):
            below = [*places, Place(node, field, index)]
            if isinstance(child, ast.Name) and child.id in filled.values:
                yield child.id, below
            else:
                stack.append((child, below))


def parse_expression(text: str) -> ast.expr:
    """The tree of an expression, as it reads between parentheses."""
    return _parsed(f"({text}\n)", text).body[0].value  # type: ignore[attr-defined,no-any-return]


def parse_arguments(text: str) -> ast.Call:
    """The tree of a call with these arguments."""
    return _parsed(f"_({text}\n)", text).body[0].value  # type: ignore[attr-defined,no-any-return]


def parse_statements(text: str) -> list[ast.stmt]:
    """The trees of statements."""
    return _parsed(text, text).body


def parse_header(text: str) -> ast.stmt:
    """The tree of a compound statement whose body is one ``pass``."""
    body = _parsed(f"{text}\n    pass", text).body
    if len(body) != 1 or not hasattr(body[0], "body"):
        raise Refusal(f"{text!r} is not the header of a compound statement")
    return body[0]


def value_tree(value: Code) -> ast.expr:
    """The tree of an expression given as code."""
    return parse_expression(value.text)


def _parsed(code: str, text: str) -> ast.Module:
    try:
        return ast.parse(code)
    except (SyntaxError, ValueError):
        raise Refusal(f"the template gives {text!r}, which is not Python") from None
