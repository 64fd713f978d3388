"""What a name of a module stands for, followed through imports, aliases and re-exports.

The answer is a definition of the project (module, class, function, assigned expression) or the dotted name of
something outside it. Names with several bindings that disagree have no answer.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from alchemod.facts.exports import STARS
from alchemod.facts.layout import Layout
from alchemod.facts.module import Assigned, Binding, ClassFacts, FunctionFacts, Import, Module
from alchemod.facts.recall import Recall
from alchemod.facts.vocabulary import FLASK, KNOWN_LIBRARIES, canonical, flask_attribute


@dataclass(frozen=True, slots=True)
class External:
    """Something outside the project, by its dotted name."""

    name: str

    @property
    def canonical(self) -> str | None:
        """SQLAlchemy's short name for it, None when it is of another library."""
        return canonical(self.name)


@dataclass(frozen=True, slots=True)
class Variable:
    """A module-level variable of the project and what is assigned to it, in one place or in several."""

    module: Module
    name: str
    assigned: Assigned
    others: tuple[Assigned, ...] = ()


Definition = Module | ClassFacts | FunctionFacts | Variable | External
_MAX_HOPS = 60
"""Imports followed for one name."""


class Lookup:
    """Resolves names in the facts of a project. `module_at` gives the facts of a file, None for one not read."""

    def __init__(self, layout: Layout, module_at: Callable[[Path], Module | None]) -> None:
        self._layout = layout
        self._module_at = module_at
        self._recall: Recall[Definition] = Recall()
        self._namespaces: dict[Path, Module] = {}
        self._databases: dict[tuple[Module, str], bool] = {}

    def name(self, module: Module, name: str) -> Definition | None:
        """What the module-level name `name` of `module` stands for."""
        if self._recall.depth > _MAX_HOPS:
            self._recall.cut()
            return None
        return self._recall.ask((module, name), lambda: self._name(module, name))

    def expression(self, module: Module, expression: ast.expr) -> Definition | None:
        """What a dotted name such as `sa.orm.Session` stands for at module level; None for any other expression."""
        parts: list[str] = []
        while isinstance(expression, ast.Attribute):
            parts.append(expression.attr)
            expression = expression.value
        if not isinstance(expression, ast.Name):
            return None
        found = self.name(module, expression.id)
        for part in reversed(parts):
            if found is None:
                return None
            found = self.attribute(found, part)
        return found

    def base(self, module: Module, expression: ast.expr) -> Definition | None:
        """What an expression among the bases of a class stands for: `Repository[User]` is `Repository`."""
        return self.expression(module, expression.value if isinstance(expression, ast.Subscript) else expression)

    def attribute(self, owner: Definition, name: str) -> Definition | None:
        """What attribute `name` of a definition stands for, as far as module-level facts tell."""
        match owner:
            case External(name=dotted):
                return External(f"{dotted}.{name}")
            case Module():
                return self.name(owner, name)
            case ClassFacts():
                if (inner := owner.module.classes.get(f"{owner.qualname}.{name}")) is not None:
                    return inner
                return owner.methods.get(name)
            case Variable() if self.is_flask_database(owner):
                return External(flask_attribute(name))
        return None

    def is_flask_database(self, variable: Variable) -> bool:
        """Whether a variable holds a Flask-SQLAlchemy object: `db = SQLAlchemy(app)`, own subclasses included."""
        key = (variable.module, variable.name)
        if key not in self._databases:
            self._databases[key] = False  # a name assigned from itself
            values = [assigned.value for assigned in (variable.assigned, *variable.others)]
            self._databases[key] = all(
                isinstance(value, ast.Call)
                and self.reaches(self.expression(variable.module, value.func), FLASK + "SQLAlchemy")
                for value in values
            )
        return self._databases[key]

    def reaches(self, definition: Definition | None, name: str) -> bool:
        """Whether a class is, or derives from, the class with the canonical name `name`."""
        seen: set[int] = set()
        stack = [definition]
        while stack:
            match stack.pop():
                case External() as external if external.canonical == name:
                    return True
                case ClassFacts() as facts if id(facts) not in seen:
                    seen.add(id(facts))
                    stack.extend(self.base(facts.module, base) for base in facts.bases)
        return False

    def module(self, dotted: str, near: Module) -> Definition | None:
        """What the absolute module name `dotted` stands for when the module `near` imports it."""
        top = dotted.partition(".")[0]
        if top in KNOWN_LIBRARIES and not self._layout.hides(top, near.path):
            return External(dotted)
        path = self._layout.find(dotted, near.path)
        if path is not None:
            return self._module_at(path)
        if (folder := self._layout.folder_of(dotted, near.path)) is not None:
            return self._namespaces.setdefault(folder, Module(dotted, folder, is_package=True))
        return None if self._layout.is_project_name(dotted, near.path) else External(dotted)

    def _name(self, module: Module, name: str) -> Definition | None:
        bindings = module.bindings.get(name)
        if bindings:
            meaningful = _meaningful(bindings)
            answers = [self.binding(module, name, binding) for binding in meaningful]
            first = answers[0]
            if all(_same(first, answer) for answer in answers[1:]):
                return first
            return _several(module, name, meaningful)
        if module.is_package:
            submodule = self.module(f"{module.name}.{name}" if module.name else name, module)
            if isinstance(submodule, Module):
                return submodule
        return self._starred(module, name)

    def _starred(self, module: Module, name: str) -> Definition | None:
        """What the star imports of a module bring by this name: the last one that has it wins."""
        if name.startswith("_"):
            return None
        for star in reversed(module.stars):
            source = self.module(star, module) if star else None
            match source:
                case Module(exports=exports) if exports is None or name in exports:
                    found = self.name(source, name)
                    if found is not None or name in source.bindings:
                        return found
                case Module():
                    pass
                case External(name=library) if library in STARS:
                    if name in STARS[library]:
                        return External(f"{library}.{name}")
                case External(canonical=str()):
                    return External(f"{star}.{name}")
                case _:
                    return None
        return None

    def binding(self, module: Module, name: str, binding: Binding) -> Definition | None:
        """What one binding of a module-level name stands for."""
        match binding:
            case Import(module="", name=_):
                return None
            case Import(module=source, name=None):
                return self.module(source, module)
            case Import(module=source, name=str() as attribute):
                owner = self.module(source, module)
                if isinstance(owner, Module):
                    found = self.name(owner, attribute)
                    return found if found is not None else self._submodule(owner, attribute)
                return self.attribute(owner, attribute) if owner is not None else None
            case Assigned(value=ast.Name() | ast.Attribute() as value, annotation=None):
                found = self.expression(module, value)
                return found if found is not None else Variable(module, name, binding)
            case Assigned(value=ast.Name() | ast.Attribute() as value):
                found = self.expression(module, value)
                return found if _is_class(found) else Variable(module, name, binding)
            case Assigned():
                return Variable(module, name, binding)
            case FunctionFacts() | ClassFacts():
                return binding
        return None

    def _submodule(self, package: Module, name: str) -> Definition | None:
        path = self._layout.find(f"{package.name}.{name}" if package.name else name, package.path)
        return self._module_at(path) if path is not None else None


def _is_class(found: Definition | None) -> bool:
    """Whether a class is certain, whatever an annotation calls it: `BaseModel: DefaultMeta = db.Model`."""
    return isinstance(found, ClassFacts) or (isinstance(found, External) and found.canonical == f"{FLASK}Model")


def _several(module: Module, name: str, bindings: list[Binding]) -> Variable | None:
    """One variable for several assignments to the same name; None when a binding is something else."""
    assigned = [binding for binding in bindings if isinstance(binding, Assigned)]
    if len(assigned) < len(bindings):
        return None
    return Variable(module, name, assigned[0], tuple(assigned[1:]))


def _meaningful(bindings: list[Binding]) -> list[Binding]:
    """The bindings that say something: placeholders (`Session = None`) give way to real ones."""
    real = [
        binding
        for binding in bindings
        if not (isinstance(binding, Assigned) and (binding.value is None or _is_none(binding.value)))
    ]
    return real or bindings


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def _same(first: Definition | None, second: Definition | None) -> bool:
    if first is None or second is None:
        return first is second
    if isinstance(first, External) and isinstance(second, External):
        return first == second or (first.canonical is not None and first.canonical == second.canonical)
    return first is second
