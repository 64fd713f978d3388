"""The parameters of a function change, and their layout stays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from alchemod.edits.refusal import Refusal
from alchemod.edits.spacing import Whitespace, break_like, breaks, broken_at, has_comment

_BLANK = cst.SimpleWhitespace(" ")


def with_added(function: Any, name: str) -> Any:
    """A function with one more keyword-only parameter, before ``**kwargs``."""
    old = function.params
    field, last = _last(old)
    new = cst.Param(cst.Name(name))
    changes: dict[str, Any] = {}
    between: Whitespace = _BLANK
    if last is not None and old.star_kwarg is not None:
        between = break_like(_gap(last)) if breaks(_gap(last)) else _BLANK
        new = new.with_changes(comma=cst.Comma(whitespace_after=between))
    elif last is not None:
        like, tail = _gap_before(function, last), _gap(last)
        gap, tail = broken_at(tail, like) if breaks(like) else (_BLANK, tail)
        between = break_like(gap)
        has_comma = isinstance(last.comma, cst.Comma)
        new = new.with_changes(comma=cst.Comma(whitespace_after=tail)) if has_comma else _followed_by(new, tail)
        comma = last.comma if has_comma else cst.Comma()
        changes[field] = _followed_by(last, cst.SimpleWhitespace("")).with_changes(
            comma=comma.with_changes(whitespace_after=gap)
        )
    if not old.kwonly_params and not isinstance(old.star_arg, cst.Param):
        changes["star_arg"] = cst.ParamStar(cst.Comma(whitespace_after=between))
    if field != "star_arg" and field in changes:
        changes[field] = [*getattr(old, field)[:-1], changes[field]]
    changes["kwonly_params"] = [*changes.get("kwonly_params", old.kwonly_params), new]
    return function.with_changes(params=old.with_changes(**changes))


def with_only(function: Any, wanted: Sequence[int | str]) -> Any:
    """A function with these positional parameters: those it has, by number, and new ones by name.

    Raises Refusal for comments between the parameters, and where others stand beside them.
    """
    parameters = function.params
    old = parameters.params
    if any(has_comment(_gap(one)) for one in old):
        raise Refusal("a comment stands between the parameters")
    is_plain = isinstance(parameters.star_arg, cst.MaybeSentinel) and parameters.star_kwarg is None
    if not old or not is_plain or parameters.kwonly_params or parameters.posonly_params:
        raise Refusal("the function has other parameters too")
    between = old[0].comma if len(old) > 1 else cst.Comma(whitespace_after=_BLANK)
    found = [old[one] if isinstance(one, int) else cst.Param(cst.Name(one)) for one in wanted]
    last = found[-1].with_changes(comma=old[-1].comma, whitespace_after_param=old[-1].whitespace_after_param)
    first = [_followed_by(one, cst.SimpleWhitespace("")).with_changes(comma=between) for one in found[:-1]]
    return function.with_changes(params=parameters.with_changes(params=[*first, last]))


def _last(parameters: cst.Parameters) -> tuple[str, Any]:
    """The last parameter before ``**kwargs``, and the field that it stands in."""
    if parameters.kwonly_params:
        return "kwonly_params", parameters.kwonly_params[-1]
    if isinstance(parameters.star_arg, cst.Param):
        return "star_arg", parameters.star_arg
    if parameters.params:
        return "params", parameters.params[-1]
    if parameters.posonly_params:
        raise Refusal("all parameters of the function are positional-only")
    return "", None


def _gap(parameter: Any) -> Whitespace:
    """The whitespace after a parameter and its comma."""
    comma = parameter.comma
    found: Whitespace = comma.whitespace_after if isinstance(comma, cst.Comma) else parameter.whitespace_after_param
    return found


def _gap_before(function: Any, last: Any) -> Whitespace:
    """The whitespace before a parameter."""
    parameters = function.params
    everything = [*parameters.params, parameters.star_arg, *parameters.kwonly_params]
    everything = [one for one in everything if isinstance(one, cst.Param)]
    index = everything.index(last)
    return _gap(everything[index - 1]) if index else function.whitespace_before_params


def _followed_by(parameter: Any, space: Whitespace) -> Any:
    return parameter.with_changes(whitespace_after_param=space)
