"""Which entity the keywords of one `filter_by()` call speak of, and how it is written there."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from alchemod.facts.lookup import External
from alchemod.facts.nodes import is_dotted
from alchemod.facts.project import Project
from alchemod.facts.tables import TableColumn
from alchemod.inference.mapping.columns import Comparison, comparison, comparison_in_table
from alchemod.inference.names.spelling import Spelling, spelling_of, why_not_spelled
from alchemod.inference.resolving.resolver import Resolver
from alchemod.inference.resolving.statements import REBUILDING, filter_by_target, from_entities
from alchemod.inference.values import Answer, ClassObject, Entity, ModelAttribute, Outside, Place, Statement

KeyKind = Literal["boolean", "column", "custom", "relationship", "other", "property", "absent", "unknown"]
"""`boolean` and `column`: a column that compares as usual. `custom`: one whose type may compare in its own way."""


@dataclass(frozen=True, slots=True)
class FilteredEntity:
    """The receiver of a `filter_by()` call, and the entity its keywords speak of.

    `answer` is about the receiver, `statement` its value. `entity` is None when it is not known; `runtime` is then the
    code of a class that is only known at run time (`self.model`), if there is one. `missing` says what is not known.
    """

    answer: Answer
    statement: Statement
    entity: Entity | None = None
    spelling: Spelling | None = None
    runtime: str | None = None
    missing: str = ""


def filtered_entity(call: ast.Call, place: Place, resolver: Resolver) -> FilteredEntity | None:
    """The entity of `receiver.filter_by(...)`; None when the receiver is no statement of SQLAlchemy's."""
    if not isinstance(call.func, ast.Attribute):
        return None
    answer = resolver.value(call.func.value, place)
    if answer is None or not isinstance(answer.value, Statement):
        return None
    statement = answer.value
    entity = filter_by_target(statement)
    if entity is not None:
        spelling = spelling_of(entity, call, place, resolver)
        missing = "" if spelling is not None else why_not_spelled(entity, place, resolver)
        return FilteredEntity(answer, statement, entity, spelling, missing=missing)
    if statement.lost:
        return FilteredEntity(answer, statement, missing=_loss(statement))
    return at_run_time(answer, statement, place, resolver)


def looked_for_elsewhere(filtered: FilteredEntity, keys: Sequence[str], resolver: Resolver) -> str | None:
    """Why some version the project allows may look for the keywords elsewhere than in the entity, None if none does.

    SQLAlchemy 2.1 looks in all entities of a `select`, and for a label or a function of a column in the table, not in
    the class; every version looks in the table for those of an aliased column. ("What's New in SQLAlchemy 2.1",
    `filter_by`; verified by execution.)
    """
    statement, entity = filtered.statement, filtered.entity
    if entity is None:
        return None
    first = statement.terms[0] if statement.terms else None
    in_table = first is not None and first.kind == "expression" and entity is first.entity
    own_columns = in_table and all(_is_own_column(entity, key, resolver) for key in keys)
    if in_table and entity.cls.alias is not None and not own_columns:
        return "for an expression of an aliased column SQLAlchemy looks in the table, not in the class"
    if statement.style == "query" or not resolver.project.versions.includes("2.1"):
        return None
    if speaks_of_several(statement, entity, resolver):
        return "SQLAlchemy 2.1, which the project allows, looks in all classes of the statement, 2.0 in one"
    if in_table and not own_columns:
        return "SQLAlchemy 2.1, which the project allows, looks in the table behind the column, 2.0 in the class"
    return None


def speaks_of_several(statement: Statement, entity: Entity | None, resolver: Resolver) -> bool:
    """Whether a statement that is no Query has classes besides `entity`, in which SQLAlchemy 2.1 looks, too."""
    if from_entities(statement) > 1:
        return True
    return statement.style != "select" and entity is not None and _mentions_others(entity, statement, resolver)


def _mentions_others(entity: Entity, statement: Statement, resolver: Resolver) -> bool:
    """Whether a criterion of an update or delete speaks of a column of another class, which joins its FROM list."""
    if statement.place is None:
        return False
    for _, call in statement.steps:
        for node in ast.walk(call):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                answer = resolver.value(node, statement.place)
                if answer is not None and isinstance(answer.value, ModelAttribute) and answer.value.owner != entity.cls:
                    return True
    return False


def _is_own_column(entity: Entity, key: str, resolver: Resolver) -> bool:
    """Whether a keyword names a column of the class's only table by the name that it has there."""
    models = resolver.project.models
    attribute = models.attribute(entity.model, key)
    call = attribute.call if attribute is not None else None
    if attribute is None or attribute.kind != "column" or any(models.of(facts) for facts in entity.model.ancestors):
        return False
    given = call.args[0] if call is not None and call.args else attribute.keyword("name")
    return not isinstance(given, ast.Constant) or given.value == key


