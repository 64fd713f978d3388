"""Translates a web: what its origins, steps and uses become together, and what stands in the way."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from alchemod.facts.module import last_name
from alchemod.inference.translation.annotations import annotated_again
from alchemod.inference.translation.borrowing import Borrowing
from alchemod.inference.translation.changes import Change, Replaced, StepTranslation, UntranslatedError, composed
from alchemod.inference.translation.columns import column_list
from alchemod.inference.translation.counting import is_short_count
from alchemod.inference.translation.endings import Ending
from alchemod.inference.translation.execution import translated_use
from alchemod.inference.translation.situation import Situation
from alchemod.inference.translation.soundness import check_columns, check_hooks, check_sessions, check_texts, doubts
from alchemod.inference.translation.steps import translated_step
from alchemod.inference.translation.translation import Family, Translation
from alchemod.inference.translation.uses import purpose
from alchemod.inference.translation.variants import Variants
from alchemod.inference.translation.web import Use, Web
from alchemod.inference.values import Answer, Statement, Style

if TYPE_CHECKING:
    from alchemod.inference import Inference

_REMOVED: Final = frozenset(
    {
        *("union", "union_all", "intersect", "intersect_all", "except_", "except_all"),
        *("from_self", "select_entity_from", "with_polymorphic"),
    }
)
_FAMILIES: Final[dict[str, Family]] = {
    **dict.fromkeys(("scalar", "value", "values"), "columns"),
    **dict.fromkeys(("count", "exists"), "count and exists"),
    "slice": "slice",
    "bulk": "bulk",
    "get": "get",
    "statement": "statement",
}


class Translator:
    """Translates the webs of one project."""

    def __init__(self, inference: Inference) -> None:
        self._inference: Final = inference
        self._resolver: Final = inference.resolver

    def translation(self, web: Web) -> Translation:
        """What a web becomes, or why it stays."""
        given = tuple(self._given(web))
        try:
            changes, why = self._translated(web)
            missing = ""
        except UntranslatedError as error:
            changes, why, missing = (), "", str(error)
        return Translation(self._family(web), web, _pointed_at(web), _shown(web), given, changes, why, missing)

    def _given(self, web: Web) -> Iterator[Answer]:
        """What is known of the Query where it begins and where it is used."""
        expressions = [(origin.node, origin.place) for origin in web.origins]
        expressions += [(use.receiver, use.place) for use in web.uses]
        for node, place in expressions:
            answer = self._resolver.value(node, place)
            if answer is not None:
                yield answer

    def _family(self, web: Web) -> Family:
        if any(step.name in _REMOVED for step in web.steps):
            return "removed"
        if not web.is_expression:
            return "variable"
        use = web.uses[0]
        why = purpose(use)
        if why in {"rows", "loop"}:
            answer = self._resolver.value(use.receiver, use.place)
            if answer is not None and isinstance(answer.value, Statement):
                kind = column_list(answer.value.terms, web.place_of, self._resolver).kind
                return "entities" if kind == "entity" else "columns"
        return _FAMILIES.get(why, "variable")

    def _translated(self, web: Web) -> tuple[tuple[Change, ...], str]:
        """The changes of a web, and why they are not safe."""
        if web.problems:
            raise UntranslatedError(web.problems[0])
        if not web.uses:
            raise UntranslatedError("nothing that executes the Query is seen")
        variants, borrowing = Variants(web, self._resolver), Borrowing(web, self._resolver)
        ways = [self._situations(web, use, variants, borrowing) for use in web.uses]
        every = [here for situations in ways for here in situations]
        for here in every:
            check_hooks(here, self._inference)
            check_sessions(here)
            check_columns(here)
            check_texts(here)
        situations = [found[0] for found in ways]
        style = _style(situations)
        steps = list(self._steps(web, style, variants)) if situations[0].purpose != "get" else []
        uses = [_agreed([translated_use(here) for here in found]) for found in ways]
        changes = [change for done in steps for change in done.changes]
        changes += [change for done in uses for change in done.changes]
        why = [doubt for here in every for doubt in doubts(here, self._inference)]
        why += [step.doubt for step in steps] + [doubt for done in uses for doubt in done.doubts]
        changes += borrowing.changes
        changes += annotated_again(web, self._resolver)
        if web.passages or web.kept:
            why.append("the Query gets from one function to another")
        return tuple(composed([*_begun(web, situations), *changes])), next(filter(None, why), "")

    def _situations(self, web: Web, use: Use, variants: Variants, borrowing: Borrowing) -> list[Situation]:
        """A use with each of the Queries that may get there."""
        why = purpose(use)
        statements = [answer.value for answer in variants.at(use.receiver, use.place)]
        ways = tuple(
            (statement, column_list(statement.terms, web.place_of, self._resolver, is_class=why == "get"))
            for statement in statements
            if isinstance(statement, Statement)
        )
        certain = variants.certain(use.receiver, use.place)
        return [Situation(web, use, why, *way, self._resolver, borrowing, ways, certain) for way in ways]

    def _steps(self, web: Web, style: Style, variants: Variants) -> Iterator[StepTranslation]:
        for step in web.steps:
            before = [answer.value for answer in variants.at(step.method.value, step.place)]
            found = [translated_step(step, one, style, self._resolver) for one in before if isinstance(one, Statement)]
            if any(one.changes != found[0].changes for one in found):
                raise UntranslatedError(f"{step.name}() means something else for each Query that gets there")
            yield StepTranslation(found[0].changes, next(filter(None, (one.doubt for one in found)), ""))


def _agreed(found: Sequence[Ending]) -> Ending:
    """What becomes of a use for all the Queries that get there."""
    if any(one.changes != found[0].changes for one in found):
        raise UntranslatedError("the Queries that meet here would have to be executed in different ways")
    return Ending(found[0].changes, tuple(doubt for one in found for doubt in one.doubts))


def _style(situations: Sequence[Situation]) -> Style:
    """The construct that the Query of all these uses becomes."""
    styles: set[Style] = {here.use.name if here.purpose == "bulk" else "select" for here in situations}  # type: ignore[misc]
    return styles.pop() if len(styles) == 1 else "select"


def _begun(web: Web, situations: Sequence[Situation]) -> Iterator[Change]:
    """The changes at the expressions that begin the Query, where its use does not say what they become."""
    first = situations[0]
    if (
        first.purpose == "get"
        or (first.purpose == "bulk" and not first.is_shared)
        or (first.purpose == "count" and is_short_count(first))
    ):
        return
    for origin in web.origins:
        path = origin.place.module.path
        match origin.node:
            case ast.Call(func=method) if last_name(method) == "query":
                yield Replaced(method, "{sqlalchemy.select}", path)
            case ast.Call(args=[ast.List(elts=parts) | ast.Tuple(elts=parts), *_]):
                holes = {f"part_{index}": part for index, part in enumerate(parts)}
                listed = ", ".join(f"{{{name}}}" for name in holes)
                yield Replaced(origin.node, f"{{sqlalchemy.select}}({listed})", path, holes)
            case ast.Call(args=[entity, *_]) if not isinstance(entity, ast.Starred):
                yield Replaced(origin.node, "{sqlalchemy.select}({entity})", path, {"entity": entity})
            case ast.Attribute(value=model):
                yield Replaced(origin.node, "{sqlalchemy.select}({model})", path, {"model": model})
            case _:
                raise UntranslatedError("the arguments of Query() are not understood")


def _pointed_at(web: Web) -> ast.AST:
    """Where a finding about the web points."""
    use = web.uses[0] if web.is_expression else None
    return use.node if use is not None and isinstance(use.node, ast.expr) else web.origins[0].node


def _shown(web: Web) -> str:
    if not web.is_expression:
        return "a Query held in a variable"
    use = web.uses[0]
    if use.kind == "call":
        return f"Query.{use.name}()"
    return {"subscript": "Query[...]", "iterated": "iterating a Query"}.get(use.kind, "a Query")
