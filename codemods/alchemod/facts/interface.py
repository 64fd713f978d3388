"""What other files can see of a file: its names, classes and signatures, not the bodies of its functions."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from alchemod.facts.module import Assigned, Binding, ClassFacts, FunctionFacts, Import, Module


def interface(module: Module | None) -> tuple[str, ...]:
    """The facts of a file as text without positions: equal for two contents that look the same from outside."""
    if module is None:
        return ()
    return tuple(_lines(module))


def changed_names(before: tuple[str, ...], after: tuple[str, ...]) -> frozenset[str]:
    """The names whose definitions differ between two interfaces, without module and class; `*` for star imports."""
    return frozenset(
        line.split(maxsplit=1)[0].partition("(")[0].rstrip(":").rpartition(".")[2] for line in {*before} ^ {*after}
    )


def _lines(module: Module) -> Iterator[str]:
    for name, bindings in module.bindings.items():
        for binding in bindings:
            yield f"{name} = {_binding(binding)}"
    yield f"* {module.stars}"
    for facts in module.classes.values():
        yield f"{facts.qualname}({_dumped([*facts.bases, *facts.keywords, *facts.decorators])})"
        for name, assigned in facts.attributes.items():
            yield f"{facts.qualname}.{name} = {_binding(assigned)}"
        for name, body in facts.bodies.items():
            yield f"{facts.qualname}.{name}: {ast.dump(body)}"
    for name, calls in module.handed.items():
        yield f"{name} hands {sorted(calls)}"
    for function in module.functions.values():
        yield f"{function.qualname}: {_binding(function)}"


def _binding(binding: Binding) -> str:
    match binding:
        case Import(module=module, name=name):
            return f"import {module} {name}"
        case Assigned(value=value, annotation=annotation):
            return _dumped([value, annotation])
        case FunctionFacts():
            return _dumped([binding.arguments, binding.returns, *binding.decorators])
        case ClassFacts(qualname=qualname):
            return f"class {qualname}"
    return "opaque"


def _dumped(nodes: Sequence[ast.AST | None]) -> str:
    return " ".join("None" if node is None else ast.dump(node) for node in nodes)
