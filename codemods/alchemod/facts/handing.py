"""Which calls the names inside functions hold, and which the functions hand on to who calls them.

Only names are kept, `a.c` for `a.b.c(...)`: they tell where a session may be opened, not that it is.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from alchemod.facts.module import FunctionNode, Module, last_name
from alchemod.facts.nodes import statements

_SPEAKING = (b"ession", b"maker")
_FACTORY = re.compile(r"(?i)maker|session_?(?:factory|local|class|cls)|^Session$")
"""Parameters of such a name may hold what makes sessions."""


def may_hand_on(source: bytes) -> bool:
    """Whether a file speaks of sessions at all."""
    return any(token in source for token in _SPEAKING)


def note_handing(module: Module, functions: Iterable[FunctionNode]) -> None:
    """Fill `held` and `handed` of a module from its functions and methods and the functions inside them."""
    pending = list(functions)
    while pending:
        function = pending.pop()
        _note_annotations(module, function.args)
        handed: set[str] = set()
        names: set[str] = set()
        held: dict[str, set[str]] = {}
        for statement in statements(function.body):
            match statement:
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    pending.append(statement)
                case ast.Assign(targets=targets, value=value):
                    for target in targets:
                        _hold(held, target, value)
                case ast.AnnAssign(target=target, value=ast.expr() as value):
                    _hold(held, target, value)
                case ast.Return(value=value) | ast.Expr(value=ast.Yield(value=value)) if value is not None:
                    _hand(value, handed, names)
                case ast.With(items=items) | ast.AsyncWith(items=items):
                    for item in items:
                        if item.optional_vars is not None:
                            _hold(held, item.optional_vars, item.context_expr)
        handed.update(*(held.get(name, ()) for name in names))
        if handed:
            module.handed.setdefault(function.name, set()).update(handed)
        for name, calls in held.items():
            module.held.setdefault(name, set()).update(calls)


def _note_annotations(module: Module, arguments: ast.arguments) -> None:
    for parameter in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
        annotation = parameter.annotation
        if isinstance(annotation, ast.Subscript):
            annotation = annotation.value
        if annotation is not None and (name := ends_of(annotation)):
            module.held.setdefault(parameter.arg, set()).add(name)
        elif annotation is None and _FACTORY.search(parameter.arg):
            module.held.setdefault(parameter.arg, set()).add("sessionmaker")


def _hold(held: dict[str, set[str]], target: ast.expr, value: ast.expr) -> None:
    name, call = last_name(target), _called(value)
    if name and call:
        held.setdefault(name, set()).add(call)


def _hand(value: ast.expr, handed: set[str], names: set[str]) -> None:
    if call := _called(value):
        handed.add(call)
    elif isinstance(value, ast.Name):
        names.add(value.id)
    if isinstance(value, ast.Name | ast.Attribute) and (chain := ends_of(value)):
        handed.add(chain)


def _called(value: ast.expr) -> str:
    if isinstance(value, ast.Await):
        value = value.value
    return ends_of(value) if isinstance(value, ast.Call) else ""


def ends_of(node: ast.expr) -> str:
    """The first and last name of a chain, `a.c` for `a.b.c(...)()`, `c` for a name; `""` for anything else."""
    name = last_name(node)
    root = node
    while isinstance(root, ast.Attribute | ast.Call):
        root = root.func if isinstance(root, ast.Call) else root.value
    first = root.id if isinstance(root, ast.Name) else ""
    return name if first == name or not name else f"{first}.{name}"
