"""Values in the place of the placeholders of a template, in its LibCST tree."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any

import libcst as cst

from alchemod.edits.ancestry import Place
from alchemod.edits.descent import step_path
from alchemod.edits.parentheses import fits, has_open_line_break, in_brackets, level, parenthesized
from alchemod.edits.paths import Path, follow, put_all
from alchemod.edits.refusal import Refusal
from alchemod.edits.spacing import has_comment
from alchemod.edits.templates import Filled, parse_arguments, parse_expression, placeholders


class Template:
    """A filled template as a LibCST tree, with the paths to its placeholders."""

    def __init__(self, code: Any, tree: ast.AST, filled: Filled) -> None:
        self.code = code
        self.filled = filled
        self.paths = [
            (_template_path(code, places), filled.values[name]) for name, places in placeholders(tree, filled)
        ]
        if len({name for name, _ in placeholders(tree, filled)}) < len(filled.values):
            raise Refusal("a hole stands where the template takes no expression")

    @classmethod
    def expression(cls, filled: Filled) -> Template:
        """The template of an expression."""
        tree = parse_expression(filled.text)
        code: Any = cst.parse_expression(f"({filled.text})")
        return cls(code.with_changes(lpar=code.lpar[1:], rpar=code.rpar[:-1]), tree, filled)

    @classmethod
    def arguments(cls, filled: Filled) -> Template:
        """The template of arguments, as a call that has them."""
        tree = parse_arguments(filled.text)
        return cls(cst.parse_expression(f"_({filled.text})"), tree, filled)

    def uses(self, value: Any) -> Iterator[Path]:
        """The paths to where a value goes."""
        return (path for path, found in self.paths if found is value)

    def with_values(self, node_for: Callable[[Any], Any], *, open_lines: bool) -> Any:
        """The tree with its values. ``open_lines`` says that they may span lines where they go."""
        edits: list[tuple[Path, Any]] = []
        for path, value in self.paths:
            node = node_for(value)
            if isinstance(node, cst.BaseExpression):
                if not (open_lines or in_brackets(self.code, path)) and has_open_line_break(node):
                    node = parenthesized(node)
                edits.append((path, fitted(self.code, path, node)))
            elif isinstance(node, cst.Arg) and path[-2:-1] and path[-2][0] == "args":
                edits.append((path[:-1], node.with_changes(comma=cst.MaybeSentinel.DEFAULT)))
            else:
                raise Refusal("a hole takes an expression, and was given something else")
        return put_all(self.code, edits) if edits else self.code


def fitted(root: Any, path: Path, new: Any) -> Any:
    """``new``, in parentheses if precedence asks for them at the end of the path."""
    if not isinstance(new, cst.BaseExpression) or not path:
        return new
    old, parent, name = follow(root, path), follow(root, path[:-1]), path[-1][0]
    if isinstance(parent, cst.Arg):
        new = _without_parentheses(new)
    if type(new) is type(old) and level(new) >= level(old):
        return new
    return new if fits(new, parent, name) else parenthesized(new)


def _without_parentheses(argument: Any) -> Any:
    """An argument without parentheses of its own: those of the call do. Comments next to them keep them."""
    if isinstance(argument, cst.Tuple | cst.GeneratorExp | cst.Yield | cst.NamedExpr):
        return argument
    spaces = [one.whitespace_after for one in argument.lpar] + [one.whitespace_before for one in argument.rpar]
    return argument if any(map(has_comment, spaces)) else argument.with_changes(lpar=(), rpar=())


def _template_path(code: Any, places: list[Place]) -> Path:
    path: Path = ()
    for place in places:
        path += step_path(place.parent, place.field, place.item, follow(code, path))
    return path
