"""What stands against translating one use of a Query: facts that make it impossible, or not safe."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from alchemod.facts.keys import tables_of
from alchemod.facts.module import last_name
from alchemod.inference.querying.query_labels import label_in_text
from alchemod.inference.translation.changes import UntranslatedError
from alchemod.inference.translation.hooks import QueryHooks
from alchemod.inference.translation.rows import why_keys_differ, why_keys_matter
from alchemod.inference.translation.situation import Situation
from alchemod.inference.translation.uniqueness import is_of_selectable
from alchemod.inference.translation.uses import GIVING_ROWS
from alchemod.inference.uses.parents import parents_of
from alchemod.inference.values import (
    Answer,
    ClassObject,
    FunctionObject,
    ModelClass,
    Object,
    Session,
    SessionFactory,
)

if TYPE_CHECKING:
    from alchemod.inference import Inference

_BRINGING_COLUMNS: Final = ("join", "outerjoin", "select_from", "options")
_LABELLING: Final = ("with_labels", "apply_labels")
_NAMING: Final = frozenset(
    {"filter", "where", "having", "join", "outerjoin", "select_from", "order_by", "group_by", "distinct", "add_columns"}
)
"""Steps that may be given text or other expressions with named parameters."""
_DECISIVE: Final = ("yield_per", "from_statement", *_LABELLING)
"""Steps that decide what a use becomes."""
_EXAMPLE: Final = re.compile(rb"^ *>>>.*$", re.MULTILINE)
_ADDING: Final = frozenset({"add_columns", "add_column", "add_entity", "with_entities"})


def check_columns(here: Situation) -> None:
    """Raises UntranslatedError when it is not known what the rows are, or the Query raises for its column list."""
    columns = here.columns
    if (unknown := columns.unknown) is not None:
        shown = ast.unparse(unknown.node) if unknown.node is not None else "a column"
        raise UntranslatedError(f"whether {shown} is a class or a column is not known")
    if (relationship := columns.relationship) is not None:
        raise UntranslatedError(f"{relationship.name} is a relationship, a Query renders it as a criterion")
    is_without_class = columns.kind == "columns" and not any(column.owners for column in columns.columns)
    is_refused = is_without_class or (columns.kind == "columns" and here.purpose not in GIVING_ROWS)
    if is_refused and here.statement.has_step("options"):
        raise UntranslatedError("a Query for columns refuses options: this call raises")
    if here.purpose == "count" and columns.repeated:
        raise UntranslatedError(f"a Query that selects {columns.repeated[0]} twice may refuse to be counted")
    owners = (owner for column in columns.columns for owner in column.owners)
    is_copied = here.statement.has_step("params") and here.statement.has_step("join", "outerjoin")
    if is_copied and any(map(is_of_selectable, owners)):
        raise UntranslatedError("params() of a select copies the subquery that an alias stands for")


def check_texts(here: Situation) -> None:
    """Raises UntranslatedError when text speaks of a name, or a parameter, that `select()` does not give it."""
    if (label := label_in_text(here.statement, here.resolver.project)) is not None:
        raise UntranslatedError(f"text speaks of {label}, a name that only a Query gives a column")
    steps = [name for name, _ in here.statement.steps]
    if "params" in steps and not _NAMING.isdisjoint(steps[steps.index("params") + 1 :]):
        raise UntranslatedError("params() of a select speaks of what stands before it only")


def check_hooks(here: Situation, inference: Inference) -> None:
    """Raises UntranslatedError when a hook of the project acts on the Query and would not on `select()`."""
    hooks = inference.ask(QueryHooks)
    if blocked := hooks.blocking(here.statement, is_plain=has_plain_session(here), bulk=here.purpose == "bulk"):
        raise UntranslatedError(f"{blocked} acts on a Query only")


def check_sessions(here: Situation) -> None:
    """Raises UntranslatedError when what is asked for the Query may have nothing of a session but `query()`."""
    for origin in here.web.origins:
        session = here.resolver.value(origin.session, origin.place) if origin.session is not None else None
        match session:
            case Answer(value=Object() | ClassObject() | ModelClass() | FunctionObject()):
                raise UntranslatedError(f"{ast.unparse(origin.session or origin.node)} is no session")
            case None if origin.session is not None and (other := here.resolver.project.query_definers.proxy):
                raise UntranslatedError(f"whether {ast.unparse(origin.session)} is a session, or {other}, is not known")


def has_plain_session(here: Situation) -> bool:
    """Whether the session of every Query of the web is seen to make SQLAlchemy's own queries."""
    factories = _factories(here)
    return bool(factories) and all(factory is not None and factory.has_plain_queries for factory in factories)


def _factories(here: Situation) -> list[SessionFactory | None]:
    """What made the session of each Query of the web."""
    found: list[SessionFactory | None] = []
    for origin in here.web.origins:
        session = here.resolver.value(origin.session, origin.place) if origin.session is not None else None
        match session:
            case Answer(value=Session(factory=factory)):
                found.append(factory)
            case _:
                found.append(None)
    return found


