"""How the calls of a chain build a statement: what each step does to its entities.

The behaviour is that of SQLAlchemy 1.4 to 2.1, verified by execution: `Query.filter_by` and `Select.filter_by` speak of
the last joined entity, else of `select_from`, else of the first column's ("Joins" in the ORM Querying Guide).
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace

from alchemod.facts.models import Models
from alchemod.inference.resolving.joins import Evaluate, join_target
from alchemod.inference.values import (
    Answer,
    ClassObject,
    ColumnObject,
    Entity,
    Expression,
    ModelAttribute,
    ModelClass,
    Place,
    Rows,
    Statement,
    TableObject,
    Term,
    Value,
    resting_on,
)

KEEPING = frozenset(
    {
        "filter", "where", "filter_by", "order_by", "group_by", "having", "limit", "offset", "slice", "options",
        "distinct", "execution_options", "with_for_update", "with_lockmode", "populate_existing", "autoflush",
        "yield_per", "enable_eagerloads", "params", "correlate", "correlate_except", "prefix_with", "suffix_with",
        "with_hint",
        "with_statement_hint", "with_parent", "with_labels", "apply_labels", "set_label_style", "with_session",
        "enable_assertions", "returning", "values", "ordered_values", "merge_result", "fetch", "tuples",
        "only_return_tuples", "add_cte", "use_legacy_from_self",
    }
)  # fmt: skip
"""Steps that leave the entity of a later `filter_by` as it is."""

JOINS = frozenset({"join", "outerjoin", "join_from", "outerjoin_from"})
REBUILDING = frozenset(
    {
        "union", "union_all", "intersect", "intersect_all", "except_", "except_all", "from_self", "select_entity_from",
        "with_polymorphic", "from_statement", "from_joinpoint", "with_transformation",
    }
)  # fmt: skip
"""Steps after which names speak of a subquery or an alias."""

ROW_ENDINGS = frozenset(
    {"all", "first", "one", "one_or_none", "fetchall", "fetchone", "get", "get_or_404", "first_or_404"}
)
"""Methods of Query that execute it."""


EXECUTING = frozenset({"execute", "scalars", "exec", "stream", "stream_scalars", "scalar"})
"""Methods of a session that execute the statement they get."""

NEW_COLUMNS = frozenset({"with_entities", "with_only_columns"})
"""Steps that replace the column list: an option for the new one has to come after them."""


def begin(terms: Sequence[Answer | None], nodes: Sequence[ast.expr], place: Place) -> tuple[Term, ...]:
    """The column list made of these arguments."""
    return tuple(
        _term(answer.value if answer else None, node, place) for answer, node in zip(terms, nodes, strict=True)
    )


def _term(value: Value | None, node: ast.expr, place: Place) -> Term:
    match value:
        case ModelClass():
            return Term("entity", Entity(value, node, place), node)
        case ModelAttribute(owner=owner):
            spelled = node.value if isinstance(node, ast.Attribute) else None
            return Term("column", Entity(owner, spelled, place), node)
        case TableObject():
            return Term("table", None, node)
        case ColumnObject():
            return Term("column", None, node)
        case Expression(owners=(), is_whole=True):
            return Term("expression", None, node)
        case Expression(owners=owners, is_whole=True) if len(set(owners)) == 1:
            return Term("expression", Entity(owners[0], None, place), node)
    return Term("unknown", None, node)


def step(answer: Answer, name: str, call: ast.Call, place: Place, evaluate: Evaluate, models: Models) -> Answer | None:
    """The statement after calling method `name`, None when the method is no step of a statement."""
    statement = answer.value
    assert isinstance(statement, Statement)
    after = replace(statement, steps=(*statement.steps, (name, call)), node=call, place=place)
    if name in KEEPING:
        return answer.then(after)
    if name in {"add_columns", "add_column", "add_entity", "column"}:
        return _added(answer, after, call, place, evaluate)
    if name in JOINS:
        return _join(answer, after, name, call, place, evaluate, models)
    if name == "select_from":
        return _select_from(answer, after, call, place, evaluate)
    if name in NEW_COLUMNS:
        nodes = _positional(call)
        if nodes is None:
            return answer.then(replace(after, lost=name))
        answers = [evaluate(node) for node in nodes]
        terms = begin(answers, nodes, place)
        # The join is forgotten, the argument of select_from is not.
        lost = "" if statement.lost in {*JOINS, "with_entities", "with_only_columns"} else statement.lost
        changed = replace(after, terms=terms, joined=None, outer=False, lost=lost)
        return resting_on(changed, (answer, *(found for found in answers if found is not None)))
    if name == "reset_joinpoint":
        return answer.then(
            replace(after, joined=None, outer=False, lost="" if statement.lost in JOINS else statement.lost)
        )
    if name in REBUILDING:
        return answer.then(replace(after, joined=None, lost=name))
    return None


def _added(answer: Answer, after: Statement, call: ast.Call, place: Place, evaluate: Evaluate) -> Answer:
    nodes = _positional(call)
    if nodes is None:
        return answer.then(replace(after, terms=(*after.terms, Term("unknown", None, call))))
    answers = [evaluate(node) for node in nodes]
    return answer.then(replace(after, terms=(*after.terms, *begin(answers, nodes, place))))


def _join(
    answer: Answer,
    after: Statement,
    name: str,
    call: ast.Call,
    place: Place,
    evaluate: Evaluate,
    models: Models,
) -> Answer:
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    lost = answer.then(replace(after, joined=None, lost=name))
    arguments = _positional(call)
    if arguments is None or None in keywords or {"aliased", "from_joinpoint"} & keywords.keys():
        return lost
    if name.endswith("_from"):
        arguments = arguments[1:]
    if not arguments and "target" in keywords and keywords["target"] is not None:
        arguments = [keywords["target"]]
    if not arguments:
        return lost
    found = join_target(after, arguments, place, evaluate, models)
    if found is None:
        return lost
    target, support = found
    is_outer = name.startswith("outer") or _is_true(keywords.get("isouter")) or _is_true(keywords.get("full"))
    return resting_on(replace(after, joined=target, outer=is_outer, lost=""), (answer, *support))


def _select_from(answer: Answer, after: Statement, call: ast.Call, place: Place, evaluate: Evaluate) -> Answer:
    arguments = _positional(call)
    if not arguments:
        return answer.then(replace(after, lost="select_from"))
    found = evaluate(arguments[0])
    if found is None or not isinstance(found.value, ModelClass):
        return answer.then(replace(after, lost="select_from"))
    entity = Entity(found.value, arguments[0], place)
    return resting_on(replace(after, selected_from=after.selected_from or entity), (answer, found))


def filter_by_target(statement: Statement) -> Entity | None:
    """The entity that the keywords of `filter_by` would speak of, None when it is not known."""
    if statement.lost:
        return None
    if statement.joined is not None:
        return statement.joined
    if statement.selected_from is not None:
        return statement.selected_from
    return statement.terms[0].entity if statement.terms else None


def from_entities(statement: Statement) -> int:
    """How many entities, known or not, stand in the FROM list at least.

    A label or function of a column counts with its table, which is not the entity (verified on SQLAlchemy 2.1).
    """
    entities = {(term.entity.cls, term.kind == "expression") for term in statement.terms if term.entity is not None}
    entities.update((entity.cls, False) for entity in (statement.joined, statement.selected_from) if entity is not None)
    unknown = sum(term.kind == "unknown" or _is_of_table(term) for term in statement.terms)
    joins = sum(name in JOINS for name, _ in statement.steps)
    more = sum(len(call.args) - 1 for name, call in statement.steps if name == "select_from" and call.args)
    return max(len(entities) + unknown + more, 1 + joins)


def _is_of_table(term: Term) -> bool:
    """Whether a term is a Core table or a column of one, which no entity stands for."""
    return term.kind in {"table", "column"} and term.entity is None


def built_for(statement: Statement, cls: ModelClass | ClassObject) -> Statement:
    """The statement of a method that was called on `cls`: where the method says `cls` or `type(self)`, it is that."""
    if not isinstance(cls, ModelClass):
        return statement
    family = (cls.model.facts, *cls.model.ancestors)
    entity = Entity(cls)

    def seen(found: Entity | None) -> Entity | None:
        return entity if found is not None and found.cls.is_open and found.model.facts in family else found

    terms = [replace(term, entity=seen(term.entity)) for term in statement.terms]
    for index, term in enumerate(terms):
        if term.kind == "unknown" and term.node is not None and ast.unparse(term.node) in _OWN_CLASS:
            terms[index] = Term("entity", entity, term.node)
    return replace(
        statement, terms=tuple(terms), joined=seen(statement.joined), selected_from=seen(statement.selected_from)
    )


_OWN_CLASS = frozenset({"cls", "type(self)", "self.__class__"})


def executed(statement: Statement, *, scalars: bool, lazy: bool) -> Rows:
    """The rows that executing a statement gives."""
    return Rows(statement, scalars, lazy)


def _positional(call: ast.Call) -> list[ast.expr] | None:
    """The positional arguments, a single list or tuple display opened; None when one is starred."""
    if any(isinstance(argument, ast.Starred) for argument in call.args):
        return None
    match call.args:
        case [ast.List(elts=parts)] if not any(isinstance(part, ast.Starred) for part in parts):
            return list(parts)
    return list(call.args)


def _is_true(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is True
