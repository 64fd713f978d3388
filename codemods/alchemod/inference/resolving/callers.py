"""What the parameters of a function are, from its calls in the project."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alchemod.facts.lines import nodes_near
from alchemod.facts.module import FunctionFacts, last_name
from alchemod.inference.resolving.functions import TRANSPARENT
from alchemod.inference.scoping.bindings import Binding
from alchemod.inference.values import Answer, ClassObject, FunctionObject, ModelClass, Place

if TYPE_CHECKING:
    from alchemod.inference.resolving.resolver import Resolver

_FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
_MAX_FILES = 8
"""A name that stands in more files is too common to look for its calls."""


@dataclass(frozen=True, slots=True)
class Site:
    """One call of a function. `is_bound`: the receiver of a method is not among the arguments."""

    call: ast.Call
    place: Place
    is_bound: bool


@dataclass(frozen=True, slots=True)
class Sites:
    """The calls of a function that are seen, and whether every mention of its name is such a call."""

    calls: tuple[Site, ...] = ()
    complete: bool = False


class Callers:
    """The calls of the functions of a project, found on demand."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._sites: dict[FunctionFacts, Sites] = {}

    def forget(self) -> None:
        """Drop what was found: the content of a file changed."""
        self._sites.clear()

    def argument(self, binding: Binding, place: Place) -> Answer | None:
        """What a parameter is, when all calls agree; never more than inferred for a public function."""
        node = place.scope.node
        if not isinstance(node, _FunctionNode) or place.scope.parent is None:
            return None
        facts = self.facts_of(node, place)
        if facts is None or any(last_name(decorator) not in TRANSPARENT for decorator in node.decorator_list):
            return None
        sites = self.sites_of(facts)
        answers: list[Answer | None] = []
        for site in sites.calls:
            given, where = actual(site, node, binding.name), site.place
            if given is None and (given := _default(node, binding.name)) is not None:
                where = Place(place.module, place.scope.parent)
            if given is None or (isinstance(given, ast.Constant) and given.value is None):
                answers.append(None)
            elif not _passes_on(given, binding.name, where, place):
                answers.append(self._resolver.value(given, where))
        answer = self._resolver.agreeing(answers)
        if answer is None:
            return None
        if None not in answers:
            answer = answer.then(answer.value, f"all {len(sites.calls)} calls of {facts.name}() pass it")
        if sites.complete and facts.name.startswith("_") and not facts.name.endswith("__"):
            return answer
        return answer.weakened(f"other callers of {facts.name}() may pass something else")

    def of(self, inside: Place) -> Sites:
        """The calls of the function whose inside is `inside`; none for one that is defined in another function."""
        node = inside.scope.node
        facts = self.facts_of(node, inside) if isinstance(node, _FunctionNode) else None
        return self.sites_of(facts) if facts is not None else Sites()

    def facts_of(self, node: _FunctionNode, place: Place) -> FunctionFacts | None:
        """The facts of the function whose inside is `place`; None for one inside another function."""
        parts = [node.name]
        scope = place.scope.parent
        while scope is not None and isinstance(scope.node, ast.ClassDef):
            parts.append(scope.node.name)
            scope = scope.parent
        if scope is None or scope.parent is not None:
            return None
        facts = place.module.functions.get(".".join(reversed(parts)))
        return facts if facts is not None and facts.line == node.lineno else None

    def sites_of(self, facts: FunctionFacts) -> Sites:
        """The calls of a function that are seen in the project."""
        if facts not in self._sites:
            self._sites[facts] = Sites()  # a call whose function depends on this very question is not seen
            self._sites[facts] = self._find(facts)
        return self._sites[facts]

    def _find(self, facts: FunctionFacts) -> Sites:
        owner = facts.owner if facts.name == "__init__" else None
        if facts.name.endswith("__") and owner is None:
            return Sites()  # called by operators and statements
        name = owner.name if owner is not None else facts.name
        project = self._resolver.project
        paths = list(project.files_mentioning(name))
        if len(paths) > _MAX_FILES:
            return Sites()
        found: list[Site] = []
        complete = True
        for path in paths:
            module = project.facts(path)
            top = self._resolver.module_place(module) if module is not None else None
            if top is None:
                complete = False
                continue
            lines = project.source(path).lines_with(name)
            complete = self._find_in(top, facts, name, lines, found) and complete
        return Sites(tuple(found), complete)

    def _find_in(self, top: Place, facts: FunctionFacts, name: str, lines: list[int], found: list[Site]) -> bool:
        """Add the calls in one file; returns whether the name is not used there in any other way."""
        complete = True
        called: set[ast.expr] = set()
        mentions: list[ast.expr] = []
        tree = top.scope.node
        assert isinstance(tree, ast.Module)
        for node in nodes_near(tree, lines):
            match node:
                case ast.Call(func=function) if last_name(function) == name:
                    called.add(function)
                    where = Place(top.module, top.scope.innermost(node))
                    target = self._resolver.value(function, where)
                    if (is_bound := _calls(target, facts)) is not None:
                        found.append(Site(node, where, is_bound))
                    elif target is None:
                        complete = False
                case ast.Name() | ast.Attribute() if last_name(node) == name:
                    mentions.append(node)
                case ast.Constant(value=str(text)) if text == name:
                    complete = False  # for getattr()
                case ast.alias(name=imported, asname=str()) if imported == name:
                    complete = False  # called under another name
        return complete and all(node in called for node in mentions)


