"""What functions of the project return or yield, what their parameters are, what objects keep on `self`."""

from __future__ import annotations

import ast
from bisect import bisect_left
from collections.abc import Iterator
from typing import TYPE_CHECKING

from alchemod.facts.module import ClassFacts, FunctionFacts, last_name
from alchemod.inference.annotation import annotated
from alchemod.inference.bindings import Binding
from alchemod.inference.scopes import Scope, scope_of
from alchemod.inference.statements import built_for
from alchemod.inference.values import (
    Answer,
    Coroutine,
    FunctionObject,
    Generator,
    LocalFunction,
    Managed,
    ModelClass,
    Object,
    Place,
    Statement,
    resting_on,
)
from alchemod.text.problem import FileError

if TYPE_CHECKING:
    from alchemod.inference.resolver import Resolver

_MANAGERS = frozenset({"contextmanager", "asynccontextmanager", "managed"})
_TRANSPARENT = frozenset(
    {"staticmethod", "classmethod", "property", "cached_property", "lru_cache", "cache", "contextmanager",
     "asynccontextmanager", "wraps", "abstractmethod", "override", "provide_session", "hybrid_property", "hybrid_method"}
)  # fmt: skip
_FIXTURES = frozenset({"fixture", "yield_fixture"})
_DECORATED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_MAX_FILES = 8
"""A name that stands in more files is too common to look for its calls."""
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


