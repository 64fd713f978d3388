"""How a string of SQL is built: its literal texts, and the holes that other values fill.

f-strings, `%`, `.format()` and `+` are read, through one variable too.
"""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, TypeAlias

from alchemod.facts.lookup import Variable
from alchemod.facts.module import Assigned
from alchemod.inference.control.reaching import definitions
from alchemod.inference.resolving.resolver import Resolver
from alchemod.inference.scoping.bindings import Binding
from alchemod.inference.values import Place

Style = Literal["constant", "f-string", "percent", "format", "concatenation"]


@dataclass(frozen=True, slots=True)
class Hole:
    """A value that is put into a string. `is_plain`: as `str()` gives it, without a conversion or format."""

    value: ast.expr
    is_plain: bool = True


Part: TypeAlias = str | Hole
_Piece: TypeAlias = tuple[str, str | int | None, bool]
"""Literal text with the placeholder after it: its key (`""` for the next one) and whether it is a plain one."""


@dataclass(frozen=True, slots=True)
class SqlString:
    """A string as its code builds it.

    `node`, which stands in `place`, is the expression that builds it. `variable` is the name that it was read from
    where it is used, None when it stands there itself. `is_whole` says that nothing is added to it on the way; then
    `parts` are all of it.
    """

    node: ast.expr
    place: Place
    parts: tuple[Part, ...]
    style: Style
    variable: ast.Name | None = None
    is_whole: bool = True

    @property
    def holes(self) -> list[Hole]:
        """What fills the gaps between the literal texts, in order."""
        return [part for part in self.parts if isinstance(part, Hole)]

    @property
    def constant(self) -> str | None:
        """The whole text, None when it has holes or something is added to it."""
        return "".join(str(part) for part in self.parts) if self.is_whole and not self.holes else None


def built(node: ast.expr, place: Place, resolver: Resolver) -> list[SqlString]:
    """The strings that an expression may be: one, or one for each statement that adds to its variable.

    Empty when the expression is no string that is seen being built.
    """
    if isinstance(node, ast.Name):
        return _of_variable(node, place, resolver)
    found = read(node, place, resolver)
    return [found] if found is not None else []


def constant_text(node: ast.expr, place: Place, resolver: Resolver) -> str | None:
    """The text of an expression that is a literal string, or a name that always stands for one."""
    match built(node, place, resolver):
        case [SqlString() as only]:
            return only.constant
    return None


def _of_variable(name: ast.Name, place: Place, resolver: Resolver) -> list[SqlString]:
    owner = place.scope.owner(name.id)
    if owner is None or owner.parent is None:
        found = _of_module_variable(name, place, resolver)
        if found is not None or owner is None:
            return [found] if found is not None else []
    root = place.scope.root.node
    assert isinstance(root, ast.Module)
    reaching = definitions(root, name)
    if reaching.owner is None or (reaching.captured and reaching.owner.parent is None):
        return []
    inside = Place(place.module, reaching.owner)
    single = reaching.single
    if single is not None and _is_plain_assignment(single):
        found = read(single.value, inside, resolver) if single.value is not None else None
        return [replace(found, variable=name)] if found is not None else []
    return [
        replace(found, variable=name, is_whole=False)
        for found in _fragments(_chain(reaching.sites, root), inside, resolver)
    ]


def _of_module_variable(name: ast.Name, place: Place, resolver: Resolver) -> SqlString | None:
    match resolver.project.lookup.name(place.module, name.id):
        case Variable(module=module, assigned=Assigned(value=ast.expr() as value), others=()):
            found = read(value, resolver.top_of(module), resolver)
            return replace(found, variable=name) if found is not None else None
    return None


def _chain(sites: frozenset[Binding], root: ast.Module) -> Iterator[Binding]:
    """The bindings of a variable that is built in steps: those that are seen, and those that they add to."""
    pending, met = sorted(sites, key=_line), set[Binding]()
    while pending:
        site = pending.pop(0)
        if site in met:
            continue
        met.add(site)
        yield site
        if isinstance(site.node, ast.AugAssign) and isinstance(site.node.target, ast.Name):
            pending.extend(sorted(definitions(root, site.node.target).sites, key=_line))


def _fragments(sites: Iterator[Binding], place: Place, resolver: Resolver) -> Iterator[SqlString]:
    for site in sites:
        if site.value is not None and (_is_plain_assignment(site) or site.kind == "augmented"):
            found = read(site.value, place, resolver)
            if found is not None:
                yield found


def _is_plain_assignment(binding: Binding) -> bool:
    return binding.kind in {"assignment", "annotation", "walrus"} and binding.position == ()


def _line(binding: Binding) -> int:
    return getattr(binding.node, "lineno", 0)