def _calls(target: Answer | None, facts: FunctionFacts) -> bool | None:
    """Whether a call of `target` passes the receiver by itself; None when it does not call the function."""
    match target:
        case Answer(value=FunctionObject(facts=found, receiver=receiver)) if found is facts:
            decorators = {last_name(decorator) for decorator in facts.decorators}
            if facts.owner is None or "staticmethod" in decorators:
                return False
            return "classmethod" in decorators or not isinstance(receiver, ClassObject | ModelClass)
        case Answer(value=ClassObject(facts=cls)) if facts.name == "__init__" and cls is facts.owner:
            return True
        case Answer(value=ModelClass(model=model)) if facts.name == "__init__" and model.facts is facts.owner:
            return True
    return None


def _passes_on(actual: ast.expr, name: str, where: Place, inside: Place) -> bool:
    """Whether a function that calls itself passes the parameter on as it is."""
    if not isinstance(actual, ast.Name) or actual.id != name or where.scope.node is not inside.scope.node:
        return False
    return len(where.scope.bindings.get(name, ())) == 1


def passed(site: Site, function: _FunctionNode, name: str) -> ast.expr | None:
    """What a call gives a parameter, its default included; None where that is not seen."""
    call = site.call
    if any(isinstance(argument, ast.Starred) for argument in call.args) or any(k.arg is None for k in call.keywords):
        return None
    return actual(site, function, name) or _default(function, name)


def actual(site: Site, function: _FunctionNode, name: str) -> ast.expr | None:
    """The argument that a call passes for a parameter; None when it passes none, or that is not known."""
    call = site.call
    if any(isinstance(argument, ast.Starred) for argument in call.args):
        return None
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    names = [parameter.arg for parameter in (*function.args.posonlyargs, *function.args.args)]
    index = names.index(name) - site.is_bound if name in names else -1
    return call.args[index] if 0 <= index < len(call.args) else None


def _default(function: _FunctionNode, name: str) -> ast.expr | None:
    arguments = function.args
    names = [parameter.arg for parameter in (*arguments.posonlyargs, *arguments.args)]
    if name in names:
        offset = names.index(name) - (len(names) - len(arguments.defaults))
        return arguments.defaults[offset] if offset >= 0 else None
    pairs = zip((parameter.arg for parameter in arguments.kwonlyargs), arguments.kw_defaults, strict=True)
    return dict(pairs).get(name)
