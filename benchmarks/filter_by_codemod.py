"""What a LibCST codemod for `filter_by` looks like without any inference: the peer that `speed.py` measures against."""

from __future__ import annotations

import libcst as cst
from libcst.codemod import VisitorBasedCodemodCommand


class PlainFilterBy(VisitorBasedCodemodCommand):
    """`query(Model).filter_by(a=1)` becomes `query(Model).filter(Model.a == 1)`, where `Model` is right there."""

    DESCRIPTION = "filter_by to filter, by shape alone"

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        match updated_node:
            case cst.Call(
                func=cst.Attribute(
                    value=cst.Call(func=cst.Attribute(attr=cst.Name("query")), args=[cst.Arg(value=model)]),
                    attr=cst.Name("filter_by"),
                )
            ) if updated_node.args and all(arg.keyword for arg in updated_node.args):
                return updated_node.with_changes(
                    func=updated_node.func.with_changes(attr=cst.Name("filter")),
                    args=[self._comparison(model, arg) for arg in updated_node.args],
                )
        return updated_node

    def _comparison(self, model: cst.BaseExpression, arg: cst.Arg) -> cst.Arg:
        assert arg.keyword is not None
        target = cst.ComparisonTarget(cst.Equal(), arg.value)
        column = cst.Attribute(model.deep_clone(), cst.Name(arg.keyword.value))
        return arg.with_changes(keyword=None, equal=cst.MaybeSentinel.DEFAULT, value=cst.Comparison(column, [target]))
