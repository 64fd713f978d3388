"""What becomes of one argument of an old constructor: a call of the method that took its place, or nothing.

The methods take one thing, or several one by one; the old arguments were one thing or a list of them, and None was
left out.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from alchemod.inference.resolving.kinds import LIST, Kinds

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
    doubt: str | None = None
    """What is not known, so that the call may be wrong."""


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
class Asked:
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

    def single(self, method: str, since: str = "1.3") -> Link:
        """A call of `method` with the value."""
        return Link(f".{method}({{{self.hole}}})", {self.hole: self.value}, since)


Form: TypeAlias = Callable[[Asked], Link | None]
"""What becomes of an argument: a method call, or nothing. Raises UnclearError."""


def one(method: str) -> Form:
    """The method takes the value as it is, None included."""
    return lambda asked: None if asked.constant is None else asked.single(method)


def optional(method: str) -> Form:
    """The method takes the value, but None is to be left out."""

    def form(asked: Asked) -> Link | None:
        if asked.constant is None:
            return None
        if asked.kinds is not None and "none" in asked.kinds:
            raise UnclearError(f"{asked.code} may be None, and {method}() does not leave that out")
        return asked.single(method)

    return form


def each(method: str, *, takes_none: bool = False, is_rarely_list: bool = False, since: str = "1.3") -> Form:
    """The method takes the value, or the elements of a list. `takes_none`: None means the same to it as nothing.

    `is_rarely_list`: what is not known is taken for one value; a list would be refused with an error.
    """

    def form(asked: Asked) -> Link | None:
        if asked.constant is None:
            return None
        if asked.kinds == LIST:
            return asked.spread(method, since)
        kinds = asked.kinds
        if kinds is None and is_rarely_list:
            return replace(asked.single(method, since), doubt=f"it is not known whether {asked.code} is a list")
        if kinds is None or "list" in kinds or "dict" in kinds:
            raise UnclearError(f"it is not known whether {asked.code} is a list")
        if "none" in kinds and not takes_none:
            raise UnclearError(f"it is not known whether {asked.code} is None")
        return asked.single(method, since)

    return form


def flag(code: str, since: str = "1.3") -> Form:
    """The code for True; nothing for False and None."""
    return chosen((True, code), (False, ""), (None, ""), since=since)


def flag_or_list(method: str) -> Form:
    """A call without arguments for True, one with the elements of a list or with a single expression else."""

    def form(asked: Asked) -> Link | None:
        if asked.constant is True or (isinstance(asked.value, ast.List | ast.Tuple) and not asked.value.elts):
            return Link(f".{method}()")
        if asked.constant is False:
            return None
        if asked.constant is None or asked.kinds is None or not asked.kinds <= {"list", "sql", "text"}:
            raise UnclearError(f"it is not known what {asked.name}={asked.code} means")
        return each(method)(asked)

    return form


def listed(method: str, since: str = "1.3") -> Form:
    """The method takes the elements of a list."""

    def form(asked: Asked) -> Link | None:
        if asked.constant is None:
            return None
        if asked.kinds != LIST:
            raise UnclearError(f"it is not known whether {asked.code} is a list")
        return asked.spread(method, since)

    return form


def chosen(*choices: tuple[object, str], since: str = "1.3") -> Form:
    """The code for each constant; "" for one that means nothing."""

    def form(asked: Asked) -> Link | None:
        for constant, code in choices:
            if asked.constant is constant or (isinstance(constant, str) and asked.constant == constant):
                return Link(code, since=since) if code else None
        raise UnclearError(f"it is not known what {asked.name}={asked.code} means")

    return form
