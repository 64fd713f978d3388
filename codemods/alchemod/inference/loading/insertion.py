"""Where loader options go, and how they are written."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from alchemod.inference.loading.loop import Loading, RowLoop, Step
from alchemod.inference.loading.options import LoaderOptions, Names


@dataclass(frozen=True, slots=True)
class Insertion:
    """An option to write: in the place of `target`, or as an argument of that call.

    `code` is a template of the verbs. `names` are the dotted names that its holes stand for, `nodes` the expressions.
    """

    target: ast.expr
    code: str
    names: dict[str, str]
    nodes: Mapping[str, ast.expr] = field(default_factory=dict)
    is_argument: bool = False


@dataclass(slots=True)
class _Branch:
    """A relationship to load, and those to load below it. `given` says that it is loaded already, and only leads on."""

    step: Step
    given: bool
    below: dict[str, _Branch] = field(default_factory=dict)


def insertions(loop: RowLoop, loadings: Iterable[Loading]) -> list[Insertion]:
    """The options that load some of the relationships of a loop, added to those that are there."""
    branches: dict[str, _Branch] = {}
    for loading in loadings:
        _add(loading, branches, loop.options)
    found: list[Insertion] = []
    writing = _Writing()
    fresh = list(_chains(branches, (), loop.options, writing, found))
    if fresh:
        found.append(_placed(loop, ", ".join(fresh), writing.names))
    return found


def _add(loading: Loading, branches: dict[str, _Branch], options: LoaderOptions) -> None:
    level = branches
    for number, step in enumerate(loading.steps, 1):
        given = number < len(loading.steps) and (options.decides(loading.names[:number]) or step.loads_itself)
        branch = level.setdefault(step.name, _Branch(step, given))
        branch.given = branch.given and given
        level = branch.below


def _chains(
    level: dict[str, _Branch], at: Names, options: LoaderOptions, writing: _Writing, found: list[Insertion]
) -> Iterator[str]:
    """The options for one level; what leads on from an option that is there is added to `found` instead."""
    for name, branch in level.items():
        names = (*at, name)
        if branch.given and names in options.ends:
            own = _Writing()
            found.append(Insertion(options.ends[names], f"{{_}}{own.below(branch)}", own.names))
        else:
            yield writing.chain(branch)


def _placed(loop: RowLoop, code: str, names: dict[str, str]) -> Insertion:
    start = loop.origin.start
    if isinstance(given := loop.origin.given_options, ast.List):
        kept = {f"kept{number}": option for number, option in enumerate(given.elts)}
        return Insertion(given, f"[{', '.join(f'{{{name}}}' for name in kept)}, {code}]", names, kept)
    if loop.origin.by_key:
        return Insertion(start, f"options=[{code}]", names, is_argument=True)
    if loop.extended is not None:
        return Insertion(loop.extended, code, names, is_argument=True)
    return Insertion(start, f"{{_}}.options({code})", names)


class _Writing:
    """Writes options; classes that no import is needed for are holes of their own."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}

    def chain(self, branch: _Branch) -> str:
        """The option that loads a branch: `{selectinload}(A.b).selectinload(B.c)`."""
        loader = "defaultload" if branch.given else branch.step.strategy
        return f"{{sqlalchemy.orm.{loader}}}({self._attribute(branch.step)}){self.below(branch)}"

    def below(self, branch: _Branch) -> str:
        """The links that load what is below a branch."""
        inner = list(branch.below.values())
        if not inner:
            return ""
        if len(inner) == 1:
            (only,) = inner
            loader = "defaultload" if only.given else only.step.strategy
            return f".{loader}({self._attribute(only.step)}){self.below(only)}"
        return f".options({', '.join(self.chain(one) for one in inner)})"

    def _attribute(self, step: Step) -> str:
        assert step.spelling is not None
        if step.spelling.imported:
            return f"{{{step.spelling.imported}}}.{step.name}"
        code = step.spelling.code
        hole = next((hole for hole, known in self.names.items() if known == code), f"entity{len(self.names)}")
        self.names[hole] = code
        return f"{{{hole}}}.{step.name}"
