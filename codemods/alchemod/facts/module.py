"""What one file says at module and class level: imports, bindings, classes, functions.

Facts keep the expressions they speak of (a `Column(...)` call, a base class), never whole function bodies, so that
the tree of a file can be dropped once its facts are taken.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True, eq=False)
class Import:
    """A name bound by an import: `module` is absolute; `name` is None for `import module`."""

    module: str
    name: str | None
    line: int


@dataclass(frozen=True, slots=True, eq=False)
class Assigned:
    """A name bound by an assignment; `value` is None for a bare annotation, `annotation` for a plain assignment."""

    value: ast.expr | None
    annotation: ast.expr | None
    line: int


@dataclass(frozen=True, slots=True, eq=False)
class Opaque:
    """A name bound in a way that is not followed: a loop, `with`, `del`, an augmented or unpacking assignment."""

    line: int


@dataclass(frozen=True, slots=True, eq=False)
class FunctionFacts:
    """The head of a function; its body is read from the tree when it is needed."""

    module: Module
    qualname: str
    arguments: ast.arguments
    returns: ast.expr | None
    decorators: Sequence[ast.expr]
    is_async: bool
    line: int
    column: int
    owner: ClassFacts | None = None

    @property
    def name(self) -> str:
        """The last part of the qualified name."""
        return self.qualname.rpartition(".")[2]


@dataclass(slots=True, eq=False)
class ClassFacts:
    """A class: its bases and the names its body binds (last binding wins)."""

    module: Module
    qualname: str
    bases: Sequence[ast.expr]
    keywords: Sequence[ast.keyword]
    decorators: Sequence[ast.expr]
    line: int
    column: int
    attributes: dict[str, Assigned] = field(default_factory=dict)
    methods: dict[str, FunctionFacts] = field(default_factory=dict)
    bodies: dict[str, FunctionNode] = field(default_factory=dict)
    """Bodies of the methods that declare attributes (declared_attr, hybrid, property), kept because they are short."""
    opaque: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        """The last part of the qualified name."""
        return self.qualname.rpartition(".")[2]


Binding = Import | Assigned | Opaque | FunctionFacts | ClassFacts


@dataclass(slots=True, eq=False)
class Module:
    """The facts of one file."""

    name: str
    path: Path
    is_package: bool
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    classes: dict[str, ClassFacts] = field(default_factory=dict)
    functions: dict[str, FunctionFacts] = field(default_factory=dict)
    added: dict[str, dict[str, Assigned]] = field(default_factory=dict)
    """Attributes set on a name from outside: `Base.query = ...` is `added["Base"]["query"]`."""

    def bind(self, name: str, binding: Binding) -> None:
        """Add a binding of a module-level name."""
        self.bindings.setdefault(name, []).append(binding)

    @property
    def exports(self) -> frozenset[str] | None:
        """The names of a literal `__all__`; None when there is none, or it is put together in another way."""
        match self.bindings.get("__all__"):
            case [Assigned(value=ast.List(elts=names) | ast.Tuple(elts=names))]:
                texts = [name.value for name in names if isinstance(name, ast.Constant) and isinstance(name.value, str)]
                return frozenset(texts) if len(texts) == len(names) else None
        return None

    @property
    def package(self) -> str:
        """The package that relative imports of this module start from."""
        return self.name if self.is_package else self.name.rpartition(".")[0]


DECLARING = frozenset({"declared_attr", "hybrid_property", "hybrid_method", "property", "cached_property"})
_COMPOUND = (
    ast.If,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.With,
    ast.AsyncWith,
    ast.Try,
    ast.TryStar,
    ast.Match,
)


def collect(tree: ast.Module, name: str, path: Path, source: bytes, *, is_package: bool) -> Module:
    """The facts of one parsed file.

    `source` is its text: what binds names from afar, `global` and `:=`, is searched for only where it occurs.
    """
    module = Module(name, path, is_package)
    functions = _Collector(module).collect_module(tree)
    if b":=" in source:
        for walrus in _walruses(tree):
            module.bind(walrus.target.id, Opaque(walrus.lineno))
    if b"global " in source:
        for function in functions:
            for bound, binding in _through_global(module, function):
                module.bind(bound, binding)
    return module


def absolute(module: Module, node: ast.ImportFrom) -> str:
    """The absolute module name that a `from ... import` statement names, `""` when it leaves the project."""
    if not node.level:
        return node.module or ""
    package = module.package.split(".") if module.package else []
    up = node.level - 1
    if up > len(package):
        return ""
    parts = package[: len(package) - up]
    return ".".join([*parts, node.module] if node.module else parts)


def imported(module: Module, node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, Import]]:
    """The names that an import statement binds, `*` excepted."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.asname:
                yield alias.asname, Import(alias.name, None, node.lineno)
            else:
                top = alias.name.partition(".")[0]
                yield top, Import(top, None, node.lineno)
        return
    source = absolute(module, node)
    for alias in node.names:
        if alias.name != "*":
            yield alias.asname or alias.name, Import(source, alias.name, node.lineno)


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