def doubts(here: Situation, inference: Inference) -> Iterator[str]:
    """Why a translation is not safe, one sentence each; some are ""."""
    is_plain = has_plain_session(here)
    overridden = any(factory is not None and factory.overrides for factory in _factories(here))
    yield inference.ask(QueryHooks).doubt(is_plain=is_plain and not overridden)
    yield "" if is_plain else inference.unseen_query_class(here.statement)
    steps = [name for name, _ in here.statement.steps]
    yield inference.pinned("query", *steps, *([here.use.name] if here.use.name else [])) or ""
    yield _why_doctests_matter(here)
    if here.columns.runtime is not None:
        is_column = any(column.is_guessed for column in here.columns.columns)
        yield f"that {here.columns.runtime} is a {'column' if is_column else 'mapped class'} is not seen"
    if here.purpose in {"rows", "loop", "slice"}:
        yield why_keys_matter(here)
    if _is_executed_elsewhere(here):
        yield why_keys_differ(here.columns)
    yield _why_ways_matter(here)
    yield _why_loops_matter(here)
    yield _why_labels_matter(here)
    yield _why_inheritance_matters(here)
    yield _why_strings_matter(here)
    if here.purpose != "bulk":
        yield _why_distinct_matters(here)


def _is_executed_elsewhere(here: Situation) -> bool:
    """Whether somebody else may execute the statement and read its rows: it is taken as such, or given to execute()."""
    if here.use.kind == "attribute":
        return here.use.name in {"statement", "selectable"}
    return here.use.kind == "argument" and isinstance(here.use.node, ast.Call) and last_name(here.use.node) == "execute"


def _why_doctests_matter(here: Situation) -> str:
    """Why an example in a docstring may show that the Query is none: it hands the code a mock of the session."""
    source = here.resolver.project.source(here.path).utf8
    is_mocked = any(b".query." in line for line in _EXAMPLE.findall(source))
    return "an example in a docstring of this file prepares Queries on a mock" if is_mocked else ""


def _why_ways_matter(here: Situation) -> str:
    """Why it matters that a step is taken on some ways only."""
    name = next((name for name in _DECISIVE if name in here.uncertain), "")
    return f"whether {name}() is called before depends on the way" if name else ""


def _why_loops_matter(here: Situation) -> str:
    """Why it matters that a loop adds columns: how many there are is not known."""
    for step in here.web.steps if not here.web.is_expression else ():
        if step.name in _ADDING:
            root = step.place.scope.root.node
            assert isinstance(root, ast.Module)
            if any(
                isinstance(around, ast.For | ast.While | ast.AsyncFor) for around in parents_of(root).around(step.call)
            ):
                return f"{step.name}() in a loop leaves open which columns there are"
    return ""


def _why_labels_matter(here: Situation) -> str:
    if not here.statement.has_step(*_LABELLING) or here.columns.kind == "entity" or here.use.name == "subquery":
        return ""
    return "with_labels() gives the columns the names of their tables too"


def _why_inheritance_matters(here: Situation) -> str:
    """Why a Query may forget the join of the tables of a class, where another class is joined to."""
    if here.columns.kind != "rows" or not here.statement.has_step("join", "outerjoin"):
        return ""
    joined = (cls.model.name for cls in here.columns.entities if len(tables_of(cls.model)) > 1)
    name = next(joined, "")
    return f"a Query with joins may leave out the one between the tables of {name}" if name else ""


def _why_strings_matter(here: Situation) -> str:
    """Why a name in a string may mean another column: a Query labels all columns with the names of their tables."""
    is_alone = here.columns.kind == "entity" and not here.statement.has_step(*_BRINGING_COLUMNS)
    if is_alone and not any(_joins_others(cls, here) for cls in here.columns.entities):
        return ""
    for name, call in here.statement.steps:
        if name in {"order_by", "group_by"}:
            for argument in call.args:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    return f"what {argument.value!r} means among several columns may differ"
    return ""


def _joins_others(cls: ModelClass, here: Situation) -> bool:
    """Whether a class loads others by a join without being told so."""
    models = here.resolver.project.models
    attributes = cls.model.attributes.values()
    return any(attribute.kind == "relationship" and models.may_be_joined(attribute) for attribute in attributes)


def _why_distinct_matters(here: Situation) -> str:
    """Why SQLAlchemy 1.4 may select more than is asked for: what the rows of a distinct Query are ordered by."""
    if not here.resolver.project.versions.includes("1.4"):
        return ""
    is_distinct = any(name == "distinct" and not call.args for name, call in here.statement.steps)
    if not is_distinct or (here.columns.kind == "entity" and here.purpose in {"rows", "loop", "slice"}):
        return ""
    for name, call in here.statement.steps:
        if name == "order_by":
            for argument in call.args:
                if not _is_selected(argument, here):
                    shown = ast.unparse(argument)
                    return f"in SQLAlchemy 1.4 {shown} is selected by a distinct Query and not by select()"
    return ""


def _is_selected(node: ast.expr, here: Situation) -> bool:
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and not node.args:
        node = node.func.value  # desc(), asc(), nulls_last()
    if isinstance(node, ast.Constant):
        return True
    if any(column.node is not None and ast.dump(column.node) == ast.dump(node) for column in here.columns.columns):
        return True
    if isinstance(node, ast.Attribute):
        answer = here.resolver.value(node.value, here.place_of(node))
        return answer is not None and isinstance(answer.value, ModelClass) and answer.value in here.columns.entities
    return False
