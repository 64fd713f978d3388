"""What the declaration of a relationship says: how it loads, where it leads, whether it holds many objects.

SQLAlchemy 1.3 to 2.1: "Basic Relationship Patterns", "Adjacency List Relationships", "Configuring how Relationship
Joins", "Relationship Loading Techniques".
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Literal

from alchemod.facts.attributes import Attribute, evaluated
from alchemod.facts.keys import has_foreign_key, references, refers_to_itself
from alchemod.facts.model import Model
from alchemod.facts.module import last_name

Lazy = Literal["select", "eager", "dynamic", "write_only", "raise", "noload", "unknown"]

_LAZY: dict[object, Lazy] = {
    "select": "select",
    True: "select",
    "joined": "eager",
    False: "eager",
    "selectin": "eager",
    "subquery": "eager",
    "immediate": "eager",
    "dynamic": "dynamic",
    "write_only": "write_only",
    "raise": "raise",
    "raise_on_sql": "raise",
    "noload": "noload",
    None: "noload",
}
"""Values of `relationship(lazy=...)`; True, False and None are aliases that 1.x documents."""
_WRAPPERS: dict[str, Lazy] = {"DynamicMapped": "dynamic", "WriteOnlyMapped": "write_only"}
_COLLECTIONS = frozenset(
    {"List", "list", "Set", "set", "Sequence", "Collection", "Dict", "dict", "FrozenSet", "Iterable", "MutableSequence"}
)


def lazy(relationship: Attribute) -> Lazy:
    """How a relationship loads unless a query says otherwise."""
    if relationship.reverse_of is not None and _backref_call(relationship.reverse_of) is None:
        return "select" if backref_name(relationship.reverse_of) is not None else "unknown"
    if relationship.reverse_of is None:
        if relationship.value is not None and last_name(relationship.value) == "dynamic_loader":
            return "dynamic"
        wrapper = _wrapper(relationship)
        if wrapper in _WRAPPERS:
            return _WRAPPERS[wrapper]
    given, unpacked = _lazy_argument(relationship)
    return _lazy_value(given, unpacked=unpacked)


def may_be_joined(relationship: Attribute) -> bool:
    """Whether a relationship is loaded by a join unless a query says otherwise, or that cannot be excluded."""
    given, _ = _lazy_argument(relationship)
    loads = lazy(relationship)
    if loads != "eager":
        return loads == "unknown"
    return isinstance(given, ast.Constant) and given.value in ("joined", False)


def _lazy_argument(relationship: Attribute) -> tuple[ast.expr | None, bool]:
    """What `lazy=` gives, and whether `**options` may give it too."""
    if relationship.reverse_of is None:
        return relationship.keyword("lazy"), relationship.has_unpacked_keywords
    call = _backref_call(relationship.reverse_of)
    keywords = call.keywords if call is not None else []
    given = next((keyword.value for keyword in keywords if keyword.arg == "lazy"), None)
    return given, any(keyword.arg is None for keyword in keywords)


def is_joined(relationship: Attribute) -> bool:
    """Whether a relationship is loaded by a join unless a query says otherwise (`lazy="joined"`, `lazy=False`)."""
    value = relationship.keyword("lazy")
    if relationship.reverse_of is not None:
        call = _backref_call(relationship.reverse_of)
        value = next((keyword.value for keyword in call.keywords if keyword.arg == "lazy"), None) if call else None
    return isinstance(value, ast.Constant) and (value.value == "joined" or value.value is False)


def argument(relationship: Attribute) -> ast.expr | None:
    """The expression that names the class a relationship leads to: the argument, else the annotation."""
    call = relationship.call
    given = relationship.keyword("argument")
    if given is None and call is not None and call.args and last_name(call) != "Relationship":
        given = call.args[0]
    if given is None and relationship.annotation is not None:
        given = _annotated_class(relationship.annotation)
    return given.body if isinstance(given, ast.Lambda) else given


def backref_name(relationship: Attribute) -> str | None:
    """The attribute name that `backref=` of a relationship makes on the other class."""
    value = relationship.keyword("backref")
    if isinstance(value, ast.Call) and value.args:
        value = value.args[0]
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else None


def is_collection(relationship: Attribute, source: Model, target: Model | None) -> bool | None:
    """Whether a relationship of `source` to `target` holds many objects; None when the declaration does not tell."""
    if relationship.has_unpacked_keywords:
        return None
    if (uselist := relationship.keyword("uselist")) is not None:
        return bool(uselist.value) if isinstance(uselist, ast.Constant) else None
    if relationship.keyword("secondary") is not None:
        return True
    by_keys = _is_to_many(relationship, source, target)
    by_annotation = _annotated_as_collection(relationship)
    if by_keys is False or by_annotation is not None:
        return by_keys is not False and by_annotation
    if lazy(relationship) in {"dynamic", "write_only"}:
        return True
    if relationship.annotation is not None and by_keys:
        return None  # without Mapped, 2.0 goes by the annotation and 1.4 by the keys
    return by_keys


def is_many_to_one(relationship: Attribute, source: Model, target: Model | None) -> bool:
    """Whether a foreign key of `source` is seen to lead to the one row that a relationship holds."""
    if relationship.reverse_of is not None:
        call = _backref_call(relationship.reverse_of)
        has_uselist = call is not None and any(keyword.arg in {None, "uselist"} for keyword in call.keywords)
        return not has_uselist and is_reverse_collection(relationship.reverse_of, target, source) is False
    if relationship.has_unpacked_keywords or relationship.keyword("secondary") is not None:
        return False
    return relationship.keyword("uselist") is None and _is_to_many(relationship, source, target) is False


def is_reverse_collection(relationship: Attribute, source: Model | None, target: Model) -> bool | None:
    """Whether what the `backref` of `relationship` makes on `target` holds many objects of `source`."""
    call = _backref_call(relationship)
    options = {keyword.arg: keyword.value for keyword in call.keywords} if call is not None else {}
    if None in options or relationship.has_unpacked_keywords:
        return None
    if (uselist := options.get("uselist")) is not None:
        return bool(uselist.value) if isinstance(uselist, ast.Constant) else None
    if relationship.keyword("secondary") is not None:
        return True
    forward = _is_to_many(relationship, source, target)
    if forward is None and _annotated_as_collection(relationship):
        forward = True
    return None if forward is None else not forward


def _is_to_many(relationship: Attribute, source: Model | None, target: Model | None) -> bool | None:
    """One-to-many or many-to-one, from the foreign keys of both tables."""
    if source is None or target is None or relationship.keyword("primaryjoin") is not None:
        return None
    given = relationship.keyword("foreign_keys")
    if source is target:
        return _is_to_many_of_itself(relationship, source) if given is None else None
    if source.facts in target.ancestors or target.facts in source.ancestors:
        return None
    if given is not None:
        return _by_columns(given, source, target)
    forward, backward = references(source, target), references(target, source)
    return None if forward == backward else backward


def _is_to_many_of_itself(relationship: Attribute, model: Model) -> bool | None:
    """The direction of a relationship of a class to itself: one-to-many unless `remote_side` has no key."""
    remote = relationship.keyword("remote_side")
    if not refers_to_itself(model):
        return None
    if remote is None:
        return True
    names = [name for owner, name in _columns(remote) if owner in {"", model.name}]
    columns = [model.attributes.get(name) for name in names]
    if len(columns) != 1 or columns[0] is None or columns[0].kind != "column":
        return None
    return has_foreign_key(columns[0])


def _by_columns(given: ast.expr, source: Model, target: Model) -> bool | None:
    """Many-to-one when `foreign_keys` names columns of the source, one-to-many when they are the target's."""
    sides = set()
    for owner, name in _columns(given):
        if owner == source.name or (not owner and name in source.attributes):
            sides.add(False)
        elif owner == target.name:
            sides.add(True)
        else:
            return None
    return sides.pop() if len(sides) == 1 else None


