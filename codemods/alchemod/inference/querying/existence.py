"""Rows that are fetched or counted only to see whether there are any, and how EXISTS asks the same.

What `Query.exists()` makes of a query is verified by execution on SQLAlchemy 1.4 to 2.1: it keeps filters, joins,
groups and limits, and drops the columns, locks, and entities that are neither the first nor joined.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from alchemod.facts.lookup import External
from alchemod.facts.module import last_name
from alchemod.facts.nodes import is_dotted, walk
from alchemod.inference.area import Area
from alchemod.inference.connections.dialects import Dialects
from alchemod.inference.loading.options import loader_options
from alchemod.inference.querying.executions import Execution, Executions
from alchemod.inference.querying.interference import Interference
from alchemod.inference.querying.query_labels import label_in_text
from alchemod.inference.querying.reach import Reach
from alchemod.inference.resolving.statements import JOINS, REBUILDING
from alchemod.inference.uses.aggregates import may_aggregate
from alchemod.inference.uses.usage import Usage, Use, UseKind, Uses, use_at
from alchemod.inference.values import Answer, Outside, Place, Rows, Statement

Fetched = Literal["object", "list", "number"]

_FETCHING: Final[dict[str, Fetched]] = {
    **dict.fromkeys(("first", "fetchone", "scalar"), "object"),
    **dict.fromkeys(("all", "fetchall"), "list"),
    "count": "number",
}
_ALLOWED: Final[dict[Fetched, tuple[UseKind, ...]]] = {
    "object": ("truth", "bool", "is none", "is not none"),
    "list": ("truth", "bool"),
    "number": ("truth", "bool", "zero", "positive"),
}
_KEPT: Final = JOINS | {
    *("filter", "where", "filter_by", "order_by", "group_by", "having", "limit", "offset", "slice", "distinct"),
    *("options", "select_from", "with_entities", "with_only_columns", "reset_joinpoint", "enable_eagerloads"),
}
"""Steps that EXISTS takes as they are, or that make no difference to it."""
_LOCKS: Final = frozenset({"with_for_update", "with_lockmode"})
_TRUTH: Final = ("__bool__", "__len__")
_OF_QUERY: Final = "{session}.query({query}.exists()).scalar()"


TESTED: Final = (
    *("query", "filter", "filter_by", "where", "join", "outerjoin", "order_by", "limit", "offset", "options"),
    *("select_from", "distinct", "with_entities", "execute", "scalars"),
)
"""Methods whose Query or Result somebody may take for its rows."""


@dataclass(frozen=True, slots=True)
class Test:
    """An expression that asks whether there are rows. `negated`: it is true when there are none.

    `variable` is the name it reads, for a result that a variable holds.
    """

    node: ast.expr
    negated: bool
    variable: ast.Name | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A result that is fetched to see whether it is empty: what fetches it, the tests, and what EXISTS would be.

    `template` with `holes` is the expression that asks the database instead, None where the session cannot be named.
    `obstacle` is why it cannot be offered, `doubt` why it is not safe.
    """

    execution: Execution
    fetched: Fetched
    value: ast.expr
    """The expression that gives what is fetched, for a result that a variable holds."""
    tests: tuple[Test, ...]
    template: str | None
    holes: dict[str, Any]
    obstacle: str | None = None
    doubt: str | None = None


@dataclass(frozen=True, slots=True)
class AlwaysTrue:
    """A test of a Query or Result itself, which is true whatever the database holds.

    `template` with `holes` is the EXISTS that was meant, None where it cannot be written; `missing` says why.
    """

    answer: Answer
    test: Test
    template: str | None
    holes: dict[str, Any]
    missing: str = ""


