"""Small rules and projects to try the engine on."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.fixpoint import FixedPoint, Result
from alchemod.engine.registry import Registry
from alchemod.engine.rule import Rule
from alchemod.facts.project import Project
from alchemod.inference import Inference
from alchemod.settings.options import Settings
from alchemod.text.discover import Discovery, discover


def rule(name: str, code: str, **members: object) -> type[Rule]:
    """A rule made of its parts."""
    return type(name, (Rule,), {"__doc__": f"{name}.", "__module__": __name__, "code": code, **members})


class OldCall(Rule):
    """Calls of `old`, which become calls of `new`."""

    code = "ALC901"
    names = ("old",)

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        from alchemod.edits.verbs import rename

        yield self.fix(call, "old() is old", rename(call.func, "new"))


class RiskyCall(Rule):
    """Calls of `risky`, which become calls of `calm`."""

    code = "ALC902"
    names = ("risky",)

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        from alchemod.edits.verbs import rename

        yield self.fix(call, "risky() may hurt", rename(call.func, "calm"), unsafe="nobody knows who calls it")


class OddName(Rule):
    """Names that are odd, for which there is no fix."""

    code = "ALC903"
    names = ("odd",)

    def find_Name(self, name: ast.Name, ctx: Context) -> Iterator[Finding]:
        yield self.report(name, "odd is odd", missing="an even name")


class Faulty(Rule):
    """Fails wherever it looks."""

    code = "ALC904"
    names = ("faulty",)

    def find_Name(self, name: ast.Name, ctx: Context) -> Iterator[Finding]:
        raise ZeroDivisionError("by nought")
        yield


class Removed(Rule):
    """Calls of `removed`, gone in 2.0."""

    code, since, min_version = "MIG901", "1.4", "1.4"
    names = ("removed",)

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        from alchemod.edits.verbs import rename

        unsafe = "its argument is not known" if call.args else None
        yield self.fix(call, f"removed() is gone, on the way to {ctx.goal}", rename(call.func, "kept"), unsafe=unsafe)


class Changed(Rule):
    """Names that mean something else in 2.1."""

    code, since = "MIG902", "2.1"
    names = ("changed",)

    def find_Name(self, name: ast.Name, ctx: Context) -> Iterator[Finding]:
        yield self.report(name, "changed means something else", missing="what is meant")


class Optional(Rule):
    """Calls of `plain`, which may become calls of `modern`."""

    code, since, on = "MIG903", "2.0", False
    names = ("plain",)

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        from alchemod.edits.verbs import rename

        yield self.fix(call, "plain() has a modern form", rename(call.func, "modern"))


TOYS = (OldCall, RiskyCall, OddName, Faulty, Removed, Changed, Optional)

GATE = "import sqlalchemy\n"
"""What a file needs to pass gate A."""


def write(root: Path, files: Mapping[str, str | bytes]) -> None:
    """Write files below `root`."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def found_in(root: Path, *named: str) -> Discovery:
    """The files of the project at `root`; only `named` ones are in scope, if there are any."""
    return discover(root, [root / name for name in named])


def settle(
    root: Path,
    *rules: type[Rule],
    named: tuple[str, ...] = (),
    target: str | None = None,
    unsafe_fixes: bool = False,
) -> Result:
    """Run rules over the project at `root`."""
    registry = Registry.of(*rules)
    project = Project.load(found_in(root, *named).files, root, target)
    codes = frozenset(entry.code for entry in registry)
    return FixedPoint(project, Inference, registry, codes, Settings(unsafe_fixes=unsafe_fixes)).run()


def texts(result: Result) -> dict[str, str]:
    """The new contents of the files that change, by name."""
    return {path.name: change.new.data.decode() for path, change in result.changes.items()}