def _columns(node: ast.expr) -> Iterator[tuple[str, str]]:
    """The columns that `foreign_keys` or `remote_side` names, as class (`""` for the class itself) and attribute."""
    pending = [node]
    while pending:
        match pending.pop():
            case ast.Lambda(body=body):
                pending.append(body)
            case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
                pending.extend(parts)
            case ast.Constant(value=str()) as text if (inner := evaluated(text)) is not text:
                pending.append(inner)
            case ast.Attribute(value=owner, attr=name) if last_name(owner):
                yield last_name(owner), name
            case ast.Name(id=name):
                yield "", name
            case _:
                yield "?", ""


def _backref_call(relationship: Attribute) -> ast.Call | None:
    value = relationship.keyword("backref")
    return value if isinstance(value, ast.Call) else None


def _lazy_value(value: ast.expr | None, *, unpacked: bool) -> Lazy:
    if value is None:
        return "unknown" if unpacked else "select"
    return _LAZY.get(value.value, "unknown") if isinstance(value, ast.Constant) else "unknown"


def _wrapper(relationship: Attribute) -> str:
    """`Mapped`, `DynamicMapped` or `WriteOnlyMapped` of the annotation, `""` without."""
    note = evaluated(relationship.annotation) if relationship.annotation is not None else None
    return last_name(note.value) if isinstance(note, ast.Subscript) else ""


def _annotated_as_collection(relationship: Attribute) -> bool | None:
    """What the annotation says: `Mapped[list[A]]` holds many, `Mapped[A]` one; `A` without Mapped says nothing."""
    if relationship.annotation is None:
        return None
    node = evaluated(relationship.annotation)
    is_mapped = isinstance(node, ast.Subscript) and last_name(node.value) == "Mapped"
    if is_mapped:
        assert isinstance(node, ast.Subscript)
        node = evaluated(node.slice)
    is_typed = is_mapped or (relationship.value is not None and last_name(relationship.value) == "Relationship")
    if isinstance(node, ast.Subscript) and last_name(node.value) in _COLLECTIONS:
        return True
    return False if is_typed and isinstance(node, ast.Name | ast.Attribute | ast.Subscript | ast.BinOp) else None


def _annotated_class(annotation: ast.expr) -> ast.expr | None:
    """`A` of `Mapped[A]`, `Mapped[Optional["A"]]`, `Mapped[list["A"]]`, `list["A"]`."""
    node = evaluated(annotation)
    while True:
        match node:
            case ast.Subscript(value=wrapper, slice=ast.Tuple(elts=parts)):
                if last_name(wrapper) == "Union":
                    parts = [part for part in parts if not (isinstance(part, ast.Constant) and part.value is None)]
                if not parts or (len(parts) > 1 and last_name(wrapper) not in {"Dict", "dict"}):
                    return None
                node = parts[-1]
            case ast.Subscript(slice=inner):
                node = inner
            case ast.BinOp(left=inner, op=ast.BitOr(), right=ast.Constant(value=None)):
                node = inner
            case ast.BinOp(left=ast.Constant(value=None), op=ast.BitOr(), right=inner):
                node = inner
            case ast.Constant(value=str(text)) if not all(part.isidentifier() for part in text.strip().split(".")):
                if (inner := evaluated(node)) is node:
                    return None
                node = inner
            case ast.Name() | ast.Attribute() | ast.Constant(value=str()):
                return node
            case _:
                return None