class Existence(Area):
    """Which results are only tested for being there."""

    def asked_by(self, call: ast.Call, place: Place) -> Asked | None:
        """What `call` fetches only to see whether there is something; None when it does not, or that is not known."""
        assert isinstance(call.func, ast.Attribute)
        execution = self.inference.ask(Executions).of(call, place)
        fetched = _FETCHING.get(call.func.attr)
        if execution is None or fetched is None:
            return None
        if selects_number := fetched == "object" and call.func.attr == "scalar" and _selects_count(execution.statement):
            fetched = "number"
        elif not self._fetches(execution, call, fetched):
            return None
        fetched, uses = self._used(call, fetched, place)
        allowed = _ALLOWED[fetched]
        if fetched == "object" and self._has_own_truth(execution):
            allowed = ("is none", "is not none")
        if not uses.only(*allowed) or (fetched == "object" and self._has_own_equality(execution, uses)):
            return None
        tests = tuple(_test(use, uses) for use in uses.every)
        if selects_number:
            by_hand = "the statement selects the number: let exists() select the rows"
            return Asked(execution, fetched, uses.value, tests, None, {}, by_hand)
        template, holes = self._code(execution, place)
        obstacle = next(self._obstacles(execution, template), None)
        doubt = next(self._doubts(execution, fetched, place), None)
        return Asked(execution, fetched, uses.value, tests, template, holes, obstacle, doubt)

    def always_true(self, call: ast.Call, place: Place) -> Iterator[AlwaysTrue]:
        """The tests of the Query or Result that `call` gives."""
        answer = self.inference.resolver.value(call, place)
        match answer:
            case Answer(value=Statement(style="query") as statement):
                if any(self.inference.overrides_query_method(name, statement) for name in _TRUTH):
                    return
            case Answer(value=Rows(lazy=True, statement=Statement(style="select"))):
                pass
            case _:
                return
        uses = self.inference.ask(Usage).of(call, place)
        for use in uses.every:
            if use.kind in {"truth", "bool"} or (use.kind in {"is none", "is not none"} and uses.variable is None):
                test = _test(use, uses)
                template, holes = self._meant(call, use.read, place)
                missing = "" if template is not None else "what is asked instead has to be written by hand"
                yield AlwaysTrue(answer, test, template, holes, missing)

    def _meant(self, call: ast.Call, read: ast.expr, place: Place) -> tuple[str | None, dict[str, Any]]:
        execution = self.inference.ask(Executions).of(call, place)
        if execution is not None and execution.sent is call and not execution.has_arguments and read is call:
            return self._code(execution, place)
        session = self.inference.ask(Reach).session_of(read, place)
        return (_OF_QUERY, {"session": session, "query": read}) if session is not None else (None, {})

    def _fetches(self, execution: Execution, call: ast.Call, fetched: Fetched) -> bool:
        statement = execution.statement
        if execution.sent is call:
            return execution.taken == "scalar" and _is_one_entity(statement)
        if call.args or call.keywords or execution.taken == "scalar":
            return False
        if fetched == "number" and execution.sent is not None:
            return False
        if fetched == "object" and execution.scalars and not _is_one_entity(statement):
            return False  # the first value may be NULL, or not true
        # An aggregate gives a row where there are none, and EXISTS drops it.
        return execution.sent is not None or all(term.kind != "expression" for term in statement.terms)

    def _used(self, call: ast.Call, fetched: Fetched, place: Place) -> tuple[Fetched, Uses]:
        """The uses of what a call fetches; where only its length is used, those of the length."""
        usage = self.inference.ask(Usage)
        uses = usage.of(call, place)
        if fetched == "list" and uses.only("length"):
            if uses.variable is None:
                length = uses.every[0].node
                assert isinstance(length, ast.expr)
                return "number", usage.of(length, place)
            around = usage.around(place)
            lengths = [use.node for use in uses.every if isinstance(use.node, ast.expr)]
            return "number", Uses(uses.value, tuple(use_at(length, around) for length in lengths), uses.variable)
        return fetched, uses

    def _has_own_truth(self, execution: Execution) -> bool:
        """Whether objects of the class may be false, or hold nothing."""
        return execution.scalars and self._defines(execution.statement, _TRUTH)

    def _has_own_equality(self, execution: Execution, uses: Uses) -> bool:
        """Whether `== None` asks a method of the class."""
        compared = [use.node for use in uses.every if isinstance(use.node, ast.Compare)]
        by_value = any(isinstance(node.ops[0], ast.Eq | ast.NotEq) for node in compared)
        return by_value and execution.scalars and self._defines(execution.statement, ("__eq__", "__ne__"))

    def _defines(self, statement: Statement, names: tuple[str, ...]) -> bool:
        entity = statement.terms[0].entity
        if entity is None:
            return True
        below = self.inference.project.models.subclasses(entity.model)
        family = [*entity.model.family, *(model.facts for model in below)]
        return any(name in facts.methods or name in facts.attributes for facts in family for name in names)

    def _code(self, execution: Execution, place: Place) -> tuple[str | None, dict[str, Any]]:
        if execution.sent is not None:
            assert execution.session is not None
            awaits = "await " if execution.is_async else ""
            holes: dict[str, Any] = {"session": execution.session, "statement": execution.query}
            select = self._select_of(execution, place)
            if select is None:
                return awaits + "{session}.scalar({sqlalchemy.select}({statement}.exists()))", holes
            return awaits + "{session}.scalar({select}({statement}.exists()))", holes | {"select": select}
        session = self.inference.ask(Reach).session_of(execution.query, place)
        if session is None:
            return None, {}
        return _OF_QUERY, {"session": session, "query": execution.query}

    def _select_of(self, execution: Execution, place: Place) -> str | None:
        """How the statement itself says `select`, which may come from a module of the project; None for another way."""
        beginning = self.inference.ask(Executions).beginning(execution, place)
        if not isinstance(beginning, ast.Call) or not is_dotted(beginning.func):
            return None
        match self.inference.resolver.value(beginning.func, place):
            case Answer(value=Outside(definition=External(name="sqlalchemy.select"))):
                return ast.unparse(beginning.func)
        return None

    def _obstacles(self, execution: Execution, template: str | None) -> Iterator[str]:
        statement = execution.statement
        if template is None:
            yield f"no name stands for the session that {ast.unparse(execution.query)} belongs to"
        if execution.has_arguments:
            yield "the statement is sent with more than itself"
        names = [name for name, _ in statement.steps]
        if locked := next((name for name in names if name in _LOCKS), None):
            yield f"{locked}() locks the row, which EXISTS does not"
        if rebuilt := next((name for name in names if name in REBUILDING), None):
            yield f"what EXISTS makes of {rebuilt}() is another query"
        for name, call in statement.steps:
            if name in {"order_by", "group_by", "distinct"} and (label := _by_name(call)) is not None:
                yield f"{name}() speaks of {label!r}, which may be a column that EXISTS drops"
            if name == "order_by" and any(isinstance(part, ast.Call) and may_aggregate(part) for part in _given(call)):
                yield "order_by() an aggregate may raise, and EXISTS drops it"
        if (label := label_in_text(statement, self.inference.project)) is not None:
            yield f"text speaks of {label}, a column that EXISTS drops"

    def _doubts(self, execution: Execution, fetched: Fetched, place: Place) -> Iterator[str]:
        statement = execution.statement
        if other := next((name for name, _ in statement.steps if name not in _KEPT), None):
            yield f"what EXISTS makes of {other}() is not known"
        if execution.sent is None:
            yield from _changed_rows(statement)
        if fetched == "object" and any(_may_be_nothing(name, call) for name, call in statement.steps):
            yield "first() replaces a limit of 0, EXISTS keeps it"
        root = place.scope.root.node
        options = loader_options(statement.steps, root if isinstance(root, ast.Module) else None)
        if (unread := options.unread or options.all) is not None:
            yield f"what {ast.unparse(unread)} does to the query is not known"
        interference = self.inference.ask(Interference).of(execution, "exists", loads=fetched != "number")
        if interference:
            yield interference
        if dialect := self.inference.ask(Dialects).without_exists_column:
            yield dialect


