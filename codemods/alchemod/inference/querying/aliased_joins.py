"""`join(..., aliased=True)`: a join to an alias that the calls behind it mean without saying so.

Up to the next `reset_joinpoint()`, criteria and orderings that name the class of the target mean the alias; `having()`
and options do not (`Query.join` of SQLAlchemy 1.4; verified by execution).
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from alchemod.facts.nodes import walk
from alchemod.inference.area import Area
from alchemod.inference.resolving.statements import ROW_ENDINGS
from alchemod.inference.scoping.scopes import scope_of
from alchemod.inference.uses.flowing import Flowing
from alchemod.inference.values import Answer, ModelAttribute, ModelClass, Statement

_ADAPTED: Final = frozenset({"filter", "where", "order_by", "group_by"})
_KEYWORDS: Final = frozenset({"filter_by"})
_ENDINGS: Final = ROW_ENDINGS | {"count", "scalar", "delete"}
_SILENT: Final = frozenset({"distinct", "limit", "offset", "slice", "yield_per", "with_for_update"})
_STATEMENTS: Final = (ast.Assign, ast.AnnAssign, ast.Return, ast.Expr)


@dataclass(frozen=True, slots=True)
class AliasedJoin:
    """A join of a Query to an implicit alias.

    `answer` is the Query before it. `target` is how the code calls the class that is joined, `alias` a free name for
    its alias, `statement` what the chain stands in, `named` the places behind the join that mean the alias. `missing`
    says why the alias cannot be written out.
    """

    answer: Answer
    relation: ast.expr
    target: ast.Name | None = None
    alias: str = ""
    statement: ast.stmt | None = None
    named: list[ast.Name] = field(default_factory=list)
    missing: str = ""


class AliasedJoins(Area):
    """The joins of a project that make an alias of their own."""

    def of(self, path: Path, call: ast.Call) -> AliasedJoin | None:
        """What a call of `join()` with `aliased=` or `from_joinpoint=` is; None where the receiver is no Query."""
        if not isinstance(call.func, ast.Attribute) or not call.args:
            return None
        answer = self.inference.value(path, call.func.value)
        match answer:
            case Answer(value=Statement(style="query")):
                pass
            case _:
                return None
        relation = call.args[0]
        if {keyword.arg for keyword in call.keywords} - {"aliased", "isouter", "full"} or len(call.args) > 1:
            return AliasedJoin(answer, relation, missing="where the join starts")
        target = self._target(path, relation)
        if target is None:
            return AliasedJoin(answer, relation, missing="which class is joined")
        return self._followed(path, call, answer, relation, target)

    def _target(self, path: Path, relation: ast.expr) -> ModelClass | None:
        match self.inference.value(path, relation):
            case Answer(value=ModelAttribute(owner=owner, attribute=attribute)) if attribute.kind == "relationship":
                found = self.inference.project.models.target(attribute, owner.model)
                return ModelClass(found) if found is not None else None
        return None

    def _followed(
        self, path: Path, call: ast.Call, answer: Answer, relation: ast.expr, target: ModelClass
    ) -> AliasedJoin:
        named: list[ast.Name] = []
        flowing = self.inference.ask(Flowing)
        node: ast.expr = call
        while True:
            step, method = flowing.parent(path, node), None
            if isinstance(step, ast.Attribute) and step.value is node:
                method = flowing.parent(path, step)
            if not isinstance(step, ast.Attribute) or not isinstance(method, ast.Call):
                return AliasedJoin(answer, relation, missing="what is asked of the Query later")
            found = [inner for one in self._arguments(method) for inner in walk(one) if self._is(path, inner, target)]
            if step.attr in _ADAPTED:
                named += [inner for inner in found if isinstance(inner, ast.Name)]
            elif found or step.attr not in _KEYWORDS | _ENDINGS | _SILENT:
                return AliasedJoin(answer, relation, missing=f"what {step.attr}() means behind the join")
            node = method
            if step.attr in _ENDINGS:
                break
        spelled = named[0] if named else None
        statement = flowing.parent(path, node)
        while isinstance(statement, ast.expr | ast.keyword):
            statement = flowing.parent(path, statement)
        if not isinstance(statement, _STATEMENTS) or spelled is None:
            return AliasedJoin(answer, relation, missing="where the alias can be made")
        alias = self._free(path, call, f"joined_{target.model.name.lower()}")
        if not alias or any(isinstance(inner, ast.Lambda | ast.ListComp) for inner in walk(statement)):
            return AliasedJoin(answer, relation, missing="a name for the alias")
        return AliasedJoin(answer, relation, spelled, alias, statement, named)

    @staticmethod
    def _arguments(call: ast.Call) -> list[ast.expr]:
        return [*call.args, *(keyword.value for keyword in call.keywords)]

    def _is(self, path: Path, node: ast.AST, target: ModelClass) -> bool:
        """Whether a name is the class that is joined."""
        if not isinstance(node, ast.Name):
            return False
        match self.inference.value(path, node):
            case Answer(value=ModelClass(model=model, alias=None)):
                return model is target.model
        return False

    def _free(self, path: Path, at: ast.AST, name: str) -> str:
        """The name, if nothing in the file is called so."""
        tree = self.inference.project.tree(path)
        taken = name in {inner.id for inner in walk(tree) if isinstance(inner, ast.Name)}
        return "" if taken or scope_of(tree).owner(name) is not None else name