class Functions:
    """Summaries of the functions of a project, made on demand."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._calls: dict[FunctionFacts, tuple[list[tuple[ast.Call, Place]], bool]] = {}

    def forget(self) -> None:
        """Drop all summaries: the content of a file changed."""
        self._calls.clear()

    def returned(self, function: Answer | None, call: ast.Call | None, place: Place) -> Answer | None:
        """What calling a function gives: its annotation, else what all its returns agree on."""
        if function is None:
            return None
        match function.value:
            case FunctionObject(facts=facts):
                inside = self._resolver.function_place(facts)
                key: object = (facts, function.value.receiver)
            case LocalFunction(node=ast.Lambda(body=body) as node, place=outer):
                scope = outer.scope.find(node)
                return self._resolver.value(body, Place(outer.module, scope)) if scope is not None else None
            case LocalFunction(node=node, place=outer):
                scope = outer.scope.find(node)
                inside = Place(outer.module, scope) if scope is not None else None
                key = node
            case _:
                return None
        if inside is None:
            return None
        answer = self._resolver.recall.ask(("returned", key), lambda: self._summary(inside))
        if answer is None:
            return None
        value = answer.value
        receiver = function.value.receiver if isinstance(function.value, FunctionObject) else None
        if isinstance(value, Statement) and isinstance(receiver, ModelClass | Object):
            value = built_for(value, receiver.of if isinstance(receiver, Object) else receiver)
        return resting_on(value, (function, answer))

    def _summary(self, inside: Place) -> Answer | None:
        node = inside.scope.node
        assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        decorators = [last_name(decorator) for decorator in node.decorator_list]
        answer = self._body(node, inside)
        if answer is None and node.returns is not None and inside.scope.parent is not None:
            answer = annotated(node.returns, Place(inside.module, inside.scope.parent), self._resolver)
            if (
                answer is not None
                and isinstance(node, ast.AsyncFunctionDef)
                and not isinstance(answer.value, Generator)
            ):
                answer = answer.then(Coroutine(answer.value))
        if answer is None:
            return None
        if any(name in _MANAGERS for name in decorators) and isinstance(answer.value, Generator):
            answer = answer.then(Managed(answer.value.inner))
        elif any(name in _FIXTURES for name in decorators):
            return None
        unknown = [name for name in decorators if name not in _TRANSPARENT]
        if unknown:
            return answer.weakened(f"what the decorator @{unknown[0]} does to {node.name}() is not known")
        return answer

    def _body(self, node: ast.FunctionDef | ast.AsyncFunctionDef, inside: Place) -> Answer | None:
        yields, returns = [], []
        for part in own_nodes(node):
            if isinstance(part, ast.Yield) and part.value is not None:
                yields.append(part.value)
            elif isinstance(part, ast.YieldFrom):
                return None
            elif isinstance(part, ast.Return) and part.value is not None:
                returns.append(part.value)
        if yields:
            answer = self._agreeing(yields, inside)
            return answer.then(Generator(answer.value)) if answer is not None else None
        real = [value for value in returns if not (isinstance(value, ast.Constant) and value.value is None)]
        answer = self._agreeing(real, inside)
        if answer is not None and isinstance(node, ast.AsyncFunctionDef):
            return answer.then(Coroutine(answer.value))
        return answer

    def _agreeing(self, values: list[ast.expr], place: Place) -> Answer | None:
        return self._resolver.agreeing(self._resolver.value(value, place) for value in values)

    def argument(self, binding: Binding, place: Place) -> Answer | None:
        """What a parameter is, from the project's call sites; never more than inferred for a public function."""
        node = place.scope.node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or place.scope.parent is None:
            return None
        facts = self._facts_of(place)
        if facts is None:
            return None
        sites, complete = self.calls_of(facts)
        values: list[tuple[ast.expr, Place]] = []
        for call, where in sites:
            actual = _actual(call, node, binding.name, is_method=facts.owner is not None)
            if actual is None or (isinstance(actual, ast.Constant) and actual.value is None):
                return None
            values.append((actual, where))
        if not values:
            return None
        answer = self._resolver.agreeing(self._resolver.value(value, where) for value, where in values)
        if answer is None:
            return None
        answer = answer.then(answer.value, f"all {len(values)} calls of {facts.name}() pass it")
        if complete and facts.name.startswith("_"):
            return answer
        return answer.weakened(f"other callers of {facts.name}() may pass something else")

    def _facts_of(self, place: Place) -> FunctionFacts | None:
        node = place.scope.node
        assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        parts = [node.name]
        scope = place.scope.parent
        while scope is not None and isinstance(scope.node, ast.ClassDef):
            parts.append(scope.node.name)
            scope = scope.parent
        if scope is None or scope.parent is not None:
            return None
        facts = place.module.functions.get(".".join(reversed(parts)))
        return facts if facts is not None and facts.line == node.lineno else None

    def calls_of(self, facts: FunctionFacts) -> tuple[list[tuple[ast.Call, Place]], bool]:
        """The calls of a function in the project, and whether every mention of its name is such a call."""
        if facts not in self._calls:
            self._calls[facts] = ([], False)
            self._calls[facts] = self._find_calls(facts)
        return self._calls[facts]

    def _find_calls(self, facts: FunctionFacts) -> tuple[list[tuple[ast.Call, Place]], bool]:
        found: list[tuple[ast.Call, Place]] = []
        complete = True
        project = self._resolver.project
        paths = list(project.files_mentioning(facts.name))
        if len(paths) > _MAX_FILES:
            return found, False
        for path in paths:
            module = project.facts(path)
            if module is None:
                complete = False
                continue
            try:
                tree = project.tree(path)
            except FileError:
                complete = False
                continue
            root = scope_of(tree)
            called: set[ast.expr] = set()
            mentions: list[ast.expr] = []
            for node in _walk(tree, _lines_with(project.source(path).utf8, facts.name.encode())):
                if isinstance(node, ast.Call) and last_name(node.func) == facts.name:
                    called.add(node.func)
                    where = Place(module, root.innermost(node))
                    target = self._resolver.value(node.func, where)
                    if (
                        target is not None
                        and isinstance(target.value, FunctionObject)
                        and target.value.facts is facts
                    ):
                        found.append((node, where))
                    elif target is None:
                        complete = False
                elif isinstance(node, ast.Name | ast.Attribute) and last_name(node) == facts.name:
                    mentions.append(node)
                elif isinstance(node, ast.alias) and node.name == facts.name and node.asname is not None:
                    complete = False  # called under another name
            complete = complete and all(node in called for node in mentions)
        return found, complete

    def instance_attribute(self, answer: Answer, facts: ClassFacts, name: str) -> Answer | None:
        """What `self.name` holds, from every assignment in the methods of the class and its ancestors."""
        key = ("on self", facts, name)
        found = self._resolver.recall.ask(key, lambda: self._assigned_on_self(facts, name))
        return resting_on(found.value, (answer, found)) if found is not None else None

    def _assigned_on_self(self, facts: ClassFacts, name: str) -> Answer | None:
        assigned = facts.attributes.get(name)
        outer = self._resolver.module_place(facts.module)
        if outer is None:
            return None
        answers: list[Answer | None] = []
        if assigned is not None and assigned.annotation is not None:
            return annotated(assigned.annotation, outer, self._resolver)
        for method in facts.methods.values():
            inside = self._resolver.function_place(method)
            if inside is None or not isinstance(inside.scope.node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            for statement in own_nodes(inside.scope.node):
                value, annotation = _self_assignment(statement, name)
                if annotation is not None:
                    answers.append(annotated(annotation, outer, self._resolver))
                elif value is not None and not (isinstance(value, ast.Constant) and value.value is None):
                    answers.append(self._resolver.value(value, inside))
        if answers:
            return self._resolver.agreeing(answers)
        for base in facts.bases:
            definition = self._resolver.project.lookup.expression(facts.module, base)
            if isinstance(definition, ClassFacts):
                found = self._assigned_on_self(definition, name)
                if found is not None:
                    return found
        return None


def own_nodes(function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> Iterator[ast.AST]:
    """The nodes of a function's body, those of functions and classes inside it excepted."""
    stack: list[ast.AST] = list(function.body) if isinstance(function.body, list) else [function.body]
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, _SCOPES):
            stack.extend(ast.iter_child_nodes(node))


def _lines_with(source: bytes, word: bytes) -> list[int]:
    """The numbers of the lines that hold `word`, ascending."""
    return [number for number, line in enumerate(source.splitlines(), 1) if word in line]


def _walk(tree: ast.Module, lines: list[int]) -> Iterator[ast.AST]:
    """The nodes of a tree that span one of `lines`."""
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        start = getattr(node, "lineno", None)
        if start is not None:
            index = bisect_left(lines, start)
            if index == len(lines) or lines[index] > (getattr(node, "end_lineno", None) or start):
                if not isinstance(node, _DECORATED) or not node.decorator_list:
                    continue
        yield node
        stack.extend(ast.iter_child_nodes(node))


def _self_assignment(statement: ast.AST, name: str) -> tuple[ast.expr | None, ast.expr | None]:
    match statement:
        case ast.Assign(
            targets=[*_, ast.Attribute(value=ast.Name(id="self" | "cls"), attr=attr)], value=value
        ):
            return (value, None) if attr == name else (None, None)
        case ast.AnnAssign(
            target=ast.Attribute(value=ast.Name(id="self"), attr=attr), annotation=note, value=bound
        ):
            return (bound, note) if attr == name else (None, None)
    return None, None


def _actual(
    call: ast.Call, function: ast.FunctionDef | ast.AsyncFunctionDef, name: str, *, is_method: bool
) -> ast.expr | None:
    """The argument that a call passes for a parameter, its default when it passes none; None when not known."""
    if any(isinstance(argument, ast.Starred) for argument in call.args) or any(
        k.arg is None for k in call.keywords
    ):
        return None
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    parameters = [*function.args.posonlyargs, *function.args.args]
    names = [parameter.arg for parameter in parameters]
    if name not in names:
        defaults = dict(
            zip((arg.arg for arg in function.args.kwonlyargs), function.args.kw_defaults, strict=True)
        )
        return defaults.get(name)
    static = any(last_name(decorator) == "staticmethod" for decorator in function.decorator_list)
    index = names.index(name) - (1 if is_method and not static else 0)
    if 0 <= index < len(call.args):
        return call.args[index]
    offset = names.index(name) - (len(names) - len(function.args.defaults))
    return function.args.defaults[offset] if offset >= 0 else None


def enclosing_function(scope: Scope) -> Scope | None:
    """The nearest function around a scope, itself included."""
    current: Scope | None = scope
    while current is not None and not current.is_function:
        current = current.parent
    return current
