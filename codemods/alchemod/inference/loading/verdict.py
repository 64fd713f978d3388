"""What may be done about a relationship that is read row by row: a decision table, whose first row that fits counts."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from alchemod.facts.relationships import lazy
from alchemod.inference.loading.loop import Loading, RowLoop
from alchemod.inference.mapping.keys import inexact_key, is_composite
from alchemod.inference.resolving.statements import REBUILDING
from alchemod.inference.rows.record import Exposure
from alchemod.inference.rows.refs import is_under
from alchemod.inference.summaries.vocabulary import Effect
from alchemod.inference.values import Session

Kind = Literal["safe", "unsafe", "report"]

_WASTING: Final[dict[Effect, str]] = {
    "commit": "commits",
    "rollback": "rolls back",
    "expire": "expires loaded objects",
    "expunge": "closes the session or takes objects out of it",
}
_PLAIN_OPTIONS: Final = frozenset({"yield_per", "stream_results", "max_row_buffer", "synchronize_session"})
_STEPS_OF_OPTION: Final = frozenset({"autoflush", "populate_existing"})
"""Steps that mean another thing to a query for related rows than to one that is sent when they are read."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`missing` is what keeps the fix from being safe, or from being offered; it names the line."""

    kind: Kind
    missing: str = ""


def verdict(loop: RowLoop, loading: Loading, hooks: Callable[[], str | None]) -> Verdict:
    """What may be done about one relationship. `hooks` says what in the project changes queries behind their backs."""
    if (obstacle := next(_obstacles(loop, loading), None)) is not None:
        return Verdict("report", obstacle)
    if (doubt := next(_doubts(loop, loading), None) or hooks()) is not None:
        return Verdict("unsafe", doubt)
    return Verdict("safe")


def _obstacles(loop: RowLoop, loading: Loading) -> Iterator[str]:
    """Why no option can be offered, in the order of the table."""
    if (exposure := next(_exposures(loop, loading), None)) is not None:
        yield _exposed(exposure, loading)
    if subclassed := next((step for step in loading.steps if step.relationship is None), None):
        yield f"only subclasses of {subclassed.model.name} have {subclassed.name}"
    for effect, node in loading.read.between:
        if effect in _WASTING and not (effect == "commit" and _keeps_objects(loop)):
            yield f"{_line(node)} {_WASTING[effect]}, which throws away what was loaded"
    if loop.origin.obstacle is not None:
        yield loop.origin.obstacle
    if loop.origin.others:
        other = min(loop.reads.joined, key=lambda site: site.lineno)
        yield f"the rows may also be those of {_line(other)}"
    if loop.options.unread is not None:
        yield f"what {ast.unparse(loop.options.unread)} loads is not known"
    if rebuilt := [name for name, _ in loop.origin.statement.steps if name in REBUILDING]:
        yield f"whether an option reaches the rows through {rebuilt[0]}() is not known"
    for step in loading.steps:
        if step.spelling is None:
            yield f"{step.model.name} cannot be written there"
        elif step.spelling.cycle:
            yield f"importing {step.spelling.code} there would close a circle of imports"
        if step.relationship is not None and lazy(step.relationship) == "unknown":
            yield f"how {step.model.name}.{step.name} loads by default is not known"


