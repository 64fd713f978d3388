"""Translates a web: what its origins, steps and uses become together, and what stands in the way."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from alchemod.facts.module import last_name
from alchemod.inference.translation import bulk, counting, endings, fetching, slicing, statements
from alchemod.inference.translation.changes import Change, Replaced, UntranslatedError
from alchemod.inference.translation.columns import column_list
from alchemod.inference.translation.endings import ROW_ENDINGS, Ending, goes_through
from alchemod.inference.translation.hooks import QueryHooks
from alchemod.inference.translation.rows import why_keys_matter
from alchemod.inference.translation.sessions import Executor, executor, has_scalars
from alchemod.inference.translation.situation import Result, Situation, result
from alchemod.inference.translation.steps import translated_step
from alchemod.inference.translation.translation import Family, Translation
from alchemod.inference.translation.uniqueness import loads_collection, needs_unique
from alchemod.inference.translation.web import Use, Web
from alchemod.inference.values import Answer, Place, Statement, Style

if TYPE_CHECKING:
    from alchemod.inference import Inference

_REMOVED: Final = (
    *("union", "union_all", "intersect", "intersect_all", "except_", "except_all"),
    *("from_self", "select_entity_from", "with_polymorphic"),
)
_FAMILIES: Final[dict[str, Family]] = {
    **dict.fromkeys(("scalar", "value", "values"), "columns"),
    **dict.fromkeys(("count", "exists"), "count and exists"),
    **dict.fromkeys(("update", "delete"), "bulk"),
    **dict.fromkeys((*statements.STATEMENT_METHODS, *statements.STATEMENT_ATTRIBUTES), "statement"),
    "get": "get",
}


@dataclass(slots=True)
class _Draft:
    """What has been found out about a web so far."""

    changes: list[Change] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    given: list[Answer] = field(default_factory=list)

    def doubt(self, why: str) -> None:
        if why and why not in self.doubts:
            self.doubts.append(why)


class Translator:
    """Translates the webs of one project."""

    def __init__(self, inference: Inference) -> None:
        self._inference: Final = inference
        self._resolver: Final = inference.resolver

    def translation(self, web: Web) -> Translation:
        """What a web becomes."""
        first = web.origins[0]
        node: ast.AST = web.uses[0].node if web.is_expression and isinstance(web.uses[0].node, ast.expr) else first.node
        draft = _Draft()
        missing = ""
        try:
            self._translate(web, draft)
        except UntranslatedError as error:
            missing = str(error)
        if not draft.given:
            answer = self._resolver.value(first.node, first.place)
            draft.given += [answer] if answer is not None else []
        return Translation(
            self._family(web), web, node, _shown(web), tuple(draft.given), tuple(draft.changes),
            draft.doubts[0] if draft.doubts else "", missing,
        )  # fmt: skip

    def _family(self, web: Web) -> Family:
        if any(step.name in _REMOVED for step in web.steps):
            return "removed"
        if not web.is_expression:
            return "variable"
        use = web.uses[0]
        if use.kind == "subscript":
            return "slice"
        if use.kind in {"call", "attribute"} and use.name in _FAMILIES:
            return _FAMILIES[use.name]
        if use.kind in {"argument", "compared"} and not (
            isinstance(use.node, ast.Call) and goes_through(use.node, use.receiver)
        ):
            return "statement" if isinstance(use.node, ast.Call | ast.Compare) else "variable"
        if use.kind == "iterated" or use.name in ROW_ENDINGS or use.kind == "argument":
            answer = self._resolver.value(use.receiver, use.place)
            if answer is not None and isinstance(answer.value, Statement):
                kind = column_list(answer.value.terms, use.place, self._resolver).kind
                return "entities" if kind == "entity" else "columns"
        return "variable"

    def _translate(self, web: Web, draft: _Draft) -> None:
        if web.problems:
            raise UntranslatedError(web.problems[0])
        situations = [self._situation(web, use) for use in web.uses]
        draft.given += [here.answer for here in situations]
        for here in situations:
            self._check(here, draft)
        styles: set[Style] = {_style(here) for here in situations}
        if len(styles) != 1:
            raise UntranslatedError("the same Query is used for rows and for update() or delete()")
        style = styles.pop()
        if situations[0].use.name != "get":
            self._translate_steps(web, style, draft)
        for here in situations:
            self._translate_use(here, draft)
        self._translate_origins(web, situations, draft)

    def _situation(self, web: Web, use: Use) -> Situation:
        answer = self._resolver.value(use.receiver, use.place)
        if answer is None or not isinstance(answer.value, Statement) or answer.value.style != "query":
            raise UntranslatedError(f"what {ast.unparse(use.receiver)} holds is not known")
        columns = column_list(answer.value.terms, use.place, self._resolver)
        return Situation(web, use, answer, answer.value, columns, self._resolver)

    def _check(self, here: Situation, draft: _Draft) -> None:
        hooks = self._inference.ask(QueryHooks)
        if blocked := hooks.blocking(here.statement, bulk=bool(here.bulk)):
            raise UntranslatedError(f"{blocked} acts on a Query only")
        draft.doubt(hooks.doubt(here.statement))
        draft.doubt(self._inference.unseen_query_class(here.statement))
        steps = [name for name, _ in here.statement.steps]
        draft.doubt(self._inference.pinned("query", *steps, *([here.use.name] if here.use.name else [])) or "")
        if (unknown := here.columns.unknown) is not None:
            shown = ast.unparse(unknown.node) if unknown.node is not None else "a column"
            raise UntranslatedError(f"whether {shown} is a class or a column is not known")
        if (relationship := here.columns.relationship) is not None:
            raise UntranslatedError(f"{relationship.name} is a relationship, a Query renders it as a criterion")
        if here.columns.runtime is not None:
            draft.doubt(f"that {here.columns.runtime} is a mapped class is not seen")

    def _translate_steps(self, web: Web, style: Style, draft: _Draft) -> None:
        for step in web.steps:
            before = self._resolver.value(step.method.value, step.place)
            if before is None or not isinstance(before.value, Statement):
                raise UntranslatedError(f"what {step.name}() is called on is not known")
            done = translated_step(step, before.value, style, self._resolver)
            draft.changes += done.changes
            draft.doubt(done.doubt)

    def _translate_use(self, here: Situation, draft: _Draft) -> None:
        done = self._ending(here, draft)
        draft.changes += done.changes
        draft.doubt(done.doubt)

    def _ending(self, here: Situation, draft: _Draft) -> Ending:
        use = here.use
        if use.kind == "call" and use.name in statements.STATEMENT_METHODS:
            return statements.statement_method(here)
        if use.kind == "call" and use.name == "exists":
            return counting.exists_ending(here)
        if use.kind == "attribute" and use.name in statements.STATEMENT_ATTRIBUTES:
            return statements.statement_attribute(here)
        if use.kind == "compared":
            return statements.compared(here)
        if use.kind == "argument" and not (isinstance(use.node, ast.Call) and goes_through(use.node, use.receiver)):
            return statements.statement_argument(here)
        run = executor(here.web, use, self._resolver)
        draft.doubt(run.doubt)
        return self._execution(here, run, draft)

    def _execution(self, here: Situation, run: Executor, draft: _Draft) -> Ending:
        use = here.use
        if use.kind == "call" and use.name == "get":
            return fetching.get_ending(here, run)
        if here.bulk:
            return bulk.bulk_ending(here, run)
        draft.doubt(counting.distinct_doubt(here))
        if use.kind == "call" and use.name == "count":
            return counting.count_ending(here, run)
        form = self._result(here, run, draft)
        if use.kind == "iterated" or use.kind == "argument":
            draft.doubt(why_keys_matter(here))
            return endings.iterated(here, run, form)
        if use.kind == "subscript":
            draft.doubt(why_keys_matter(here))
            return slicing.slice_ending(here, run, form)
        if use.kind == "call" and use.name in ROW_ENDINGS:
            draft.doubt(why_keys_matter(here))
            return endings.row_ending(here, run, form)
        if use.kind == "call" and use.name == "scalar":
            return endings.scalar_ending(here, run, form)
        if use.kind == "call" and use.name == "value":
            return endings.value_ending(here, run)
        if use.kind == "call" and use.name == "values":
            return endings.values_ending(here, run, form)
        raise UntranslatedError(_why_unknown(use))

    def _result(self, here: Situation, run: Executor, draft: _Draft) -> Result:
        unique = needs_unique(here.statement, here.columns, here.place_of, self._resolver)
        if unique and here.columns.kind == "rows" and (column := here.columns.unhashable) is not None:
            if loads_collection(here.statement, here.columns, here.place_of, self._resolver):
                raise UntranslatedError("rows with a column that cannot be hashed, and a collection that is joined")
            unique = False
            shown = ast.unparse(column.node) if column.node is not None else "a column"
            draft.doubt(f"equal rows stay, as {shown} may not be hashable")
        session = run.session if isinstance(run.session, ast.expr) else here.web.origins[0].session
        place: Place = here.web.origins[0].place
        return result(run.hole, has_scalars=has_scalars(session, place, self._resolver), unique=unique)

    def _translate_origins(self, web: Web, situations: list[Situation], draft: _Draft) -> None:
        first = situations[0]
        if first.use.name == "get" or first.bulk:
            return
        if first.use.name == "count" and counting.is_short_count(first):
            return
        for origin in web.origins:
            path = origin.place.module.path
            match origin.node:
                case ast.Call(func=method) if last_name(method) == "query":
                    draft.changes.append(Replaced(method, "{sqlalchemy.select}", path))
                case ast.Attribute(value=model):
                    draft.changes.append(Replaced(origin.node, "{sqlalchemy.select}({model})", path, {"model": model}))
                case ast.Call():
                    raise UntranslatedError("the arguments of Query() are not understood")


def _style(here: Situation) -> Style:
    return here.bulk or "select"  # type: ignore[return-value]


def _why_unknown(use: Use) -> str:
    match use.kind:
        case "call":
            return f"{use.name}() has no counterpart that is known"
        case "attribute":
            return f"Query.{use.name} has no counterpart that is known"
        case "returned":
            return "the callers that get the Query are not all seen"
        case "stored":
            return "it is not seen who takes the Query from where it is kept"
        case "tested":
            return "a Query is always true, select() refuses to be tested"
    return "what uses the Query is not understood"


def _shown(web: Web) -> str:
    if not web.is_expression:
        return "a Query held in a variable"
    use = web.uses[0]
    if use.kind == "call":
        return f"Query.{use.name}()"
    return {"subscript": "Query[...]", "iterated": "iterating a Query"}.get(use.kind, "a Query")


