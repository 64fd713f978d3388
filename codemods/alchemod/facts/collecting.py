"""Takes the facts of a file from its tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

from alchemod.facts.handing import may_hand_on, note_handing
from alchemod.facts.module import (
    Assigned,
    Binding,
    ClassFacts,
    FunctionFacts,
    FunctionNode,
    Module,
    Opaque,
    absolute,
    imported,
    last_name,
)
from alchemod.facts.nodes import children, statements

_DECLARING = frozenset({"declared_attr", "hybrid_property", "hybrid_method", "property", "cached_property"})


def collect(tree: ast.Module, name: str, path: Path, source: bytes, *, is_package: bool) -> Module:
    """The facts of one parsed file.

    `source` is its text: what binds names from afar, `global` and `:=`, is searched for only where it occurs.
    """
    module = Module(name, path, is_package)
    functions = _Collector(module).collect_module(tree)
    if b":=" in source:
        for walrus in _walruses(tree):
            module.bind(walrus.target.id, Opaque(walrus.lineno))
    if may_hand_on(source):
        note_handing(module, functions)
    if b"global " in source:
        for function in functions:
            for bound, binding in _through_global(module, function):
                module.bind(bound, binding)
    return module


class _Collector:
    """Walks the statements of a module and of its classes, never those of functions."""

    def __init__(self, module: Module) -> None:
        self.module = module

    def collect_module(self, tree: ast.Module) -> list[FunctionNode]:
        """Bind the names of the module; returns its functions and methods."""
        module = self.module
        functions: list[FunctionNode] = []
        typing: set[ast.stmt] = set()
        hidden: dict[ast.stmt, frozenset[str]] = {}
        for statement in statements(tree.body):
            match statement:
                case ast.ImportFrom(names=[ast.alias(name="*")]):
                    module.stars.append(absolute(module, statement))
                case ast.ImportFrom() | ast.Import():
                    for name, binding in imported(module, statement, is_typing=statement in typing):
                        module.bind(name, binding)
                case ast.If(test=test, body=body, orelse=orelse) if last_name(test) == "TYPE_CHECKING":
                    typing.update(body)
                    hidden |= dict.fromkeys(body, frozenset(_defined(orelse)))
                case ast.ClassDef(name=name) if name in hidden.get(statement, ()):
                    pass
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    functions.append(statement)
                    module.bind(statement.name, self._function(statement, "", None))
                case ast.ClassDef():
                    module.bind(statement.name, self._class(statement, "", functions))
                case ast.Assign(targets=[ast.Attribute(value=ast.Name(id=owner), attr=name)], value=value):
                    module.added.setdefault(owner, {})[name] = Assigned(value, None, statement.lineno)
                case _:
                    for name, assigned in _assignments(statement):
                        if name not in hidden.get(statement, ()):  # the other branch is what runs
                            module.bind(name, assigned)
        return functions

    def _function(self, node: FunctionNode, prefix: str, owner: ClassFacts | None) -> FunctionFacts:
        facts = FunctionFacts(
            self.module,
            prefix + node.name,
            node.args,
            node.returns,
            node.decorator_list,
            isinstance(node, ast.AsyncFunctionDef),
            node.lineno,
            node.end_lineno or node.lineno,
            node.col_offset,
            owner,
            _base_maker(node),
        )
        self.module.functions[facts.qualname] = facts
        return facts

    def _class(self, node: ast.ClassDef, prefix: str, functions: list[FunctionNode]) -> ClassFacts:
        qualname = prefix + node.name
        facts = ClassFacts(
            self.module,
            qualname,
            node.bases,
            node.keywords,
            node.decorator_list,
            node.lineno,
            node.col_offset,
        )
        self.module.classes[qualname] = facts
        for statement in statements(node.body):
            match statement:
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    functions.append(statement)
                    if name in facts.methods and _extends(name, statement.decorator_list):
                        continue
                    facts.methods[name] = self._function(statement, f"{qualname}.", facts)
                    if _declares(statement.decorator_list):
                        facts.bodies[name] = statement
                case ast.ClassDef():
                    self._class(statement, f"{qualname}.", functions)
                case ast.Import() | ast.ImportFrom():
                    facts.opaque.update(name for name, _ in imported(self.module, statement))
                case _:
                    for name, binding in _assignments(statement):
                        if isinstance(binding, Assigned):
                            facts.attributes[name] = binding
                        else:
                            facts.opaque.add(name)
        return facts


def _through_global(module: Module, function: FunctionNode) -> Iterator[tuple[str, Binding]]:
    """The module-level names that a function, or one inside it, binds through `global`."""
    functions = [function]
    while functions:
        declared: set[str] = set()
        found: list[tuple[str, Binding]] = []
        for statement in statements(functions.pop().body):
            match statement:
                case ast.Global(names=names):
                    declared.update(names)
                case ast.Import() | ast.ImportFrom():
                    found.extend(imported(module, statement))
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    functions.append(statement)
                    found.append((statement.name, Opaque(statement.lineno)))
                case ast.ClassDef():
                    functions += [part for part in statement.body if isinstance(part, FunctionNode)]
                    found.append((statement.name, Opaque(statement.lineno)))
                case _:
                    found.extend(_assignments(statement))
        yield from ((name, binding) for name, binding in found if name in declared)


def _walruses(tree: ast.Module) -> Iterator[ast.NamedExpr]:
    """The assignment expressions that bind names of the module."""
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.NamedExpr):
            yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            stack.extend(children(node))


def _declares(decorators: Sequence[ast.expr]) -> bool:
    """Whether a method is decorated in a way that makes it an attribute of its class."""
    return any(last_name(decorator) in _DECLARING or _is_accessor(decorator) for decorator in decorators)


def _is_accessor(decorator: ast.expr) -> bool:
    accessors = {"expression", "setter", "cascading", "directive"}
    return isinstance(decorator, ast.Attribute) and decorator.attr in accessors


def _extends(name: str, decorators: Sequence[ast.expr]) -> bool:
    """Whether a method adds to the property of its name: `@name.setter`, `@name.inplace.expression`."""
    for decorator in decorators:
        root = decorator
        while isinstance(root, ast.Attribute):
            root = root.value
        if isinstance(decorator, ast.Attribute) and isinstance(root, ast.Name) and root.id == name:
            return True
    return False


def _defined(suite: list[ast.stmt]) -> Iterator[str]:
    """The names that the statements of a suite assign or define."""
    for statement in suite:
        if isinstance(statement, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield statement.name
        yield from (name for name, _ in _assignments(statement))


def _assignments(statement: ast.stmt) -> Iterator[tuple[str, Binding]]:
    match statement:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                if isinstance(target, ast.Name):
                    yield target.id, Assigned(value, None, statement.lineno)
                elif (pairs := _unpacked(target, value)) is not None:
                    for name, part in pairs:
                        yield name, Assigned(part, None, statement.lineno)
                else:
                    for name in bound_names(target):
                        yield name, Opaque(statement.lineno)
        case ast.AnnAssign(target=ast.Name(id=name), value=bound, annotation=annotation):
            yield name, Assigned(bound, annotation, statement.lineno)
        case ast.AugAssign(target=ast.Name(id=name)):
            yield name, Opaque(statement.lineno)
        case ast.For(target=target) | ast.AsyncFor(target=target):
            for name in bound_names(target):
                yield name, Opaque(statement.lineno)
        case ast.With(items=items) | ast.AsyncWith(items=items):
            for item in items:
                if item.optional_vars is not None:
                    for name in bound_names(item.optional_vars):
                        yield name, Opaque(statement.lineno)
        case ast.Delete(targets=targets):
            for target in targets:
                for name in bound_names(target):
                    yield name, Opaque(statement.lineno)
        case ast.Try(handlers=handlers) | ast.TryStar(handlers=handlers):
            for handler in handlers:
                if handler.name:
                    yield handler.name, Opaque(handler.lineno)


def _unpacked(target: ast.expr, value: ast.expr) -> list[tuple[str, ast.expr]] | None:
    """Pairs of name and value of `a, b = x, y`, None when the shapes do not fit."""
    match target, value:
        case ((ast.Tuple(elts=names) | ast.List(elts=names)), (ast.Tuple(elts=parts) | ast.List(elts=parts))):
            if len(names) == len(parts) and not any(isinstance(part, ast.Starred) for part in (*names, *parts)):
                pairs = [(name.id, part) for name, part in zip(names, parts, strict=True) if isinstance(name, ast.Name)]
                return pairs if len(pairs) == len(names) else None
    return None


def bound_names(target: ast.expr) -> Iterator[str]:
    """The names that an assignment target binds."""
    stack = [target]
    while stack:
        node = stack.pop()
        match node:
            case ast.Name(id=name):
                yield name
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                stack.extend(parts)
            case ast.Starred(value=part):
                stack.append(part)


def _base_maker(node: FunctionNode) -> ast.expr | None:
    """What makes the class that a function ends by returning: a call, or a class of its own."""
    match node.body[-1]:
        case ast.Return(value=ast.Call(func=maker)):
            return maker
        case ast.Return(value=ast.Name(id=name)):
            for statement in node.body:
                match statement:
                    case ast.ClassDef(name=own) if own == name:
                        return next(iter([*statement.decorator_list, *statement.bases]), None)
                    case ast.Assign(targets=[ast.Name(id=own)], value=ast.Call(func=maker)) if own == name:
                        return maker
    return None