def suites(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    """The suites of a compound statement, in source order."""
    for name in ("body", "handlers", "orelse", "finalbody", "cases"):
        suite: list[ast.stmt] | list[ast.ExceptHandler] | list[ast.match_case] = getattr(statement, name, [])
        inner = [part.body for part in suite if isinstance(part, ast.ExceptHandler | ast.match_case)]
        yield from inner or [[part for part in suite if isinstance(part, ast.stmt)]]


class _Collector:
    """Walks the statements of a module and of its classes, never those of functions."""

    def __init__(self, module: Module) -> None:
        self.module = module

    def collect_module(self, tree: ast.Module) -> list[FunctionNode]:
        """Bind the names of the module; returns its functions and methods."""
        module = self.module
        functions: list[FunctionNode] = []
        for statement in _statements(tree.body):
            match statement:
                case ast.ImportFrom():
                    if statement.names[0].name == "*":
                        module.stars.append(absolute(module, statement))
                    for name, binding in imported(module, statement):
                        module.bind(name, binding)
                case ast.Import():
                    for name, binding in imported(module, statement):
                        module.bind(name, binding)
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    functions.append(statement)
                    module.bind(statement.name, self._function(statement, "", None))
                case ast.ClassDef():
                    module.bind(statement.name, self._class(statement, "", functions))
                case ast.Assign(targets=[ast.Attribute(value=ast.Name(id=owner), attr=name)], value=value):
                    module.added.setdefault(owner, {})[name] = Assigned(value, None, statement.lineno)
                case _:
                    for name, assigned in _assignments(statement):
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
            node.col_offset,
            owner,
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
        for statement in _statements(node.body):
            match statement:
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    functions.append(statement)
                    facts.methods[name] = self._function(statement, f"{qualname}.", facts)
                    if declares(statement.decorator_list):
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


def _statements(suite: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a suite and of the compound statements in it, in source order."""
    stack = list(reversed(suite))
    while stack:
        statement = stack.pop()
        yield statement
        if isinstance(statement, _COMPOUND):
            for inner in reversed(list(suites(statement))):
                stack.extend(reversed(inner))


def _through_global(module: Module, function: FunctionNode) -> Iterator[tuple[str, Binding]]:
    """The module-level names that a function, or one inside it, binds through `global`."""
    functions = [function]
    while functions:
        declared: set[str] = set()
        found: list[tuple[str, Binding]] = []
        for statement in _statements(functions.pop().body):
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
            stack.extend(ast.iter_child_nodes(node))


def declares(decorators: Sequence[ast.expr]) -> bool:
    """Whether a method is decorated in a way that makes it an attribute of its class."""
    return any(last_name(decorator) in DECLARING or _is_accessor(decorator) for decorator in decorators)


def _is_accessor(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Attribute) and decorator.attr in {"expression", "setter", "cascading"}


def last_name(node: ast.expr) -> str:
    """`c` for `a.b.c`, `a.b.c(...)` and `c`; `""` for anything else."""
    while isinstance(node, ast.Call):
        node = node.func
    match node:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


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
            if len(names) == len(parts) and not any(
                isinstance(part, ast.Starred) for part in (*names, *parts)
            ):
                pairs = [
                    (name.id, part)
                    for name, part in zip(names, parts, strict=True)
                    if isinstance(name, ast.Name)
                ]
                return pairs if len(pairs) == len(names) else None
    return None