def _loss(statement: Statement) -> str:
    """Why the entity is not known after the step that lost it, for people."""
    name = statement.lost
    call = next((call for step, call in reversed(statement.steps) if step == name), None)
    if call is None:
        return "a join that is made on one way only decides which class they speak of"
    if name in REBUILDING:
        return f"after {name}() the keywords speak of its columns"
    starred = next((argument for argument in call.args if isinstance(argument, ast.Starred)), None)
    if starred is not None:
        return f"what {name}({ast.unparse(starred)}) gets is not seen"
    if (keyword := next((k for k in call.keywords if k.arg in {"aliased", "from_joinpoint"}), None)) is not None:
        return f"{name}({keyword.arg}={ast.unparse(keyword.value)}) makes an alias without a name"
    first = call.args[0] if call.args else None
    if first is None:
        return f"what {name}() gets is not seen"
    return f"{ast.unparse(first)}, which {name}() gets, is not known to be a mapped class or a relationship"


def at_run_time(answer: Answer, statement: Statement, place: Place, resolver: Resolver) -> FilteredEntity:
    """A first column that is a variable or an attribute: whatever class it holds, the keywords speak of that class."""
    first = statement.terms[0] if statement.terms else None
    node = first.node if first is not None else None
    if first is None or first.kind != "unknown" or node is None or not may_be_class(node):
        shown = ast.unparse(node) if node is not None else "the statement"
        return FilteredEntity(answer, statement, missing=f"the entity of {shown} is not known")
    code = ast.unparse(node)
    value = resolver.value(node, place)
    if value is not None and not isinstance(value.value, Outside | ClassObject):
        return FilteredEntity(answer, statement, missing=f"{code} is no mapped class")
    here = statement.place
    if here is None or (here.scope is not place.scope and not _is_module_name(node, place, resolver)):
        return FilteredEntity(answer, statement, missing=f"{code} is not in scope here")
    missing = f"the class that {code} stands for is not seen"
    if isinstance(node, ast.Name) and value is None and (star := _unseen_star(node.id, place, resolver)) is not None:
        missing = f"{code} may come from `from {star} import *`, which is not seen"
    return FilteredEntity(answer, statement, runtime=code, missing=missing)


_CLASS_NAMES = ("cls", "klass", "model", "entity", "class_", "_class", "__class__", "_cls")


def may_be_class(node: ast.expr) -> bool:
    """Whether code can be written again where its value is wanted, and looks like a class: `Model`, `self.model`."""
    match node:
        case ast.Call(func=ast.Name(id="type"), args=[ast.Name(id="self")], keywords=[]):
            return True
        case ast.Attribute(attr=name) | ast.Name(id=name):
            # A capitalised name inside another is a class, below it is a column: `User`, `models.User`, `User.id`.
            owner = node.value if isinstance(node, ast.Attribute) else None
            capital = name[:1].isupper() and not (name.isupper() and len(name) > 1)
            return (capital or name.lower().endswith(_CLASS_NAMES)) and (owner is None or is_dotted(owner))
    return False


def _is_module_name(node: ast.expr, place: Place, resolver: Resolver) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    if not isinstance(node, ast.Name):
        return False
    owner = place.scope.owner(node.id)
    return owner is None or owner.parent is None


def _unseen_star(name: str, place: Place, resolver: Resolver) -> str | None:
    """The module outside the project whose `import *` may bind a name that nothing else binds."""
    if place.scope.owner(name) is not None:
        return None
    lookup = resolver.project.lookup
    for star in place.module.stars:
        if isinstance(lookup.module(star, place.module), External) and not star.startswith("sqlalchemy"):
            return star
    return None


_TERMS = {
    ("column", "None"): ".{key}.is_(None)",
    ("boolean", "None"): ".{key}.is_(None)",
    ("boolean", "True"): ".{key} == {sqlalchemy.true}()",
    ("boolean", "False"): ".{key} == {sqlalchemy.false}()",
}
"""Terms that differ from `==`, by the kind of the attribute and the constant compared with."""


def term_template(kind: KeyKind, value: ast.expr, imported: str | None) -> str:
    """The template of the expression that a keyword of `filter_by()` stands for.

    Its holes are `key`, `value` and, unless the class has to be `imported` by its dotted name, `entity`.
    """
    constant = repr(value.value) if isinstance(value, ast.Constant) and value.value in (None, True, False) else ""
    entity = f"{{{imported}}}" if imported else "{entity}"
    return entity + _TERMS.get((kind, constant), ".{key} == {value}")


def key_kind(entity: Entity, key: str, resolver: Resolver) -> KeyKind:
    """What the attribute `key` of an entity is; `unknown` when a base class of the model is not seen."""
    attribute = resolver.project.models.attribute(entity.model, key)
    if attribute is None:
        return "unknown" if entity.model.has_unseen_base else "absent"
    match attribute.kind:
        case "column":
            return _KINDS[comparison(attribute, resolver.project)]
        case "relationship":
            return "relationship"
        case "property" | "method":
            return "property"
    return "other"


def column_kind(column: TableColumn, project: Project) -> KeyKind:
    """What a column that is read from a table is."""
    return _KINDS[comparison_in_table(column, project)]


_KINDS: dict[Comparison, KeyKind] = {"boolean": "boolean", "usual": "column", "own": "custom"}
