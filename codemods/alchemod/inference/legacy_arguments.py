"""Arguments of constructors that are methods since SQLAlchemy 1.4: `select([a], w)` is `select(a).where(w)`.

What the constructors did with each argument is in SQLAlchemy 1.4's `Select.create_legacy_select()` and in the
constructors of `Insert`, `Update`, `Delete` and `CompoundSelect`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from alchemod.inference.area import Area
from alchemod.inference.kinds import LIST, Kinds, KindsOf

Argument: TypeAlias = ast.expr | ast.keyword
"""A positional argument or a keyword with its value."""


@dataclass(frozen=True, slots=True)
class Named:
    """An argument of a call with the name of its parameter."""

    name: str
    value: ast.expr
    argument: Argument


@dataclass(frozen=True, slots=True)
class Link:
    """A method call that stands for an argument: a template with its holes, and the SQLAlchemy it needs."""

    template: str
    holes: Mapping[str, ast.expr] = field(default_factory=dict)
    since: str = "1.3"


@dataclass(slots=True)
class Translation:
    """The method calls that stand for some arguments, in the order of the arguments.

    `doubt` says what is not known, so that the translation may be wrong; `unclear` why there is none.
    """

    links: list[Link] = field(default_factory=list)
    doubt: str | None = None
    unclear: str | None = None

    @property
    def template(self) -> str:
        """The text of the calls, to stand behind `{_}`."""
        return "".join(link.template for link in self.links)

    @property
    def holes(self) -> dict[str, Any]:
        """What fills the holes of the template."""
        return {name: value for link in self.links for name, value in link.holes.items()}

    @property
    def since(self) -> str:
        """The lowest SQLAlchemy that has all the methods."""
        return max((link.since for link in self.links), default="1.3")


class UnclearError(Exception):
    """An argument whose meaning is not known; the text says what is not."""


def named(call: ast.Call, parameters: Sequence[str]) -> list[Named]:
    """The arguments of a call with the names of their parameters, in source order.

    Raises UnclearError for `*args`, `**kwargs` and for more arguments than there are parameters.
    """
    found: list[Named] = []
    for index, value in enumerate(call.args):
        if isinstance(value, ast.Starred):
            raise UnclearError(f"it is not known what *{ast.unparse(value.value)} holds")
        if index >= len(parameters):
            raise UnclearError(f"it is not known what argument {index + 1} stands for")
        found.append(Named(parameters[index], value, value))
    for keyword in call.keywords:
        if keyword.arg is None:
            raise UnclearError(f"it is not known what **{ast.unparse(keyword.value)} holds")
        found.append(Named(keyword.arg, keyword.value, keyword))
    return found


@dataclass(frozen=True, slots=True)
class _Asked:
    """One argument on its way to a link: its value, what kinds of thing that may be, and a prefix for holes."""

    name: str
    value: ast.expr
    kinds: Kinds | None
    hole: str

    @property
    def constant(self) -> object:
        """The value of a constant; the node itself for anything else."""
        return self.value.value if isinstance(self.value, ast.Constant) else self.value

    @property
    def code(self) -> str:
        """The value as text, for people."""
        return ast.unparse(self.value)

    def spread(self, method: str, since: str = "1.3") -> Link | None:
        """A call of `method` with the elements of a list; no call for an empty display."""
        if not isinstance(self.value, ast.List | ast.Tuple):
            return Link(f".{method}(*{{{self.hole}}})", {self.hole: self.value}, since)
        parts: list[str] = []
        holes: dict[str, ast.expr] = {}
        for index, element in enumerate(self.value.elts):
            hole = f"{self.hole}_{index}"
            is_starred = isinstance(element, ast.Starred)
            parts.append(f"{'*' if is_starred else ''}{{{hole}}}")
            holes[hole] = element.value if isinstance(element, ast.Starred) else element
        return Link(f".{method}({', '.join(parts)})", holes, since) if parts else None

    def single(self, method: str) -> Link:
        """A call of `method` with the value."""
        return Link(f".{method}({{{self.hole}}})", {self.hole: self.value})


Form: TypeAlias = Callable[[_Asked], Link | None]
"""What becomes of an argument: a method call, or nothing. Raises UnclearError."""


def one(method: str) -> Form:
    """The method takes the value as it is, None included."""
    return lambda asked: None if asked.constant is None else asked.single(method)


def optional(method: str) -> Form:
    """The method takes the value, but None is to be left out."""

    def form(asked: _Asked) -> Link | None:
        if asked.constant is None:
            return None
        if asked.kinds is not None and "none" in asked.kinds:
            raise UnclearError(f"{asked.code} may be None, and {method}() does not leave that out")
        return asked.single(method)

    return form


def each(method: str, *, takes_none: bool = False) -> Form:
    """The method takes the value, or the elements of a list. `takes_none`: None means the same to it as nothing."""

    def form(asked: _Asked) -> Link | None:
        if asked.constant is None:
            return None
        if asked.kinds == LIST:
            return asked.spread(method)
        kinds = asked.kinds
        if kinds is None or "list" in kinds or "dict" in kinds:
            raise UnclearError(f"it is not known whether {asked.code} is a list")
        if "none" in kinds and not takes_none:
            raise UnclearError(f"it is not known whether {asked.code} is None")
        return asked.single(method)

    return form


def listed(method: str) -> Form:
    """The method takes the elements of a list."""

    def form(asked: _Asked) -> Link | None:
        if asked.constant is None:
            return None
        if asked.kinds != LIST:
            raise UnclearError(f"it is not known whether {asked.code} is a list")
        return asked.spread(method)

    return form


def chosen(*choices: tuple[object, str], since: str = "1.3") -> Form:
    """The code for each constant; "" for one that means nothing."""

    def form(asked: _Asked) -> Link | None:
        for constant, code in choices:
            if asked.constant is constant or (isinstance(constant, str) and asked.constant == constant):
                return Link(code, since=since) if code else None
        raise UnclearError(f"it is not known what {asked.name}={asked.code} means")

    return form


def _distinct(asked: _Asked) -> Link | None:
    if asked.constant is True or (isinstance(asked.value, ast.List | ast.Tuple) and not asked.value.elts):
        return Link(".distinct()")
    if asked.constant is False:
        return None
    if asked.constant is None or asked.kinds is None or not asked.kinds <= {"list", "sql", "text"}:
        raise UnclearError(f"it is not known what distinct={asked.code} means")
    return each("distinct")(asked)


_LABELS = ".set_label_style({sqlalchemy.LABEL_STYLE_TABLENAME_PLUS_COL})"

SELECT: Mapping[str, Form] = {
    "whereclause": optional("where"),
    "from_obj": each("select_from"),
    "distinct": _distinct,
    "having": optional("having"),
    "correlate": chosen((True, ""), (False, ".correlate(None)")),
    "prefixes": listed("prefix_with"),
    "suffixes": listed("suffix_with"),
    "limit": one("limit"),
    "offset": one("offset"),
    "order_by": each("order_by", takes_none=True),
    "group_by": each("group_by", takes_none=True),
    "use_labels": chosen((True, _LABELS), (False, ""), since="1.4"),
    "for_update": chosen(
        (True, ".with_for_update()"),
        ("nowait", ".with_for_update(nowait=True)"),
        ("read", ".with_for_update(read=True)"),
        ("read_nowait", ".with_for_update(read=True, nowait=True)"),
        (False, ""),
        (None, ""),
    ),
}
"""The parameters of 1.x's `select()` besides the columns."""

