"""What each step of a Query becomes on `select()`, `update()` and `delete()`.

The rows of the verified table: "ORM Query Unified with Core Select" in the 2.0 migration guide and the `Select` API.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Final

from alchemod.inference.resolving.resolver import Resolver
from alchemod.inference.translation.changes import (
    Added,
    Removed,
    Renamed,
    Replaced,
    StepTranslation,
    UntranslatedError,
)
from alchemod.inference.translation.keywords import translated_keywords
from alchemod.inference.translation.web import Step
from alchemod.inference.values import Answer, Entity, ModelAttribute, ModelClass, Object, Place, Statement, Style

_SAME: Final = frozenset(
    {
        "where", "having", "limit", "offset", "slice", "distinct", "select_from", "correlate", "prefix_with",
        "suffix_with", "with_hint", "with_statement_hint", "with_for_update", "add_columns", "params",
        "set_label_style",
    }
)  # fmt: skip
_RENAMED: Final = {
    "filter": "where",
    "add_column": "add_columns",
    "add_entity": "add_columns",
}
_LIMITING: Final = frozenset({"limit", "offset", "slice"})
_REFUSED_AFTER_LIMIT: Final = frozenset(
    {"filter", "where", "filter_by", "join", "outerjoin", "order_by", "group_by", "having"}
)
"""Steps that a Query refuses when it has LIMIT or OFFSET, while `select()` carries them out before these."""
_CRITERIA: Final = (*_REFUSED_AFTER_LIMIT, *_LIMITING, "distinct", "select_from", "from_statement")
"""Steps before which a Query wants its FROM clause."""
_AFTER_STATEMENT: Final = frozenset({"options", "execution_options", "populate_existing", "params", "yield_per"})
_BULK: Final = frozenset({"filter", "where", "filter_by", "execution_options"})
_WITHOUT_EFFECT_IN_BULK: Final = frozenset({"options", "with_for_update", "enable_eagerloads", "populate_existing"})
_EARLIER: Final = {
    **dict.fromkeys(("union", "union_all", "intersect", "intersect_all", "except_", "except_all"), "set operation"),
    **dict.fromkeys(("from_self", "select_entity_from", "with_polymorphic"), "method that 2.0 has removed"),
}


def translated_step(step: Step, before: Statement, style: Style, resolver: Resolver) -> StepTranslation:
    """What a step becomes that is called on the Query `before`, when that becomes a construct of `style`.

    Raises UntranslatedError when it has no translation.
    """
    name = step.name
    if any(isinstance(argument, ast.Starred) for argument in step.call.args) and name not in _STARRED:
        raise UntranslatedError(f"what {name}() gets is not seen")
    if style in {"update", "delete"}:
        return _in_bulk(step, style, resolver)
    if name in _REFUSED_AFTER_LIMIT and before.has_step(*_LIMITING):
        raise UntranslatedError(f"a Query refuses {name}() after its LIMIT or OFFSET is set: this call raises")
    if name in {"select_from", "from_statement"} and before.has_step(*_CRITERIA):
        raise UntranslatedError(f"a Query with criteria refuses {name}(): this call raises")
    if before.has_step("from_statement") and name not in _AFTER_STATEMENT:
        raise UntranslatedError(f"a Query refuses {name}() after from_statement(): this call raises")
    if name == "filter_by":
        return translated_keywords(step, style, resolver)
    if name in _RENAMED:
        return StepTranslation((Renamed(step.method, _RENAMED[name], step.place.module.path),))
    if name in _SAME:
        return StepTranslation()
    if name in _EARLIER:
        raise UntranslatedError(f"{name}() is a {_EARLIER[name]} that has to be rewritten first")
    if name in _HANDLERS:
        return _HANDLERS[name](step, before, resolver)
    raise UntranslatedError(f"{name}() has no counterpart that is known")


_STARRED: Final = frozenset(
    {"filter", "where", "order_by", "group_by", "options", "having", "distinct", "with_entities", "add_columns"}
)


def without(step: Step) -> Replaced:
    """The change that takes a step out of its chain."""
    return Replaced(step.call, "{query}", step.place.module.path, {"query": step.method.value})


def _in_bulk(step: Step, style: Style, resolver: Resolver) -> StepTranslation:
    name = step.name
    if name in _WITHOUT_EFFECT_IN_BULK:
        return StepTranslation((without(step),))
    if name == "filter_by":
        return translated_keywords(step, style, resolver)
    if name in _BULK:
        renamed = (Renamed(step.method, "where", step.place.module.path),) if name == "filter" else ()
        return StepTranslation(renamed)
    raise UntranslatedError(f"a Query with {name}() refuses {style}(): this call raises, or means something else")


def _order(step: Step, before: Statement, resolver: Resolver) -> StepTranslation:
    """`order_by(False)` of Query takes the ordering away; `select()` knows None for that."""
    match step.call.args:
        case [ast.Constant(value=False) as nothing]:
            return StepTranslation((Replaced(nothing, "None", step.place.module.path),))
    return StepTranslation()


def _join(step: Step, before: Statement, resolver: Resolver) -> StepTranslation:
    arguments = step.call.args
    if any(keyword.arg in {"aliased", "from_joinpoint", None} for keyword in step.call.keywords):
        raise UntranslatedError(f"{step.name}({ast.unparse(step.call.keywords[0])}) has to be rewritten first")
    if not arguments and not any(keyword.arg == "target" for keyword in step.call.keywords):
        raise UntranslatedError(f"{step.name}() has no target")
    if len(arguments) > 2:
        raise UntranslatedError(f"{step.name}() with several targets has to be split first")
    if any(isinstance(argument, ast.Constant | ast.Tuple) for argument in arguments):
        raise UntranslatedError(f"{step.name}() by a string or tuple has to be rewritten first")
    first = _attribute(arguments[0], step.place, resolver) if arguments else None
    if len(arguments) == 2 and first is not None and first.attribute.kind == "relationship":
        raise UntranslatedError(f"{step.name}() with several targets has to be split first")
    target = _target(step.call, step.place, resolver)
    for name, call in before.steps:
        if name in {"join", "outerjoin"} and target is not None and _target(call, step.place, resolver) == target:
            raise UntranslatedError(f"{ast.unparse(arguments[0])} may be joined twice, which SQLAlchemy 1.4 ignores")
    return StepTranslation()


def _target(call: ast.Call, place: Place, resolver: Resolver) -> ModelClass | None:
    """The class or alias that a join goes to."""
    match resolver.value(call, place):
        case Answer(value=Statement(joined=Entity(cls=cls))):
            return cls
    return None


def _attribute(node: ast.expr, place: Place, resolver: Resolver) -> ModelAttribute | None:
    match resolver.value(node, place):
        case Answer(value=ModelAttribute() as attribute):
            return attribute
    return None


def _options(step: Step, before: Statement, resolver: Resolver) -> StepTranslation:
    match step.call.args:
        case [ast.List(elts=parts) | ast.Tuple(elts=parts) as given] if len(parts) == 1:
            return StepTranslation((Replaced(given, "{only}", step.place.module.path, {"only": parts[0]}),))
    if any(isinstance(argument, ast.List | ast.Tuple) for argument in step.call.args):
        raise UntranslatedError("options() is given a list, which has to be unpacked first")
    return StepTranslation()


def _as_execution_option(step: Step, before: Statement, resolver: Resolver) -> StepTranslation:
    """`yield_per(n)`, `autoflush(b)`, `populate_existing()`."""
    path = step.place.module.path
    renamed = Renamed(step.method, "execution_options", path)
    match step.call:
        case ast.Call(args=[], keywords=[]) if step.name == "populate_existing":
            return StepTranslation((renamed, Added(step.call, "populate_existing=True", path)))
        case ast.Call(args=[value], keywords=[]) if step.name != "populate_existing":
            added = Added(step.call, f"{step.name}={{value}}", path, {"value": value})
            return StepTranslation((renamed, Removed(value, path), added))
        case ast.Call(args=[], keywords=[ast.keyword(arg=str()) as given]):
            return StepTranslation((renamed, Renamed(given, step.name, path)))
    raise UntranslatedError(f"the arguments of {step.name}() are not understood")


def _execution_options(step: Step, before: Statement, resolver: Resolver) -> StepTranslation:
    if any(keyword.arg == "yield_per" for keyword in step.call.keywords):
        raise UntranslatedError("a Query refuses yield_per among its execution options: this call raises")
    if any(keyword.arg is None for keyword in step.call.keywords) or step.call.args:
        return StepTranslation(doubt="which execution options are set is not seen")
    return StepTranslation()


def _with_entities(step: Step, before: Statement, resolver: Resolver) -> StepTranslation:
    has_class = any(term.entity is not None for term in before.terms)
    if not has_class:
        raise UntranslatedError("a select() that began without a class gives no objects of one that it gets later")
    return StepTranslation((Renamed(step.method, "with_only_columns", step.place.module.path),))


def _dropped(step: Step, before: Statement, resolver: Resolver) -> StepTranslation:
    return StepTranslation((without(step),))


def _eager_loads(step: Step, before: Statement, resolver: Resolver) -> StepTranslation:
    match step.call.args:
        case [ast.Constant(value=True)]:
            return StepTranslation((without(step),))
    if before.has_step("options"):
        raise UntranslatedError("enable_eagerloads(False) cancels options, which select() cannot")
    if [term.kind for term in before.terms] != ["entity"]:
        doubt = "what the models load eagerly is loaded, which enable_eagerloads() forbids"
        return StepTranslation((without(step),), doubt)
    lazy = Replaced(
        step.call,
        '{query}.options({sqlalchemy.orm.lazyload}("*"))',
        step.place.module.path,
        {"query": step.method.value},
    )
    return StepTranslation((lazy,), "options that follow are heeded, which enable_eagerloads() forbids")


def _with_parent(step: Step, before: Statement, resolver: Resolver) -> StepTranslation:
    path = step.place.module.path
    renamed = Renamed(step.method, "where", path)
    function = "{sqlalchemy.orm.with_parent}"
    match step.call:
        case ast.Call(args=[parent, prop], keywords=[]) if not isinstance(prop, ast.Constant):
            call = Replaced(parent, f"{function}({{_}}, {{prop}})", path, {"prop": prop})
            return StepTranslation((renamed, call, Removed(prop, path)))
        case ast.Call(args=[parent], keywords=[]):
            prop_code = _only_relationship(parent, before, step, resolver)
            call = Replaced(parent, f"{function}({{_}}, {prop_code})", path)
            return StepTranslation((renamed, call), f"that {prop_code} is the relationship meant is told by its target")
    raise UntranslatedError("which relationship with_parent() goes along is not seen")


def _only_relationship(parent: ast.expr, before: Statement, step: Step, resolver: Resolver) -> str:
    """The one relationship of the parent's class that leads to the entity, as `Class.name`."""
    target = before.terms[0].entity if before.terms else None
    match resolver.value(parent, step.place):
        case Answer(value=Object(of=ModelClass(model=model))) if target is not None:
            models = resolver.project.models
            found = [
                attribute
                for attribute in model.attributes.values()
                if attribute.kind == "relationship" and models.target(attribute, model) is target.model
            ]
            named = resolver.named(model.name, step.place)
            if len(found) == 1 and named is not None and named.value == ModelClass(model):
                return f"{model.name}.{found[0].name}"
    raise UntranslatedError("which relationship with_parent() goes along is not seen")


def _from_statement(step: Step, before: Statement, resolver: Resolver) -> StepTranslation:
    match step.call.args:
        case [ast.Constant(value=str()) | ast.JoinedStr() as text]:
            return StepTranslation((Replaced(text, "{sqlalchemy.text}({_})", step.place.module.path),))
    return StepTranslation()


_Handler = Callable[[Step, Statement, Resolver], StepTranslation]
_HANDLERS: Final[dict[str, _Handler]] = {
    "with_entities": _with_entities,
    "order_by": _order,
    "group_by": _order,
    "join": _join,
    "outerjoin": _join,
    "options": _options,
    "yield_per": _as_execution_option,
    "autoflush": _as_execution_option,
    "populate_existing": _as_execution_option,
    "execution_options": _execution_options,
    "reset_joinpoint": _dropped,
    "with_labels": _dropped,
    "apply_labels": _dropped,
    "with_session": _dropped,
    "enable_eagerloads": _eager_loads,
    "with_parent": _with_parent,
    "from_statement": _from_statement,
}
