"""setup.py, read as a syntax tree and never executed: literal lists, names bound to them, files it reads."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from alchemod.facts.dependencies.pyproject import Follow
from alchemod.facts.dependencies.reading import Reading
from alchemod.facts.dependencies.requirement import Kind, kind_of_group

_KEYS = {"install_requires": Kind.MAIN, "extras_require": Kind.EXTRA, "tests_require": Kind.DEVELOPMENT}
_MERGING = ("append", "extend", "insert", "update")


def read_setup_script(reading: Reading, path: Path, follow: Follow) -> None:
    """Add what setup.py requires, as far as literals tell; f-strings and computed texts are left out."""
    try:
        tree = ast.parse(reading.text(path))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None)
        reading.problem(path, line, "syntax", "cannot be parsed by this Python; its dependencies are ignored")
        return
    script = _Script(tree)
    for key, value in script.declared:
        for kind, expression in script.by_kind(key, value):
            for text, line in script.texts(expression):
                reading.add(text, kind, path, line)
            for file in script.files(expression):
                follow(path.parent / file, kind)


class _Script:
    """The bindings of a script: every value that each name gets anywhere in it."""

    def __init__(self, tree: ast.Module) -> None:
        self.declared: list[tuple[str, ast.expr]] = []
        self.bindings: dict[str, list[ast.expr]] = {}
        self.items: dict[str, list[tuple[str, ast.expr]]] = {}
        for node in ast.walk(tree):
            match node:
                case ast.Assign(targets=targets, value=value):
                    for target in targets:
                        self._bind(target, value)
                case (
                    ast.AnnAssign(target=target, value=ast.expr() as value) | ast.AugAssign(target=target, value=value)
                ):
                    self._bind(target, value)
                case ast.withitem(context_expr=value, optional_vars=ast.Name() as target):
                    self._bind(target, value)
                case ast.FunctionDef(name=name):
                    returned = [leaf.value for leaf in ast.walk(node) if isinstance(leaf, ast.Return) and leaf.value]
                    self.bindings.setdefault(name, []).extend(returned)
                case ast.Call(func=ast.Attribute(value=target, attr=attribute), args=[*_, value]) if (
                    attribute in _MERGING
                ):
                    self._bind(target, ast.List([value]) if attribute in ("append", "insert") else value)
                case ast.keyword(arg=str(key), value=value) if key in _KEYS:
                    self.declared.append((key, value))
                case ast.Dict(keys=keys, values=values):
                    for item, requirements in zip(keys, values, strict=True):
                        if isinstance(item, ast.Constant) and item.value in _KEYS:
                            self.declared.append((str(item.value), requirements))

    def _bind(self, target: ast.expr, value: ast.expr) -> None:
        match target:
            case ast.Name(id=name):
                self.bindings.setdefault(name, []).append(value)
            case ast.Subscript(slice=ast.Constant(value=str(key))) if key in _KEYS:
                self.declared.append((key, value))
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=str(key))):
                self.items.setdefault(name, []).append((key, value))

    def by_kind(self, key: str, value: ast.expr) -> Iterator[tuple[Kind, ast.expr]]:
        """Yield the expressions that hold requirements, with their kind; extras are split by their names."""
        if key != "extras_require":
            yield _KEYS[key], value
            return
        for expression in self._reached(value):
            if isinstance(expression, ast.Dict):
                for extra, requirements in zip(expression.keys, expression.values, strict=True):
                    name = extra.value if isinstance(extra, ast.Constant) and isinstance(extra.value, str) else ""
                    if extra is not None:
                        yield kind_of_group(name), requirements
            elif isinstance(expression, ast.Name):
                for name, requirements in self.items.get(expression.id, ()):
                    yield kind_of_group(name), requirements

    def texts(self, expression: ast.expr) -> Iterator[tuple[str, int]]:
        """Yield the texts of a list of requirements, with their lines."""
        for part in self._reached(expression):
            match part:
                case ast.Constant(value=str(text), lineno=line):
                    yield text, line
                case ast.BinOp(lineno=line):
                    joined = self._concatenated(part)
                    if joined is not None:
                        yield joined, line
                case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(text), lineno=line), attr=attribute)):
                    if attribute in ("split", "splitlines"):
                        yield from ((each, line + offset) for offset, each in enumerate(text.split("\n")))

    def files(self, expression: ast.expr) -> Iterator[str]:
        """Yield the names of text files given to calls in the expression: `open("requirements.txt")`."""
        for part in self._reached(expression, into_calls=True):
            if isinstance(part, ast.Call):
                texts = [arg.value for arg in part.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
                if isinstance(part.func, ast.Attribute) and part.func.attr in ("join", "joinpath"):
                    texts = ["/".join(texts)]
                yield from (text for text in texts if text.endswith((".txt", ".in")))

    def _reached(self, expression: ast.expr, into_calls: bool = False) -> Iterator[ast.expr]:
        """Yield the parts of an expression, through lists, additions, branches, names and own functions."""
        pending, seen = [expression], set[str]()
        while pending:
            part = pending.pop()
            yield part
            match part:
                case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts) | ast.BoolOp(values=parts):
                    pending += reversed(parts)
                case ast.Starred(value=inner):
                    pending.append(inner)
                case ast.BinOp(left=left, op=ast.Add(), right=right) if self._concatenated(part) is None:
                    pending += [right, left]
                case ast.IfExp(body=body, orelse=orelse):
                    pending += [orelse, body]
                case ast.ListComp(generators=generators) | ast.GeneratorExp(generators=generators):
                    pending += [generator.iter for generator in generators]
                case ast.Name(id=name) if name not in seen:
                    seen.add(name)
                    pending += reversed(self.bindings.get(name, []))
                case ast.Call(func=ast.Name(id=name) as function, args=args):
                    pending.append(function)
                    if into_calls or name in ("list", "sorted", "set", "tuple", "dict"):
                        pending += reversed(args)
                case ast.Call(func=ast.Attribute(value=inner), args=args) if into_calls:
                    pending += [*reversed(args), inner]

    def _concatenated(self, expression: ast.expr) -> str | None:
        """Return the text of constants, and names bound once to one, joined by `+`; None if it is no text."""
        texts: list[str] = []
        pending = [expression]
        while pending:
            match pending.pop():
                case ast.Constant(value=str(text)):
                    texts.append(text)
                case ast.BinOp(left=left, op=ast.Add(), right=right):
                    pending += [right, left]
                case ast.Name(id=name) if len(bound := self.bindings.get(name, [])) == 1:
                    if not isinstance(bound[0], ast.Constant):
                        return None
                    pending.append(bound[0])
                case _:
                    return None
        return "".join(texts)
