"""The verbs in which a rule proposes an edit, on nodes of the original :mod:`ast` tree.

New code is a text template. Its holes are filled by keyword arguments, or stand for themselves:

=================================  =================================================================
``{name}``                         a node of the original (with the edits inside it), a :class:`Code`,
                                   or a ``str`` that is an identifier, dotted or not
``{name!r}``                       a Python value, written as a literal
``{_}``                            the target of the verb itself
``{*body}``                        statements: the wrapped ones in :func:`block`, elsewhere a sequence of
                                   simple statements and :class:`Code`
``{sqlalchemy.orm.selectinload}``  a qualified name, imported or spelled as the file already spells it;
                                   its last part is the name, the rest the module
``{{``, ``}}``                     a brace
=================================  =================================================================

Parentheses around a filled hole and around the result are decided here by precedence; a template holds
only those that belong to its own code.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Holes: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Code:
    """Source text of one Python expression (or of statements, where statements stand), for a hole."""

    text: str


@dataclass(frozen=True, eq=False, slots=True)
class Rename:
    """See :func:`rename`."""

    node: ast.AST
    to: str


@dataclass(frozen=True, eq=False, slots=True)
class Swap:
    """See :func:`swap`."""

    node: ast.AST
    template: str
    holes: Holes
    drops_noqa: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, slots=True)
class Drop:
    """See :func:`drop`."""

    node: ast.AST


@dataclass(frozen=True, eq=False, slots=True)
class Spread:
    """See :func:`spread`."""

    node: ast.expr | ast.keyword
    of_call: bool = False
    """Whether the arguments of a call are meant."""

    @property
    def value(self) -> ast.expr:
        """What is opened."""
        return self.node.value if isinstance(self.node, ast.keyword) else self.node

    @property
    def elements(self) -> list[ast.expr] | None:
        """The elements of a list, tuple or set that is written out, or the arguments of a call; None for any other."""
        if self.of_call:
            return self.value.args if isinstance(self.value, ast.Call) else None
        return self.value.elts if isinstance(self.value, ast.List | ast.Tuple | ast.Set) else None


@dataclass(frozen=True, eq=False, slots=True)
class Dissolve:
    """See :func:`dissolve`."""

    node: ast.stmt


@dataclass(frozen=True, eq=False, slots=True)
class Block:
    """See :func:`block`."""

    node: ast.stmt
    last: ast.stmt
    header: str
    holes: Holes
    replaces: tuple[ast.stmt, ...] = ()


@dataclass(frozen=True, eq=False, slots=True)
class Insert:
    """See :func:`insert`."""

    node: ast.stmt
    after: bool
    template: str
    holes: Holes


@dataclass(frozen=True, eq=False, slots=True)
class Append:
    """See :func:`append`."""

    node: ast.ClassDef | ast.Module
    template: str
    holes: Holes


@dataclass(frozen=True, eq=False, slots=True)
class AddArgument:
    """See :func:`add_argument`."""

    node: ast.Call | ast.ClassDef
    template: str
    holes: Holes
    first: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class AddParameter:
    """See :func:`add_parameter`."""

    node: ast.FunctionDef | ast.AsyncFunctionDef
    name: str


@dataclass(frozen=True, eq=False, slots=True)
class SetParameters:
    """See :func:`set_parameters`."""

    node: ast.FunctionDef | ast.AsyncFunctionDef
    wanted: tuple[int | str, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Decorate:
    """See :func:`decorate`."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    template: str
    holes: Holes


@dataclass(frozen=True, eq=False, slots=True)
class Transform:
    """See :func:`transform`."""

    node: ast.AST
    transformer: Any
    promise: ast.AST
    holes: Holes = field(default_factory=dict)


@dataclass(frozen=True, eq=False, slots=True)
class Reimport:
    """See :func:`reimport`."""

    node: ast.alias
    old: tuple[str, str]
    module: str
    name: str
    local: str | None = None


Verb: TypeAlias = (
    Rename
    | Swap
    | Drop
    | Spread
    | Dissolve
    | Block
    | Insert
    | Append
    | AddArgument
    | AddParameter
    | SetParameters
    | Decorate
    | Transform
    | Reimport
)


def rename(node: ast.AST, to: str, /) -> Rename:
    """Give a name another spelling.

    ``node`` is an attribute (its last part changes), a name, a keyword argument, a parameter, an imported
    alias (what is imported changes, an ``as`` stays), a ``from`` import (its module changes), or the definition of a
    function or class.
    """
    return Rename(node, to)