def _changed_rows(statement: Statement) -> Iterator[str]:
    """What of a Query its EXISTS may lose."""
    entities = {term.entity.cls for term in statement.terms if term.entity is not None}
    if any(term.kind == "unknown" for term in statement.terms):
        yield "what the query selects is not known"
    if len(entities) != 1:
        yield "EXISTS asks for the first of several entities only"
    if statement.selected_from is not None and statement.selected_from.cls not in entities:
        yield "the query selects from another entity than it gives"
    if statement.has_step("distinct") and statement.has_step("offset", "limit", "slice"):
        yield "DISTINCT counts the columns, which EXISTS drops"


def _is_one_entity(statement: Statement) -> bool:
    return len(statement.terms) == 1 and statement.terms[0].kind == "entity"


def _may_be_nothing(name: str, call: ast.Call) -> bool:
    """Whether a step may limit the rows to none."""
    match call.args:
        case [ast.Constant(value=int(limit))] if name == "limit":
            return limit == 0
    return name in {"limit", "slice"}


def _by_name(call: ast.Call) -> str | None:
    """The name in `order_by("name")`, `order_by(desc("name"))`."""
    for node in _given(call):
        match node:
            case ast.Constant(value=str(text)):
                return text
    return None


def _selects_count(statement: Statement) -> bool:
    """Whether a statement gives nothing but the number of its rows."""
    if len(statement.terms) != 1 or statement.has_step("group_by", "having", "distinct", "limit", "offset"):
        return False
    match statement.terms[0].node:
        case ast.Call(func=ast.Attribute(value=maker, attr="count")):
            return last_name(maker) == "func"
    return False


def _given(call: ast.Call) -> Iterator[ast.AST]:
    """The arguments of a call, and their parts."""
    return (part for argument in call.args for part in walk(argument))


def _test(use: Use, uses: Uses) -> Test:
    tested = use.read if use.kind == "truth" else use.node
    assert isinstance(tested, ast.expr)
    variable = None
    if uses.variable is not None:
        named = use.read.args[0] if isinstance(use.read, ast.Call) else use.read
        assert isinstance(named, ast.Name)
        variable = named
    return Test(tested, use.kind in {"is none", "zero"}, variable)
