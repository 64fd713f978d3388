"""A Query around another one: `from_self()`, `select_entity_from()` and the set operations.

SQLAlchemy 2.0 spells them with an alias of the class over a subquery, to which everything after speaks ("Selecting from
the query itself as a subquery" in the 2.0 migration guide; "Selecting Entities from UNIONs" in the ORM Querying Guide).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from alchemod.inference.area import Area
from alchemod.inference.resolving.functions import enclosing_function
from alchemod.inference.translation.borrowing import Borrowing
from alchemod.inference.translation.changes import Change, Inserted, Replaced, Source, UntranslatedError
from alchemod.inference.translation.columns import ColumnList, column_list
from alchemod.inference.translation.translation import Translation
from alchemod.inference.translation.translations import QueryTranslations
from alchemod.inference.translation.uses import SET_OPERATIONS, purpose, why_unknown
from alchemod.inference.translation.variants import Variants
from alchemod.inference.translation.web import Origin, Step, Use, Web
from alchemod.inference.uses.parents import parents_of
from alchemod.inference.values import Answer, Expression, ModelAttribute, ModelClass, Place, Statement

if TYPE_CHECKING:
    from alchemod.inference import Inference

NESTING: Final = frozenset({"from_self", "select_entity_from", "with_polymorphic", *SET_OPERATIONS})
"""Methods of Query after which names speak of a subquery."""

_SPEECHLESS: Final = frozenset({"options", "execution_options", "populate_existing", "autoflush", "enable_eagerloads"})
"""Steps that mean the same inside and outside of a subquery."""
_LIMITING: Final = frozenset({"limit", "offset", "slice", "distinct"})
_PLAIN_USES: Final = frozenset({"rows", "loop", "count", "scalar"})
_DOUBT: Final = "that all that follows speaks of the subquery is told by the names in it"


@dataclass(frozen=True, slots=True)
class _Around:
    """What is known around one nesting step: the Query before it with its columns, and what comes after it."""

    web: Web
    step: Step
    before: Statement
    columns: ColumnList
    later: tuple[Step, ...]
    uses: tuple[Use, ...]


class Nesting(Area):
    """Answers what becomes of the nesting steps of a project."""

    def __init__(self, inference: Inference) -> None:
        super().__init__(inference)
        self._resolver: Final = inference.resolver

    def at(self, path: Path, call: ast.Call) -> Translation | None:
        """What becomes of a nesting step; None when `call` is none of a Query."""
        place = self.inference.place(path, call)
        if place is None or not isinstance(call.func, ast.Attribute):
            return None
        before = self._resolver.value(call.func.value, place)
        if before is None or not isinstance(before.value, Statement) or before.value.style != "query":
            return None
        step = Step(call.func.attr, call, place)
        web = self.inference.ask(QueryTranslations).web_of(path, call)
        shown = f"Query.{step.name}()"
        empty = Web([Origin(call, place, None)])
        try:
            if web is None:
                raise UntranslatedError("the Query begins in another file")
            changes = tuple(self._changes(web, step))
        except UntranslatedError as error:
            return Translation("removed", web or empty, call, shown, (before,), missing=str(error))
        return Translation("removed", web or empty, call, shown, (before,), changes, _DOUBT)

    def _changes(self, web: Web, step: Step) -> Iterator[Change]:
        around = self._around(web, step)
        if step.name == "from_self" and not step.call.args and _is_needless(around):
            yield Replaced(step.call, "{query}", step.place.module.path, {"query": step.method.value})
            return
        holes: dict[str, Any] = {"query": step.method.value, "session": Source(self._session(web, step))}
        subquery = self._subquery(step, around, holes)
        path = step.place.module.path
        if around.columns.kind == "columns" and step.name in SET_OPERATIONS:
            is_nameless = around.columns.nameless or around.columns.repeated
            if is_nameless or any(one.name not in _SPEECHLESS | _LIMITING for one in around.later):
                raise UntranslatedError(f"what follows {step.name}() may speak of its columns")
            yield Replaced(step.call, f"{{session}}.query({subquery})", path, holes)
            return
        if around.before.has_step("options"):
            raise UntranslatedError(f"what the options before {step.name}() load is not seen")
        cls = _one_class(around.columns)
        holes["entity"] = Source(_spelled(around))
        alias = f"{{sqlalchemy.orm.aliased}}({{entity}}, {subquery})"
        selected = step.call.args if step.name == "from_self" else []
        if any(use.kind == "returned" for use in around.uses):
            raise UntranslatedError("the callers that get the Query are not all seen")
        references = [found for argument in selected for found in self._mentions(argument, cls, step.place)]
        references += self._references(around, cls)
        if not references and not selected:
            yield Replaced(step.call, f"{{session}}.query({alias})", path, holes)
            return
        name = self._name_for(cls, step)
        session = holes.pop("session")
        yield Inserted(self._statement(step), f"{name} = {alias}", path, holes)
        columns = {f"column_{index}": argument for index, argument in enumerate(selected)}
        listed = ", ".join(f"{{{hole}}}" for hole in columns) or name
        yield Replaced(step.call, f"{{session}}.query({listed})", path, {"session": session, **columns})
        for node, where in references:
            yield Replaced(node, name, where.module.path)

    def _around(self, web: Web, step: Step) -> _Around:
        if web.problems:
            raise UntranslatedError(web.problems[0])
        if sum(one.name in NESTING for one in web.steps) > 1:
            raise UntranslatedError("several such methods are called on one Query")
        if step.name == "with_polymorphic" or step.call.keywords:
            raise UntranslatedError(f"what {step.name}() does here has to be written with an alias")
        variants = Variants(web, self._resolver)
        before = [answer.value for answer in variants.at(step.method.value, step.place)]
        if len(before) != 1 or not isinstance(before[0], Statement):
            raise UntranslatedError(f"{step.name}() is called on different Queries")
        later = tuple(one for one in web.steps if one.call is not step.call and self._is_after(one, step, variants))
        uses = tuple(use for use in web.uses if self._is_after(use, step, variants))
        is_limited = before[0].has_step("limit", "offset", "slice")
        for use in uses:
            if use.kind == "returned" and is_limited and step.name == "from_self":
                continue  # who adds to it without the subquery is told so by an exception
            if purpose(use) == "unknown":
                raise UntranslatedError(why_unknown(use))
            if purpose(use) in {"bulk", "get"}:
                raise UntranslatedError(f"a Query with {step.name}() refuses {use.name}(): this call raises")
        columns = column_list(before[0].terms, web.place_of, self._resolver)
        return _Around(web, step, before[0], columns, later, uses)

    def _is_after(self, part: Step | Use, step: Step, variants: Variants) -> bool:
        """Whether a part works on what the step gives. Raises UntranslatedError when it does on some ways only."""
        receiver = part.method.value if isinstance(part, Step) else part.receiver
        if step.call in variants.certain(receiver, part.place):
            return True
        for answer in variants.at(receiver, part.place):
            if isinstance(answer.value, Statement) and any(call is step.call for _, call in answer.value.steps):
                raise UntranslatedError(f"{step.name}() is called on some ways only")
        return False

    def _session(self, web: Web, step: Step) -> str:
        """The session once more. Raises UntranslatedError when it cannot be written there."""
        return Borrowing(web, self._resolver).code(step.place)

    def _subquery(self, step: Step, around: _Around, holes: dict[str, Any]) -> str:
        """The template of the subquery."""
        if step.name == "from_self":
            return "{query}.subquery()"
        names = [f"part_{index}" for index in range(len(step.call.args))]
        if not names or any(isinstance(argument, ast.Starred) for argument in step.call.args):
            raise UntranslatedError(f"what {step.name}() gets is not seen")
        holes.update(zip(names, step.call.args, strict=True))
        parts = ", ".join(f"{{{name}}}" for name in names)
        if step.name == "select_entity_from":
            if len(names) > 1 or any(origin.node is not step.method.value for origin in around.web.origins):
                raise UntranslatedError("the Query has more than its class before select_entity_from()")
            del holes["query"]
            return parts
        return f"{{sqlalchemy.{step.name}}}({{query}}, {parts}).subquery()"

    def _references(self, around: _Around, cls: ModelClass) -> Iterator[tuple[ast.expr, Place]]:
        """Where what comes after the step speaks of the class."""
        calls = [(one.call, one.place) for one in around.later if one.name not in _SPEECHLESS]
        calls += [(use.node, use.place) for use in around.uses if isinstance(use.node, ast.Call) and use.kind == "call"]
        function = enclosing_function(around.step.place.scope)
        for call, place in calls:
            for argument in call.args:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    raise UntranslatedError(f"what {argument.value!r} means after the subquery is not seen")
            for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
                for node, where in self._mentions(argument, cls, place):
                    if enclosing_function(place.scope) is not function:
                        raise UntranslatedError(f"another function speaks of {cls.model.name} after the subquery")
                    yield node, where

    def _mentions(self, argument: ast.expr, cls: ModelClass, place: Place) -> Iterator[tuple[ast.expr, Place]]:
        stack: list[ast.AST] = [argument]
        while stack:
            node = stack.pop()
            where = Place(place.module, place.scope.root.innermost(node)) if isinstance(node, ast.expr) else place
            answer = self._resolver.value(node, where) if isinstance(node, ast.Name | ast.Attribute) else None
            match answer:
                case Answer(value=ModelClass(alias=None) as found) if found.model is cls.model:
                    assert isinstance(node, ast.expr)
                    yield node, where
                    continue
                case Answer(value=ModelAttribute() | Expression()) if isinstance(node, ast.Name):
                    raise UntranslatedError(f"{node.id} is made before the subquery")
                case None if node is argument and isinstance(node, ast.Name | ast.Starred):
                    raise UntranslatedError(f"what {ast.unparse(node)} speaks of is not seen")
            stack += reversed(list(ast.iter_child_nodes(node)))

    def _statement(self, step: Step) -> ast.stmt:
        """The statement before which the subquery can be made."""
        root = step.place.scope.root.node
        assert isinstance(root, ast.Module)
        parents = parents_of(root)
        inner: ast.AST = step.call
        for around in parents.around(step.call):
            match around:
                case ast.Assign() | ast.AnnAssign() | ast.Return() | ast.Expr():
                    return around
                case ast.comprehension(iter=iterable) if iterable is inner:
                    pass
                case ast.ListComp(generators=[first, *_]) | ast.SetComp(generators=[first, *_]) if first is inner:
                    pass
                case ast.Call() | ast.Attribute() | ast.keyword() | ast.Subscript() | ast.Compare() | ast.Tuple():
                    pass
                case _:
                    break
            inner = around
        raise UntranslatedError("there is no statement before which the subquery could be made")

    def _name_for(self, cls: ModelClass, step: Step) -> str:
        name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.model.name).lower() + "_alias"
        if step.place.scope.owner(name) is not None:
            raise UntranslatedError(f"{name} stands for something already")
        return name


def _is_needless(around: _Around) -> bool:
    """Whether nothing after the step sees that there is a subquery."""
    are_plain = all(purpose(use) in _PLAIN_USES or use.kind == "returned" for use in around.uses)
    return are_plain and bool(around.uses) and all(one.name in _SPEECHLESS for one in around.later)


def _one_class(columns: ColumnList) -> ModelClass:
    if columns.kind == "entity" and columns.runtime is None and columns.entities[0].alias is None:
        return columns.entities[0]
    raise UntranslatedError("an alias can stand for one class only that is known")


def _spelled(around: _Around) -> str:
    node = around.columns.columns[0].node
    if node is None or any(one.place.module is not around.step.place.module for one in around.web.origins):
        raise UntranslatedError("the Query begins in another file")
    return ast.unparse(node)