SELECT_ORDER = ("whereclause", "from_obj", "distinct", "having", "correlate", "prefixes", "suffixes")
"""Those that may be given by position, in order."""


class LegacyArguments(Area):
    """Translates arguments of old constructors into method calls."""

    def translated(self, path: Path, arguments: Sequence[Named], forms: Mapping[str, Form]) -> Translation:
        """The method calls that stand for some arguments of a call in the current tree of `path`."""
        result = Translation()
        for index, (argument, form) in enumerate(_formed(arguments, forms)):
            if form is None:
                result.unclear = f"{argument.name}= has no method in its place"
                return result
            kinds = self.inference.ask(KindsOf).of(path, argument.value)
            try:
                link = form(_Asked(argument.name, argument.value, kinds, f"v{index}"))
            except UnclearError as error:
                result.unclear = str(error)
                return result
            if link is not None:
                result.links.append(link)
                if kinds is None and argument.name in _LEAVE_OUT_NONE:
                    result.doubt = f"{ast.unparse(argument.value)} may be None, which was left out so far"
        return result


_LEAVE_OUT_NONE = frozenset({"whereclause", "having"})


def _formed(arguments: Sequence[Named], forms: Mapping[str, Form]) -> Iterator[tuple[Named, Form | None]]:
    return ((argument, forms.get(argument.name)) for argument in arguments)