def _doubts(loop: RowLoop, loading: Loading) -> Iterator[str]:
    """Why an option is not safe, in the order of the table."""
    for effect, node in loading.read.between:
        if effect == "write" or effect == "commit":
            yield f"{_line(node)} may change {loading.label} after the query"
    if loop.origin.doubt is not None:
        yield loop.origin.doubt
    if not loading.read.must:
        yield f"{_line(loading.read.nodes[0])} reads {loading.label} of some rows only, or of none"
    if loop.origin.is_async:
        yield "under AsyncSession the option decides whether this raises MissingGreenlet"
    if loading.key_reads:
        yield f"where {loading.key_reads[0].column} is None, {loading.name} is too, and reading its key fails"
    if loading.last.strategy == "contains_eager":
        yield "it is taken from the rows that the statement joins"
    if not loading.read.direct:
        yield loading.read.why[0]
    if len(loading.steps) > 1:
        yield f"{loading.label} is read {len(loading.steps)} steps away from the rows"
    if loop.elsewhere:
        yield f"the query is in {loop.elsewhere}"
    if len(loop.origin.statement.terms) > 1:
        yield "the rows have several columns"
    if loop.shows_itself:
        yield f"{loop.shows_itself} shows what is loaded"
    if loading.label in loop.loaded_before:
        yield f"an earlier query here may have loaded {loading.label} already"
    selecting = loading.last.strategy == "selectinload"
    if selecting and is_composite(loading.compared):
        yield "selectinload compares a composite key, which not every database can"
    if selecting and (inexact := inexact_key(loading.last.relationship, loading.last.model)):
        yield f"selectinload matches keys in Python, and {inexact} may match otherwise in the database"
    for step in loading.steps:
        if step.spelling is not None and step.spelling.imported is not None:
            yield f"{step.spelling.imported} has to be imported there"
    if (unknown := _setting(loop)) is not None:
        yield f"{unknown} reaches the option's query too"


def _exposures(loop: RowLoop, loading: Loading) -> Iterator[Exposure]:
    """The places where it shows whether the relationship is loaded: its object, or one that leads to it, gets out of
    sight there."""
    for exposure in loop.exposures:
        path = loading.read.path
        if exposure.kind == "runtime" and loading.read.direct:
            continue
        is_below = exposure.kind == "depth" and exposure.path[: len(path)] == path
        if is_below or is_under(path, exposure.path):
            yield exposure


def _exposed(exposure: Exposure, loading: Loading) -> str:
    where = _line(exposure.node)
    ending = f", {exposure.why[-1]}" if exposure.why else ""
    match exposure:
        case Exposure(kind="runtime"):
            return f"{where}: {exposure.why[-1]}"
        case Exposure(kind="depth"):
            return f"{where} goes on from row to row{ending}"
        case Exposure(kind="reflection") if not exposure.why:
            return f"{where} looks at what is loaded"
        case Exposure(node=ast.Attribute(attr=name)):
            return f"{where} uses {name} of {loading.entity.model.name}, which may look at what is loaded{ending}"
        case Exposure(node=ast.Call(func=callee)):
            return f"{where} hands rows to {ast.unparse(callee)}(), which may look at what is loaded{ending}"
    return f"{where} may look at what is loaded{ending}"


def _keeps_objects(loop: RowLoop) -> bool:
    """Whether a commit is known to leave the objects as they are (`expire_on_commit=False`)."""
    session: Session | None = loop.origin.session
    return session is not None and session.factory is not None and not session.factory.expire_on_commit


def _setting(loop: RowLoop) -> str | None:
    """A setting of the statement that may mean something to a query for related rows."""
    for name, call in loop.origin.statement.steps:
        if name in _STEPS_OF_OPTION:
            return f"{name}()"
        if name == "execution_options":
            for keyword in call.keywords:
                if keyword.arg not in _PLAIN_OPTIONS:
                    return f"execution_options({keyword.arg or '**'})"
    return _given_at_execution(loop.site)


def _given_at_execution(site: ast.expr) -> str | None:
    """Execution options that the call which executes the statement is given."""
    for node in ast.walk(site):
        for keyword in node.keywords if isinstance(node, ast.Call) else ():
            if keyword.arg == "execution_options":
                match keyword.value:
                    case ast.Dict(keys=keys) if all(
                        isinstance(key, ast.Constant) and key.value in _PLAIN_OPTIONS for key in keys
                    ):
                        continue
                return f"execution_options={ast.unparse(keyword.value)}"
    return None


def _line(node: ast.AST) -> str:
    if isinstance(node, ast.withitem):
        node = node.context_expr
    return f"line {getattr(node, 'lineno', 0)}"