def read(node: ast.expr, place: Place, resolver: Resolver | None = None) -> SqlString | None:
    """The string that an expression builds itself, None when it is none.

    Without a resolver, the names of templates that are filled elsewhere are not followed.
    """
    match node:
        case ast.Constant(value=str(text)):
            return SqlString(node, place, (text,), "constant")
        case ast.JoinedStr():
            parts = tuple(_of_field(part) for part in node.values)
            style: Style = "f-string" if any(isinstance(part, Hole) for part in parts) else "constant"
            return SqlString(node, place, parts, style)
        case ast.BinOp(op=ast.Add()):
            return _concatenated(node, place, resolver)
        case ast.BinOp(left=template, op=ast.Mod(), right=right):
            given = partial(_operand, right)
            return _filled(SqlString(node, place, (), "percent"), template, _percent_pieces, given, resolver)
        case ast.Call(func=ast.Attribute(value=template, attr="format")):
            given = partial(_argument, node)
            return _filled(SqlString(node, place, (), "format"), template, _format_pieces, given, resolver)
        case (
            ast.Call(func=ast.Attribute(value=inner, attr="strip" | "lstrip" | "rstrip"), args=[], keywords=[])
            | ast.Call(func=ast.Name(id="dedent") | ast.Attribute(attr="dedent"), args=[inner], keywords=[])
        ):
            found = read(inner, place, resolver)
            return replace(found, node=node) if found is not None and found.style == "constant" else found
    return None


def _of_field(part: ast.expr) -> Part:
    match part:
        case ast.Constant(value=str(text)):
            return text
        case ast.FormattedValue(value=value, conversion=conversion, format_spec=spec):
            return Hole(value, conversion in {-1, ord("s")} and spec is None)
    return Hole(part, is_plain=False)


def _concatenated(node: ast.BinOp, place: Place, resolver: Resolver | None) -> SqlString | None:
    operands: list[ast.expr] = []
    current: ast.expr = node
    while isinstance(current, ast.BinOp) and isinstance(current.op, ast.Add):
        operands.insert(0, current.right)
        current = current.left
    operands.insert(0, current)
    parts: list[Part] = []
    is_string = False
    for operand in operands:
        found = read(operand, place, resolver)
        is_string = is_string or found is not None
        parts.extend(found.parts if found is not None else (_converted(operand),))
    style: Style = "concatenation" if any(isinstance(part, Hole) for part in parts) else "constant"
    return SqlString(node, place, tuple(parts), style) if is_string else None


def _converted(operand: ast.expr) -> Hole:
    """The hole of an operand: `str(x)` is a plain `x`."""
    match operand:
        case ast.Call(func=ast.Name(id="str"), args=[value], keywords=[]):
            return Hole(value)
    return Hole(operand)


_PERCENT = re.compile(r"%(?:\((?P<name>[^)]*)\))?(?P<flags>[-#0 +]*[\d.*]*)(?P<type>[a-zA-Z%])")


def _filled(
    string: SqlString,
    template: ast.expr,
    pieces_of: Callable[[str], Iterable[_Piece]],
    value_of: Callable[[str | int], ast.expr | None],
    resolver: Resolver | None,
) -> SqlString | None:
    """The string made of a template whose placeholders are filled; None when a value is not seen."""
    if isinstance(template, ast.Name):
        of_name = built(template, string.place, resolver) if resolver is not None else []
        found = of_name[0] if len(of_name) == 1 else None
    else:
        found = read(template, string.place, resolver)
    if found is None or not found.is_whole:
        return None
    parts: list[Part] = []
    position = 0
    for part in found.parts:
        if isinstance(part, Hole):
            parts.append(part)
            continue
        for text, key, is_plain in pieces_of(part):
            parts.append(text)
            if key is None:
                continue
            if key == "":
                key, position = position, position + 1
            value = value_of(key)
            if value is None:
                return None
            parts.append(Hole(value, is_plain))
    return replace(string, parts=tuple(part for part in parts if part != ""), variable=found.variable)


def _percent_pieces(text: str) -> Iterator[_Piece]:
    end = 0
    before = ""
    for match in _PERCENT.finditer(text):
        before += text[end : match.start()]
        end = match.end()
        if match["type"] == "%":
            before += "%"
            continue
        yield before, match["name"] or "", match["type"] in "sd" and not match["flags"]
        before = ""
    yield before + text[end:], None, True


def _format_pieces(text: str) -> Iterator[_Piece]:
    try:
        for literal, name, spec, conversion in string.Formatter().parse(text):
            if name is None:
                yield literal, None, True
            else:
                yield literal, int(name) if name.isdigit() else name, not spec and conversion in {None, "s"}
    except ValueError:
        yield text, None, True


def _operand(given: ast.expr, key: str | int) -> ast.expr | None:
    """The value that the right side of `%` gives a placeholder."""
    match given:
        case ast.Tuple(elts=parts) if isinstance(key, int):
            return _at(parts, key)
        case ast.Dict(keys=keys, values=values) if isinstance(key, str):
            pairs = zip(keys, values, strict=True)
            return next((value for name, value in pairs if isinstance(name, ast.Constant) and name.value == key), None)
        case ast.Tuple() | ast.Dict():
            return None
    return given if key == 0 else None


def _argument(given: ast.Call, key: str | int) -> ast.expr | None:
    """The argument of `.format()` for a placeholder; that of `{x.name}` is not followed."""
    if isinstance(key, int):
        return _at(given.args, key)
    return next((keyword.value for keyword in given.keywords if keyword.arg == key), None)


def _at(parts: Sequence[ast.expr], index: int) -> ast.expr | None:
    starred = any(isinstance(part, ast.Starred) for part in parts[: index + 1])
    return parts[index] if index < len(parts) and not starred else None
