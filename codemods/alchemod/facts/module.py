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


@dataclass(slots=True, eq=False)
class Import:
    """A name bound by an import: `module` is absolute; `name` is None for `import module`."""

    module: str
    name: str | None
    line: int
    is_typing: bool = False
    """Whether it stands under `if TYPE_CHECKING:`, so that the name does not exist at run time."""


@dataclass(slots=True, eq=False)
class Assigned:
    """A name bound by an assignment; `value` is None for a bare annotation, `annotation` for a plain assignment."""

    value: ast.expr | None
    annotation: ast.expr | None
    line: int


@dataclass(slots=True, eq=False)
class Opaque:
    """A name bound in a way that is not followed: a loop, `with`, `del`, an augmented or unpacking assignment."""

    line: int


@dataclass(slots=True, eq=False)
class FunctionFacts:
    """The head of a function; its body is read from the tree when it is needed."""

    module: Module
    qualname: str
    arguments: ast.arguments
    returns: ast.expr | None
    decorators: Sequence[ast.expr]
    is_async: bool
    line: int
    end_line: int
    column: int
    owner: ClassFacts | None = None
    makes_base: ast.expr | None = None
    """What makes the declarative base that the function returns: `declarative_base`, `as_declarative`, a base class."""

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


@dataclass(slots=True, eq=False, weakref_slot=True)
class Module:
    """The facts of one file."""

    name: str
    path: Path
    is_package: bool
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    opaque: set[str] = field(default_factory=set)
    """The names that statements bind in a way that is not followed."""
    stars: list[str] = field(default_factory=list)
    classes: dict[str, ClassFacts] = field(default_factory=dict)
    functions: dict[str, FunctionFacts] = field(default_factory=dict)
    held: dict[str, set[str]] = field(default_factory=dict)
    """What local variables, parameters and attributes may hold: last names of the calls and annotations they get."""
    handed: dict[str, set[str]] = field(default_factory=dict)
    """What functions may return or yield: the last names of calls, by the name of the function."""
    added: dict[str, dict[str, Assigned]] = field(default_factory=dict)
    """Attributes set on a name from outside: `Base.query = ...` is `added["Base"]["query"]`."""

    def bind(self, name: str, binding: Binding) -> None:
        """Add a binding of a module-level name."""
        self.bindings.setdefault(name, []).append(binding)
        if isinstance(binding, Opaque):
            self.opaque.add(name)

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


def imported(
    module: Module, node: ast.Import | ast.ImportFrom, *, is_typing: bool = False
) -> Iterator[tuple[str, Import]]:
    """The names that an import statement binds, `*` excepted."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.asname:
                yield alias.asname, Import(alias.name, None, node.lineno, is_typing)
            else:
                top = alias.name.partition(".")[0]
                yield top, Import(top, None, node.lineno, is_typing)
        return
    source = absolute(module, node)
    for alias in node.names:
        if alias.name != "*":
            yield alias.asname or alias.name, Import(source, alias.name, node.lineno, is_typing)


def last_name(node: ast.expr) -> str:
    """`c` for `a.b.c`, `a.b.c(...)` and `c`; `""` for anything else."""
    while isinstance(node, ast.Call):
        node = node.func
    match node:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""
