"""The project: its files, what they say, and the content they have while a run rewrites them in memory."""

from __future__ import annotations

import ast
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Protocol
from weakref import WeakValueDictionary

from alchemod.facts.annotation_maps import MAPPING, mapped_annotations
from alchemod.facts.collecting import collect
from alchemod.facts.dependencies import Dependencies
from alchemod.facts.factories import session_makers, session_names
from alchemod.facts.families import Families
from alchemod.facts.gates import base_words, gate_a, names_of_interest
from alchemod.facts.givers import Givers
from alchemod.facts.interface import changed_names, interface
from alchemod.facts.layout import Layout
from alchemod.facts.lookup import Lookup
from alchemod.facts.mentioning import Mentions
from alchemod.facts.mocks import is_test
from alchemod.facts.models import Models
from alchemod.facts.module import ClassFacts, FunctionFacts, Module
from alchemod.facts.query_definers import QueryDefiners, query_definers
from alchemod.facts.revisions import ScriptLocations, declares_revision, may_declare_revision
from alchemod.facts.style import line_length
from alchemod.facts.tables import Tables
from alchemod.facts.users import Users
from alchemod.facts.versions import Step, VersionRange
from alchemod.text.paths import displayed
from alchemod.text.problem import FileError, Problem
from alchemod.text.source import SourceFile, TooDeepError, contents, decode, parse, read
from alchemod.text.words import mentions

_KEPT_TREE_BYTES = 2_500_000
"""Source bytes whose trees are kept: a tree takes about 30 times its source (measured on CPython 3.11)."""

_DERIVED = (
    "lookup", "models", "tables", "families", "session_makers", "_methods", "query_definers", "mapped_annotations",
)  # fmt: skip
"""What is worked out anew once a file has changed."""


class DiscoveredFile(Protocol):
    """A file of the project, as discovery lists it."""

    @property
    def path(self) -> Path:
        """Where it is."""

    @property
    def in_scope(self) -> bool:
        """Whether findings are shown in it and edits made."""

    @property
    def named(self) -> bool:
        """Whether it was named itself, so that it is parsed whatever it holds."""