def swap(node: ast.AST, template: str, /, *, drops_noqa: tuple[str, ...] = (), **holes: Any) -> Swap:
    """Put ``template`` in the place of an expression, an argument or a simple statement.

    An argument (``ast.keyword``, or an expression that stands as argument) may become any argument, a
    statement any number of statements. ``drops_noqa`` names the codes whose cause goes with the old code:
    they are taken out of a ``noqa`` comment on the lines of ``node``.
    """
    return Swap(node, template, holes, drops_noqa)


def drop(node: ast.AST, /) -> Drop:
    """Take away a statement, an argument, a decorator or an exception handler.

    Comments stay. A suite that loses its last statement keeps ``pass``; an emptied ``finally`` or ``else``
    goes, and a ``try`` that has neither handlers nor ``finally`` left is dissolved.
    """
    return Drop(node)


def spread(node: ast.expr | ast.keyword, /) -> Spread:
    """Make arguments of the elements of a value that stands as argument, positional or by keyword.

    A list, tuple or set that is written out loses its brackets, layout and comments stay; anything else gets a star.
    """
    return Spread(node)


def spread_call(node: ast.Call, /) -> Spread:
    """Make arguments of the arguments of a call that stands as argument: `f(and_(a, b))` becomes `f(a, b)`.

    The call has no arguments by keyword. Layout and comments stay.
    """
    return Spread(node, of_call=True)


def dissolve(node: ast.stmt, /) -> Dissolve:
    """Put the body of a compound statement without ``else`` in the place of the statement."""
    return Dissolve(node)


def block(
    first: ast.stmt, last: ast.stmt, header: str, /, *, replaces: tuple[ast.stmt, ...] = (), **holes: Any
) -> Block:
    r"""Make the statements from ``first`` to ``last``, of one suite, the body of ``header``.

    ``header`` is the first line of a compound statement, such as ``with {maker} as {name}:``; it may end in
    ``\n    {*body}``. Statements in ``replaces`` lie in the range, at any depth, and disappear into the header:
    what the holes take from them stays, with the edits inside it.
    """
    return Block(first, last, header.removesuffix("\n    {*body}"), holes, replaces)


def insert(template: str, /, *, before: ast.stmt | None = None, after: ast.stmt | None = None, **holes: Any) -> Insert:
    """Add statements before or after one. Before the first and after the last of a block means outside it.

    Comments directly above a statement belong to it: what is inserted before stands above them.
    Raises TypeError unless exactly one of ``before`` and ``after`` is given.
    """
    if before is not None and after is None:
        return Insert(before, False, template, holes)
    if after is not None and before is None:
        return Insert(after, True, template, holes)
    raise TypeError("insert() needs one of before= and after=")


def append(node: ast.ClassDef | ast.Module, template: str, /, **holes: Any) -> Append:
    """Add statements at the end of a class body or module. They take the place of a lone ``pass``."""
    return Append(node, template, holes)


def add_argument(node: ast.Call | ast.ClassDef, template: str, /, *, first: bool = False, **holes: Any) -> AddArgument:
    """Add an argument after the others, before ``**kwargs``; a trailing comma and the layout are kept.

    A positional one goes before keywords; ``first`` puts it before all others.
    """
    return AddArgument(node, template, holes, first)


def add_parameter(node: ast.FunctionDef | ast.AsyncFunctionDef, name: str, /) -> AddParameter:
    """Give a function one more parameter without a default, which calls give by name; ``**kwargs`` stays the last."""
    return AddParameter(node, name)


def set_parameters(node: ast.FunctionDef | ast.AsyncFunctionDef, /, *wanted: int | str) -> SetParameters:
    """Give a function these positional parameters, and no others.

    A number is one that the function has, counted from 0, with its annotation; a text is the name of a new one. The
    function has only positional parameters without defaults.
    """
    return SetParameters(node, wanted)


def decorate(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, template: str, /, **holes: Any) -> Decorate:
    """Add a decorator above the others. ``template`` is the expression, without ``@``."""
    return Decorate(node, template.removeprefix("@"), holes)


def reimport(node: ast.alias, statement: ast.ImportFrom, to: str, /, *, local: str | None = None) -> Reimport:
    """Import a name from elsewhere: what ``node`` takes in ``statement``, an import at the top level of a file.

    ``to`` is the qualified name to import instead, ``local`` what to call it here: by default its last part. It
    joins the import of its new module, if the file has one. Statements with comments are not taken apart.
    """
    module, _, name = to.rpartition(".")
    return Reimport(node, (statement.module or "", node.name), module, name, None if local == name else local)


def transform(node: ast.AST, transformer: Any, promise: ast.AST, /) -> Transform:
    """Run a ``libcst.CSTTransformer`` on an expression or simple statement: the escape hatch.

    ``promise`` is the tree that must come out, of the kind of ``node``. It is the author's word and is
    compared with the result; so such a fix can be safe only if the promise was made with care.
    """
    return Transform(node, transformer, promise)
