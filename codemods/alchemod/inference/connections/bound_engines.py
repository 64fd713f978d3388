"""The engine that metadata is bound to, as it is written where the metadata is used.

SQLAlchemy 1.4, "Bound MetaData": `MetaData(bind=engine)`, `MetaData(engine)`, `declarative_base(bind=engine)`,
`metadata.bind = engine`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Final

from alchemod.facts.module import ClassFacts, FunctionFacts
from alchemod.facts.nodes import is_dotted, walk
from alchemod.inference.area import Area
from alchemod.inference.names.assigned import spelled_out
from alchemod.inference.resolving.callers import actual
from alchemod.inference.resolving.functions import enclosing_function
from alchemod.inference.scoping.scopes import Scope
from alchemod.inference.values import (
    Answer,
    ClassObject,
    ColumnObject,
    Engine,
    Object,
    Outside,
    Place,
    Statement,
    TableObject,
)

_MAKERS: Final = frozenset({"MetaData", "declarative_base", "automap_base"})
_CONSUMING: Final = frozenset({"create_all", "drop_all", "reflect"})
_TOKENS: Final = re.compile(rb"MetaData|declarative_base|automap_base|metadata\.bind")


class BoundEngines(Area):
    """Answers about the engines of metadata, tables and statements."""

    def given(self, path: Path, call: ast.Call) -> ast.expr | None:
        """What a call of `MetaData` or `declarative_base` binds; None for nothing."""
        answer = self.inference.value(path, call.func)
        match answer:
            case Answer(value=Outside(canonical=str(name))) if name in _MAKERS:
                pass
            case _:
                return None
        bound = next((keyword.value for keyword in call.keywords if keyword.arg == "bind"), None)
        if bound is None and name == "MetaData" and call.args:
            first = self.inference.value(path, call.args[0])
            return call.args[0] if first is not None and isinstance(first.value, Engine) else None
        return bound

    def of_metadata(self, path: Path, metadata: ast.expr, at: ast.expr) -> str | None:
        """The code for the engine of some metadata at a place of the same file; None when it is not known there."""
        if isinstance(metadata, ast.Call):
            given = self.given(path, metadata)
            return ast.unparse(given) if given is not None and is_dotted(given) else None
        found = {code for _, code in self._here(path, metadata, at)}
        if found:
            return found.pop() if len(found) == 1 else None
        return self._of_attribute(path, metadata, at) or self._of_parameter(path, metadata, at)

    def is_made_here(self, path: Path, metadata: ast.expr) -> bool:
        """Whether a file makes the metadata with its engine, under the name it has in the file."""
        made = [target for target, _ in self._made(path)]
        return any(target in made for target, _ in self._here(path, metadata, metadata))

    def assigned(self, path: Path, metadata: ast.expr) -> ast.expr | None:
        """The engine that a file sets as the `bind` of some metadata, under the name it has in the file."""
        code = ast.unparse(metadata)
        return next((engine for target, engine in self._set(path) if ast.unparse(target) == code), None)

    def binds_several(self, path: Path) -> bool:
        """Whether a file binds metadata to more than one engine."""
        return len({ast.unparse(engine) for _, engine in self._bindings(path)}) > 1

    def binds_first(self, path: Path, call: ast.Call) -> bool:
        """Whether a call makes the first bound metadata of a file."""
        return next((given for _, given in self._bindings(path)), None) is self.given(path, call)

    @cached_property
    def binds_any(self) -> bool:
        """Whether some file of the project binds metadata."""
        project = self.inference.project
        files = (path for path in project.paths if path in project and _TOKENS.search(project.source(path).utf8))
        return any(map(self._binds, files))

    def of_table(self, path: Path, table: TableObject, at: ast.expr, made: ast.expr | None = None) -> str | None:
        """The code for the engine of the metadata that a table of the file belongs to.

        `made` is the expression of the table, which may come from a function that is given the engine.
        """
        call, module = table.table.call, table.table.module
        if call is None or module.path != path or len(call.args) < 2:
            return None
        code = self.of_metadata(path, call.args[1], at)
        return code or (self._handed(path, call, made) if made is not None else None)

    def of_statement(self, path: Path, statement: Statement, at: ast.expr) -> str | None:
        """The code for the engine of the tables that a statement is about."""
        codes: set[str | None] = set()
        for term in statement.terms:
            answer = self.inference.value(path, term.node) if term.node is not None else None
            match answer:
                case Answer(value=TableObject() as table) | Answer(value=ColumnObject(owner=table)):
                    codes.add(self.of_table(path, table, at, term.node))
        return codes.pop() if len(codes) == 1 else None

    def _here(self, path: Path, metadata: ast.expr, at: ast.expr) -> Iterator[tuple[ast.expr, str]]:
        """What the file itself binds to some metadata, and how it is written at a place."""
        code = ast.unparse(metadata)
        held = {code, code.removesuffix(".metadata")}
        for target, engine in self._bindings(path):
            if ast.unparse(target) in held:
                spelled = self._spelled(path, target, engine, metadata, at)
                if spelled is not None:
                    yield target, spelled

    def _bindings(self, path: Path) -> Iterator[tuple[ast.expr, ast.expr]]:
        """Each name or attribute of a file that holds bound metadata, and what binds it."""
        yield from self._made(path)
        yield from self._set(path)

    def _made(self, path: Path) -> Iterator[tuple[ast.expr, ast.expr]]:
        """Those that hold metadata which is made with an engine."""
        for node in walk(self.inference.project.tree(path)):
            match node:
                case ast.Assign(targets=[target], value=ast.Call() as call) if is_dotted(target):
                    if (given := self.given(path, call)) is not None:
                        yield target, given

    def _set(self, path: Path) -> Iterator[tuple[ast.expr, ast.expr]]:
        """Those whose attribute `bind` is set."""
        for node in walk(self.inference.project.tree(path)):
            match node:
                case ast.Assign(targets=[ast.Attribute(value=target, attr="bind")], value=engine):
                    if is_dotted(target):
                        yield target, engine

    def _binds(self, path: Path) -> bool:
        """Whether a file binds metadata, held by a name or not."""
        calls = (node for node in walk(self.inference.project.tree(path)) if isinstance(node, ast.Call))
        return any(True for _ in self._set(path)) or any(self.given(path, call) is not None for call in calls)

    def _of_attribute(self, path: Path, metadata: ast.expr, at: ast.expr) -> str | None:
        """The engine of metadata that an object of a class of the project keeps or makes: `self.db.metadata`."""
        match metadata:
            case ast.Attribute(value=owner, attr=name) if is_dotted(owner):
                answer = self.inference.value(path, owner)
            case _:
                return None
        match answer:
            case Answer(value=Object(of=ClassObject(facts=facts)) | ClassObject(facts=facts)):
                kept = self._of_class(facts, name)
            case _:
                return None
        there, here = self.inference.place(path, owner), self.inference.place(path, at)
        if kept is None or there is None or here is None or not _is_visible(owner, there, here):
            return None
        return f"{ast.unparse(owner)}{kept}"

    def _of_class(self, facts: ClassFacts, name: str) -> str | None:
        """The engine of the metadata that objects of a class have under a name, without the object: `.engine`."""
        found: set[str | None] = set()
        for owner in self.inference.project.families.above(facts):
            for method in owner.methods.values():
                inside = self.inference.resolver.function_place(method)
                if inside is None or not isinstance(inside.scope.node, ast.FunctionDef | ast.AsyncFunctionDef):
                    continue
                first = next((one.arg for one in inside.scope.node.args.args), "")
                for call in _making(inside.scope.node, first, name):
                    given = self.given(owner.module.path, call)
                    found.add(_following(given, first, inside) if given is not None else None)
        return found.pop() if len(found) == 1 else None

    def _of_parameter(self, path: Path, metadata: ast.expr, at: ast.expr) -> str | None:
        """The parameter that is the engine of metadata which is a parameter, too."""
        place, here = self.inference.place(path, metadata), self.inference.place(path, at)
        if place is None or here is None or not isinstance(metadata, ast.Name):
            return None
        owner = place.scope.owner(metadata.id)
        if owner is None or owner is not here.scope.owner(metadata.id):
            return None
        return self._beside(Place(place.module, owner), metadata.id)

    def gets_engine(self, callee: FunctionFacts, call: ast.Call, held: ast.expr) -> bool:
        """Whether a function of the project that a call gives metadata is given its engine, too, by every call."""
        inside = self.inference.resolver.function_place(callee)
        if inside is None or not isinstance(inside.scope.node, ast.FunctionDef | ast.AsyncFunctionDef):
            return False
        code, sites = ast.unparse(held), self.inference.resolver.callers.of(inside).calls
        for site in sites:
            for one in _parameters(inside.scope.node):
                given = actual(site, inside.scope.node, one)
                if site.call is call and given is not None and ast.unparse(given) == code:
                    return self._beside(inside, one) is not None
        return False

    def _beside(self, inside: Place, metadata: str) -> str | None:
        """The parameter of a function to which every call gives the engine of the metadata given for another one."""
        function = inside.scope.node
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) or metadata not in _parameters(function):
            return None
        common: set[str] | None = None
        for site in self.inference.resolver.callers.of(inside).calls:
            handed = actual(site, function, metadata)
            code = self.of_metadata(site.place.module.path, handed, site.call) if handed is not None else None
            names = {
                name
                for name in _parameters(function)
                if code is not None and (one := actual(site, function, name)) is not None and ast.unparse(one) == code
            }
            common = names if common is None else common & names
        return min(common) if common else None

    def _handed(self, path: Path, call: ast.Call, made: ast.expr) -> str | None:
        """What is handed for the engine to the function that makes a table by `call`."""
        there, here = self.inference.place(path, call), self.inference.place(path, made)
        function = enclosing_function(there.scope) if there is not None else None
        if there is None or here is None or function is None or isinstance(function.node, ast.Lambda):
            return None
        code = self.of_metadata(path, call.args[1], call)
        making = spelled_out(made, here)
        if code is None or not isinstance(making, ast.Call) or not isinstance(function.node, ast.FunctionDef):
            return None
        site = next(
            (
                one
                for one in self.inference.resolver.callers.of(Place(there.module, function)).calls
                if one.call is making
            ),
            None,
        )
        handed = actual(site, function.node, code) if site is not None else None
        return ast.unparse(handed) if handed is not None and is_dotted(handed) else None

    def _spelled(self, path: Path, target: ast.expr, engine: ast.expr, metadata: ast.expr, at: ast.expr) -> str | None:
        """How the engine that is bound in one place is written in another one."""
        there, here = self.inference.place(path, target), self.inference.place(path, at)
        if there is None or here is None or not is_dotted(engine):
            return None
        if _is_self(target, there):
            if _class_around(there.scope) is not _class_around(here.scope):
                return None
        elif not _is_same(_root(metadata), there, here):
            return None
        if _is_visible(engine, there, here):
            return ast.unparse(engine)
        return _kept(ast.unparse(engine), there) if _is_self(target, there) else None


def consumers(tree: ast.Module, held: ast.expr) -> Iterator[tuple[ast.Call, ast.expr]]:
    """The calls in a file that need the engine of the metadata, or of the base it belongs to; and that metadata."""
    name = ast.unparse(held)
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=owner, attr=method), args=[], keywords=keywords) if (
                method in _CONSUMING and all(keyword.arg != "bind" for keyword in keywords)
            ):
                if ast.unparse(owner) in {name, f"{name}.metadata"}:
                    yield node, owner


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    return [one.arg for one in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]


def _is_visible(node: ast.expr, there: Place, here: Place) -> bool:
    """Whether what is written in one place means the same in another one."""
    if _is_self(node, there) or (isinstance(node, ast.Name) and node.id == "self"):
        return _class_around(there.scope) is not None and _class_around(there.scope) is _class_around(here.scope)
    return _is_same(_root(node), there, here)


def _making(method: ast.FunctionDef | ast.AsyncFunctionDef, first: str, name: str) -> Iterator[ast.Call]:
    """The calls whose value a method gives an attribute of its object, or returns where it has that name itself."""
    for node in walk(method):
        match node:
            case ast.Assign(targets=[ast.Attribute(value=ast.Name(id=owner), attr=kept)], value=ast.Call() as call):
                if (owner, kept) == (first, name):
                    yield call
            case ast.Return(value=ast.Call() as call) if method.name == name:
                yield call


def _following(engine: ast.expr, first: str, inside: Place) -> str | None:
    """What follows the object in the code of an engine that one of its methods names."""
    if not is_dotted(engine):
        return None
    code = ast.unparse(engine)
    code = code if code.startswith(f"{first}.") else _kept(code, inside) or ""
    return code.removeprefix(first) if code.startswith(f"{first}.") else None


def _kept(code: str, place: Place) -> str | None:
    """The attribute of `self` to which a method assigns the same value."""
    function = enclosing_function(place.scope)
    for node in walk(function.node) if function is not None else ():
        match node:
            case ast.Assign(targets=[ast.Attribute(value=ast.Name(id="self"), attr=name)], value=value):
                if ast.unparse(value) == code:
                    return f"self.{name}"
    return None


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _is_self(node: ast.expr, place: Place) -> bool:
    return isinstance(node, ast.Attribute) and _root(node) == "self" and _class_around(place.scope) is not None


def _is_same(name: str, there: Place, here: Place) -> bool:
    """Whether a name means the same in both places: it belongs to the same scope."""
    return bool(name) and there.scope.owner(name) is not None and there.scope.owner(name) is here.scope.owner(name)


def _class_around(scope: Scope) -> ast.AST | None:
    current: Scope | None = scope
    while current is not None and not isinstance(current.node, ast.ClassDef):
        current = current.parent
    return current.node if current is not None else None