class Project:
    """Files, facts and overlay of one project.

    Facts come from every file that may speak of SQLAlchemy, in scope or not. Trees are dropped and parsed again on
    demand, so nodes of one `tree()` must not be compared with those of a later one.
    """

    def __init__(
        self,
        root: Path,
        files: Sequence[DiscoveredFile],
        versions: VersionRange,
        declared: VersionRange | None = None,
    ) -> None:
        self.root = root
        self.versions = versions
        """What the code must run on."""
        self.declared = declared or versions
        """What the code was written for: the same, unless it is migrated."""
        self.problems: list[Problem] = []
        self.notes: list[Problem] = []
        """What was passed over without being wrong: code nested too deeply, dependency files that tell nothing."""
        self.generation = 0
        self._scope = frozenset(file.path for file in files if file.in_scope)
        self._named = frozenset(file.path for file in files if file.named)
        self._layout = Layout(root, (file.path for file in files))
        self._sources: dict[Path, SourceFile] = {}
        self._modules: dict[Path, Module | None] = {}
        self._dropped: dict[Path, bytes] = {}
        """The contents of the files that gate A dropped, for searches."""
        self._history: set[Path] = set()
        self._trees: OrderedDict[Path, ast.Module] = OrderedDict()
        self._living: WeakValueDictionary[Path, ast.Module] = WeakValueDictionary()
        self._tree_bytes = 0
        self._candidates: list[Path] = []

    @classmethod
    def load(
        cls,
        files: Sequence[DiscoveredFile],
        root: Path,
        target: str | None = None,
        given: Mapping[Path, SourceFile] | None = None,
        *,
        goal: Step | None = None,
        revisions: bool = True,
        users: bool = True,
    ) -> Project:
        """Read the files, pass them through both gates and take their facts.

        `target` replaces the range of SQLAlchemy versions the dependency files give; `goal` is the version that the
        code is migrated to. `given` holds contents that stand for what is on disk. Without `revisions`, files of a
        migration environment are not parsed unless they are named: no rule that runs touches them, and their frozen
        models are not those of the application. Without `users`, files that only call functions which give rows are
        not parsed either: no rule that runs can find something there.
        """
        dependencies = Dependencies(root)
        declared = VersionRange.exactly(target) if target is not None else dependencies.sqlalchemy
        project = cls(root, files, declared.migrated(goal) if goal is not None else declared, declared)
        project.notes.extend(() if target is not None else dependencies.problems)
        project._read(files, given or {}, revisions)
        project._gate_b(users)
        return project

    @property
    def paths(self) -> Sequence[Path]:
        """The files whose facts were taken, in order of discovery."""
        return self._candidates

    @cached_property
    def lookup(self) -> Lookup:
        """Resolves module-level names."""
        return Lookup(self._layout, self.facts)

    @cached_property
    def models(self) -> Models:
        """The mapped classes."""
        return Models(self.lookup, self.classes)

    @cached_property
    def tables(self) -> Tables:
        """The tables, those of the mapped classes included."""
        return Tables(self.lookup, self.models, self.modules)

    @cached_property
    def families(self) -> Families:
        """Which classes derive from which."""
        return Families(self.lookup, self.classes, self._deriving, self.facts)

    @cached_property
    def givers(self) -> Givers:
        """The functions that may give rows to their callers."""
        return Givers(self.modules, lambda module: self.source(module.path))

    @cached_property
    def session_makers(self) -> frozenset[str]:
        """Every name that a call which opens a session may have."""
        return frozenset(session_makers(self.modules()))

    def displayed(self, path: Path) -> str:
        """A path as messages show it."""
        return displayed(path, self.root)

    def in_scope(self, path: Path) -> bool:
        """Whether findings are shown in this file and edits made."""
        return path in self._scope

    def __contains__(self, path: Path) -> bool:
        return path in self._modules

    def classes(self) -> Iterator[ClassFacts]:
        """Every class of the files whose facts were taken."""
        for path in self._candidates:
            module = self._modules.get(path)
            if module is not None:
                yield from module.classes.values()

    def modules(self) -> Iterator[Module]:
        """The facts of every file that has some."""
        for path in self._candidates:
            if (module := self._modules.get(path)) is not None:
                yield module

    def facts(self, path: Path) -> Module | None:
        """The facts of a file, taken now if gate A dropped it; None when it cannot be parsed."""
        if path not in self._modules:
            self._take_facts(path)
        return self._modules[path]

    def source(self, path: Path) -> SourceFile:
        """The content of a file as the run sees it. Raises FileError."""
        source = self._sources.get(path)
        if source is None:
            source = self._sources[path] = read(path)
        return source

    def tree(self, path: Path) -> ast.Module:
        """The tree of a file. Raises FileError."""
        tree = self._trees.get(path)
        if tree is not None:
            self._trees.move_to_end(path)
            return tree
        # A dropped tree lives on while an answer speaks of its nodes: parsing again would only double it.
        tree = self._living.get(path) or parse(self.source(path))
        self._keep(path, tree)
        return tree

    def update(self, path: Path, source: SourceFile, tree: ast.Module | None = None) -> frozenset[str]:
        """Replace the content of a file and take its facts anew. Raises ParseError when it no longer parses.

        `tree` is that of the new content, where it has been parsed already. Returns the names of what other files can
        see and what has changed, `*` for star imports.
        """
        tree = tree or parse(source)
        before = interface(self._modules.get(path))
        self._forget(path)
        self._living.pop(path, None)
        if "_mentions" in self.__dict__:
            self._mentions.update(path, self.content(path), source.utf8)
        self._sources[path] = source
        self._modules[path] = self._collect(path, tree)
        self._keep(path, tree)
        self.generation += 1
        self.givers.forget()
        for derived in _DERIVED:
            self.__dict__.pop(derived, None)
        return changed_names(before, interface(self._modules[path]))

    def files_mentioning(self, name: str) -> Sequence[Path]:
        """Every file of the project in which `name` stands as a word, the ones gate A dropped included."""
        return self._mentions.of(name.encode())

    def trees_mentioning(self, *names: str) -> Iterator[tuple[Path, ast.Module]]:
        """The trees of those files that mention one of the names and can be parsed, in the order of paths."""
        for path in sorted({path for name in names for path in self.files_mentioning(name)}):
            try:
                yield path, self.tree(path)
            except FileError:
                continue

    @cached_property
    def _mentions(self) -> Mentions:
        defined = {name for module in self.modules() for name in (*module.functions, *module.classes)}
        return Mentions(self._contents, {name.rpartition(".")[2].encode() for name in defined})

    def _contents(self) -> dict[Path, bytes]:
        """What every file holds, those of which facts were taken first."""
        return {path: self.content(path) for path in (*self._candidates, *self._dropped)}

    def content(self, path: Path) -> bytes:
        """The text of a file, as it was read when gate A dropped it."""
        source = self._sources.get(path)
        return source.utf8 if source is not None else self._dropped.get(path, b"")

    def _deriving(self, name: str) -> Sequence[Path]:
        """The files that gate A dropped and that derive a class from one of this name."""
        return self._dropped_by_base.get(name.encode(), ())

    @cached_property
    def _dropped_by_base(self) -> dict[bytes, list[Path]]:
        found: dict[bytes, list[Path]] = {}
        for path, data in self._dropped.items():
            for word in base_words(data):
                found.setdefault(word, []).append(path)
        return found

    def is_revision(self, path: Path) -> bool:
        """Whether a file is a migration of Alembic, or lies in a migration environment."""
        if self._scripts.covers(path):
            return True
        return may_declare_revision(self.source(path).utf8) and declares_revision(self.tree(path))

    def is_test(self, path: Path) -> bool:
        """Whether a file belongs to the tests of the project, going by its name and folders."""
        return is_test(self.displayed(path))

    @cached_property
    def _scripts(self) -> ScriptLocations:
        return ScriptLocations(self.root)

    @cached_property
    def line_length(self) -> int:
        """How long the lines of the project may be."""
        return line_length(self.root)

    def methods_named(self, name: str) -> Sequence[FunctionFacts]:
        """The methods of this name that classes of the project define."""
        return self._methods.get(name, ())

    @cached_property
    def _methods(self) -> dict[str, list[FunctionFacts]]:
        methods: dict[str, list[FunctionFacts]] = {}
        for facts in self.classes():
            for name, method in facts.methods.items():
                methods.setdefault(name, []).append(method)
        return methods

    @cached_property
    def query_definers(self) -> QueryDefiners:
        """Who else than a session may be asked `x.query(Model)`."""
        contents = ((path.name, self.source(path).utf8) for path in self._candidates)
        return query_definers(self.methods_named("query"), contents)

    @cached_property
    def mapped_annotations(self) -> frozenset[str] | None:
        """The Python types that the project maps to column types of its own; None when they are not all seen."""
        paths = {path: None for name in MAPPING for path in self.files_mentioning(name)}
        try:
            return mapped_annotations([self.tree(path) for path in paths])
        except FileError:
            return None

    def _read(self, files: Sequence[DiscoveredFile], given: Mapping[Path, SourceFile], revisions: bool) -> None:
        for file in files:
            path = file.path
            try:
                data = given[path].data if path in given else contents(path)
                if not (file.named or gate_a(data) or b"\0" in data):
                    self._dropped[path] = data
                    continue
                if not (revisions or file.named) and self._scripts.covers(path):
                    self._dropped[path] = data
                    self._history.add(path)
                    continue
                self._sources[path] = given[path] if path in given else decode(data, path)
            except FileError as error:
                if file.in_scope:
                    self.problems.append(error.problem(path))
                self._modules[path] = None
                continue
            self._take_facts(path)
            self._candidates.append(path)

    def _gate_b(self, users: bool) -> None:
        """Take the facts of dropped files that use a session factory or a function which gives rows, or that derive
        from a class of interest."""
        fresh = list(self.modules())
        classes: set[bytes] = set()
        giving = Users(self.givers, self._layout.name_of) if users else None
        while self._dropped and fresh:
            factories = {name.encode() for module in fresh for name in session_names(module)}
            classes = names_of_interest(fresh, classes)
            searched = {path: data for path, data in self._dropped.items() if path not in self._history}
            using = giving.among(searched, fresh) if giving is not None else ()
            found = [
                path
                for path, data in searched.items()
                if path in using
                or any(mentions(data, name) for name in factories)
                or not classes.isdisjoint(base_words(data))
            ]
            for path in found:
                del self._dropped[path]
            fresh = [module for path in found if (module := self.facts(path)) is not None]
            self._candidates += [path for path in found if path in self._sources]  # the others cannot be read

    def _take_facts(self, path: Path) -> None:
        try:
            tree = parse(self.source(path))
        except FileError as error:
            if path in self._scope:
                rows = self.notes if isinstance(error, TooDeepError) else self.problems
                rows.append(error.problem(path))
            self._modules[path] = None
            return
        self._modules[path] = self._collect(path, tree)
        data = self.source(path).utf8
        if self._tree_bytes + len(data) <= _KEPT_TREE_BYTES:
            self._keep(path, tree)

    def _collect(self, path: Path, tree: ast.Module) -> Module:
        return collect(
            tree,
            self._layout.name_of(path),
            path,
            self.source(path).utf8,
            is_package=path.name == "__init__.py",
        )

    def _keep(self, path: Path, tree: ast.Module) -> None:
        self._trees[path] = self._living[path] = tree
        self._tree_bytes += len(self.source(path).utf8)
        while self._tree_bytes > _KEPT_TREE_BYTES and len(self._trees) > 1:
            oldest = next(iter(self._trees))
            self._forget(oldest)

    def _forget(self, path: Path) -> None:
        if self._trees.pop(path, None) is not None:
            self._tree_bytes -= len(self.source(path).utf8)
