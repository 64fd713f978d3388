"""The edits inside a statement or header, made in its LibCST tree.

Only the nodes on the way to an edit are copied. Inner edits come first: a hole takes the node as the edits
inside it have left it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from alchemod.edits import arguments, chains, enclosing, parameters
from alchemod.edits.ancestry import children
from alchemod.edits.descent import slot_path, step_path
from alchemod.edits.displays import opened, shift_of, starred
from alchemod.edits.filling import Template, fitted
from alchemod.edits.fstrings import check_fields
from alchemod.edits.parentheses import (
    Level,
    fits,
    has_open_line_break,
    has_parentheses,
    in_brackets,
    level,
    parenthesized,
)
from alchemod.edits.paths import Path, Step, follow, put_all
from alchemod.edits.plan import Plan
from alchemod.edits.refusal import Refusal
from alchemod.edits.segments import Unit, Units, line_indent
from alchemod.edits.spacing import has_comment
from alchemod.edits.templates import Filled
from alchemod.edits.verbs import AddArgument, AddParameter, Code, Drop, Rename, SetParameters, Spread, Swap, Transform


@dataclass(frozen=True, slots=True)
class Updated:
    """What has become of a node: a LibCST node, or a list of arguments in its place.

    ``dots`` lead to the dots of new links, when a chain was made longer at its end. ``space`` is what stood before a
    link that was taken off its end, with the comments of the link before.
    """

    node: Any
    dots: list[Path] = field(default_factory=list)
    space: Any = None


class Renderer:
    """Renders the units of one file with the edits of a plan. ``fill`` fills the template of a verb."""

    def __init__(self, units: Units, plan: Plan, fill: Callable[[Any], Filled]) -> None:
        self.units = units
        self.plan = plan
        self.ancestry = units.ancestry
        self._fill = fill
        self._under_way: set[int] = set()

    def text(self, unit: Unit, indent: str) -> str:
        """The text of a unit with its edits made, on lines with an indentation."""
        return unit.render(self.updated(unit.owner).node, indent)

    def updated(self, node: ast.AST) -> Updated:
        """The counterpart of a node with the edits inside it and on it."""
        if not self.plan.touches(node):
            return Updated(self.units.counterpart(node))
        if id(node) in self._under_way:
            raise Refusal("two edits each take the other's code")
        self._under_way.add(id(node))
        try:
            return self._edited(node)
        finally:
            self._under_way.discard(id(node))

    def value(self, value: Any) -> Any:
        """The LibCST node for what fills a hole."""
        if isinstance(value, Code):
            return cst.parse_expression(value.text)
        node = self.updated(value).node
        _check_own_node(value, node)
        return node

    def _edited(self, node: ast.AST) -> Updated:
        current = self._inside(node)
        for rename in self.plan.on(node, Rename):
            current = renamed(current, rename.to)
        for addition in self.plan.on(node, AddArgument):
            current = self._with_argument(current, addition)
        for parameter in self.plan.on(node, AddParameter):
            current = parameters.with_added(current, parameter.name)
        for change in self.plan.on(node, SetParameters):
            current = parameters.with_only(current, change.wanted)
        for transform in self.plan.on(node, Transform):
            current = current.visit(transform.transformer)
        for swap in self.plan.on(node, Swap):
            if not isinstance(node, ast.stmt):
                return self._swapped(node, current, swap)
        return Updated(current)

    def _inside(self, node: ast.AST) -> Any:
        """The counterpart of a node with the edits below it."""
        original = self.units.counterpart(node)
        dropped: list[Step] = []
        opening: list[tuple[Path, Spread]] = []
        changed: list[tuple[Path, ast.AST]] = []
        for name, index, child in children(node):
            if not self.plan.touches(child) or _is_unit(child, name):
                continue
            find = slot_path if self.plan.changes_argument(child) else step_path
            path = find(node, name, index, original)
            if self.plan.on(child, Drop):
                dropped.append(_argument_step(path))
            elif spreads := self.plan.on(child, Spread):
                opening.append((slot_path(node, name, index, original), spreads[0]))
            else:
                changed.append((path, child))
        current = original
        for step in sorted(dropped, key=lambda step: step[1] or 0, reverse=True):
            current = arguments.without(current, step)
        edits = [edit for path, child in changed for edit in self._child_edits(current, _moved(path, dropped), child)]
        current = put_all(current, edits)
        for path, verb in sorted(opening, key=lambda one: one[0][0][1] or 0, reverse=True):
            current = self._opened(current, _moved(path, dropped), verb)
        if isinstance(node, ast.JoinedStr):
            check_fields(current, original)
        return current

    def _opened(self, call: Any, path: Path, verb: Spread) -> Any:
        """A call with the elements of a display in the place of an argument."""
        step = _argument_step(path)
        if not isinstance(call, cst.Call) or step[1] is None:
            raise Refusal("only an argument of a call can be opened")
        value = self._inside(verb.value) if verb.value is verb.node else self.updated(verb.value).node
        if verb.elements is None:
            return starred(call, step[1], value)
        return opened(call, step[1], value, shift_of(verb))

    def _child_edits(self, parent: Any, path: Path, child: ast.AST) -> list[tuple[Path, Any]]:
        new = self.updated(child)
        if isinstance(new.node, list):
            return [(path, arguments.spread(follow(parent, path), new.node))]
        expression = new.node
        edits: list[tuple[Path, Any]] = []
        if new.dots and isinstance(parent, cst.Attribute):
            expression, edits = chains.before_next_dot(parent, expression, new.dots)
        if new.space is not None and isinstance(parent, cst.Attribute):
            edits = chains.without_link(parent, new.space)
        if self.plan.on(child, Swap) and not has_parentheses(expression) and self._touches_a_word(child):
            expression = parenthesized(expression)
        return [(path, fitted(parent, path, expression)), *edits]

    def _swapped(self, node: ast.AST, own: Any, swap: Swap) -> Updated:
        _check_own_node(node, own)
        filled = self._fill(swap)
        if self.plan.changes_argument(node):
            call = Template.arguments(filled).with_values(
                lambda value: own if value is node else self.value(value), open_lines=True
            )
            return Updated(list(call.args))
        if not isinstance(own, cst.BaseExpression):
            raise Refusal("only an expression, an argument or a simple statement can be swapped")
        return self._around(node, own, Template.expression(filled))

    def _around(self, node: ast.AST, own: Any, template: Template) -> Updated:
        """The template with the target in it. Its parentheses go to the result, unless it needs them there."""
        link = _link(node, own)
        values: dict[int, Any] = {id(node): own, **({id(link.start): link.beginning} if link is not None else {})}

        def value_of(value: Any) -> Any:
            if id(value) not in values:
                values[id(value)] = self.value(value)
            return values[id(value)]

        argument = enclosing.argument_of_lines(template, value_of)
        if argument is not None and not self._is_in_f_string(node):
            return self._enclosed(node, own, template, argument, values, value_of)
        uses = list(template.uses(node))
        bare = _bare(own)
        lpar, rpar, space = (), (), None
        if all(path and fits(bare, follow(template.code, path[:-1]), path[-1][0]) for path in uses):
            values[id(node)] = bare
            if not (uses and all(in_brackets(template.code, path) for path in uses) and _is_plain(own)):
                syntax = max(len(bare.lpar), not uses and _owns_a_pair(own))
                lpar, rpar = own.lpar[: len(own.lpar) - syntax], own.rpar[syntax:]
        code = template.with_values(value_of, open_lines=True)
        if not uses:
            code, space = self._instead(code, template, link)
            if _is_layout_only(own) and not has_open_line_break(code) and level(code) is Level.PRIMARY:
                lpar, rpar = (), ()
        code = code.with_changes(lpar=(*lpar, *code.lpar), rpar=(*code.rpar, *rpar))
        dots = chains.links(code, uses[0]) if len(uses) == 1 else []
        if dots:
            code = chains.at_the_end(code, bare, dots)
        if not code.lpar and has_open_line_break(code) and not self._stands_in_brackets(node):
            opening = chains.first_break(code)
            code = parenthesized(code) if opening is None else self._lines(node).around(code, opening)
        return Updated(code, dots, space)

    def _instead(self, code: Any, template: Template, link: _Link | None) -> tuple[Any, Any]:
        """The code with what stands instead of a link laid out as it was, and the space of one that was taken off."""
        starts = list(template.uses(link.start)) if link is not None else []
        if link is None or len(starts) != 1:
            return code, None
        if not starts[0]:
            return code, link.space
        dots = chains.links(code, starts[0])
        return (chains.instead_of_link(code, dots, link.space) if dots else code), None

    def _enclosed(
        self,
        node: ast.AST,
        own: Any,
        template: Template,
        argument: enclosing.Argument,
        values: dict[int, Any],
        value_of: Callable[[Any], Any],
    ) -> Updated:
        """The template with code of several lines as the only argument of its call."""
        if argument.beyond:
            values[id(node)] = _bare(own)
        code = template.with_values(value_of, open_lines=True)
        is_own = follow(code, argument.path) is own
        code, is_taken = enclosing.enclosed(code, argument, own, self._lines(node))
        lpar, rpar = ((), ()) if is_own else (own.lpar, own.rpar)
        if is_taken:
            lpar, rpar = lpar[:-1], rpar[1:]
        return Updated(code.with_changes(lpar=(*lpar, *code.lpar), rpar=(*code.rpar, *rpar)))

    def _lines(self, node: ast.AST) -> enclosing.Lines:
        """Where lines begin that go with the line on which a node begins."""
        block = self.units.holding(node).frame.indent
        indent = line_indent(self.units.source, self.units.source.span(node)[0])
        return enclosing.Lines.at(indent.removeprefix(block), "\t" if "\t" in indent else "    ")

    def _with_argument(self, current: Any, addition: AddArgument) -> Any:
        call = Template.arguments(self._fill(addition)).with_values(self.value, open_lines=True)
        for new in call.args:
            current = arguments.with_added(current, new, first=addition.first)
        return current

    def _stands_in_brackets(self, node: ast.AST) -> bool:
        unit, path = self.units.holding(node), self.units.path(node)
        return isinstance(unit.owner, ast.expr) or in_brackets(unit.tree, path)

    def _touches_a_word(self, node: ast.AST) -> bool:
        """Whether the node stands without a blank next to a keyword or number, as in ``return[1]``."""
        if isinstance(node, ast.GeneratorExp) or self._is_in_f_string(node):
            return False
        source = self.units.source
        start, end = source.span(node)
        around = source.utf8[max(start - 1, 0) : start] + source.utf8[end : end + 1]
        return any(chr(byte).isalnum() or byte == ord("_") for byte in around)

    def _is_in_f_string(self, node: ast.AST) -> bool:
        """Whether the node stands in an f-string, where positions cannot be relied on before Python 3.12."""
        return any(isinstance(ancestor, ast.JoinedStr) for ancestor in self.ancestry.ancestors(node))


def renamed(node: Any, to: str) -> Any:
    """A LibCST node with its name spelled otherwise. Raises Refusal when it has none."""
    match node:
        case cst.Name():
            return node.with_changes(value=to)
        case cst.Attribute():
            return node.with_changes(attr=node.attr.with_changes(value=to))
        case cst.Arg(keyword=cst.Name() as keyword):
            return node.with_changes(keyword=keyword.with_changes(value=to))
        case cst.ImportAlias():
            return node.with_changes(name=cst.parse_expression(to))
        case cst.ImportFrom() if not node.relative:
            return node.with_changes(module=cst.parse_expression(to))
        case cst.Param() | cst.FunctionDef() | cst.ClassDef():
            return node.with_changes(name=node.name.with_changes(value=to))
        case _:
            raise Refusal("there is no name to change")


@dataclass(frozen=True, slots=True)
class _Link:
    """A link of a chain: what its method is called on, as it was and as it is now, and the space before its dot."""

    start: ast.expr
    beginning: Any
    space: Any


def _link(node: ast.AST, own: Any) -> _Link | None:
    """The link that a node is, or that its only argument is; None when neither is a call of a method."""
    match node, own:
        case ast.Call(func=ast.Attribute(value=start)), cst.Call(func=cst.Attribute(value=beginning, dot=dot)):
            return _Link(start, beginning, dot.whitespace_before)
        case ast.Call(func=ast.Name(), args=[ast.Call() as call], keywords=[]), cst.Call(args=[cst.Arg(value=inner)]):
            return _link(call, inner)
    return None


def _is_unit(child: ast.AST, name: str) -> bool:
    return name == "decorator_list" or isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case)


def _argument_step(path: Path) -> Step:
    if path[0][0] not in ("args", "bases", "keywords"):
        raise Refusal("only a statement, an argument, a decorator or a handler can be dropped")
    return path[0]


def _moved(path: Path, dropped: list[Step]) -> Path:
    """A path among the arguments, when some before have been dropped."""
    if not dropped or not path or path[0][1] is None:
        return path
    name, index = path[0]
    before = sum(1 for gone, at in dropped if gone == name and at is not None and at < path[0][1])
    return ((name, index - before), *path[1:])  # type: ignore[operator]


def _check_own_node(node: ast.AST, counterpart: Any) -> None:
    if isinstance(node, ast.Tuple) and isinstance(counterpart, cst.Subscript):
        raise Refusal("a tuple without parentheses between square brackets cannot be taken as a whole")


def _bare(expression: Any) -> Any:
    """The expression without its parentheses, if it can be."""
    if isinstance(expression, cst.Tuple) and not expression.elements:
        return expression.with_changes(lpar=expression.lpar[-1:], rpar=expression.rpar[:1])
    return expression.with_changes(lpar=(), rpar=())


def _owns_a_pair(expression: Any) -> bool:
    """Whether the innermost parentheses are part of the expression itself."""
    return isinstance(expression, cst.Tuple | cst.GeneratorExp) and bool(expression.lpar)


def _is_layout_only(expression: Any) -> bool:
    """Whether the parentheses of an expression are there to let it span lines, and hold no comment of their own."""
    if len(expression.lpar) != 1 or not has_open_line_break(_bare(expression)):
        return False
    return not (has_comment(expression.lpar[0].whitespace_after) or has_comment(expression.rpar[0].whitespace_before))


def _is_plain(expression: Any) -> bool:
    """Whether the parentheses of an expression hold neither line breaks nor comments next to them."""
    spaces = [*(paren.whitespace_after for paren in expression.lpar)]
    spaces += [paren.whitespace_before for paren in expression.rpar]
    return all(isinstance(space, cst.SimpleWhitespace) for space in spaces) and not has_open_line_break(
        _bare(expression)
    )
