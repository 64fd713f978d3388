"""From a node of :mod:`ast` to its LibCST counterpart, field by field.

Each function of this module answers for one step of :mod:`ast`: given a parent, its counterpart and a field,
the path (see :mod:`alchemod.edits.paths`) from the counterpart to that of the child. The counterpart of an
expression that stands as argument, element or target is the expression; :func:`slot_path` gives the path to
what holds it there.

Nothing is found by counting or by position in the text, so the answer cannot drift.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from alchemod.edits.paths import Path, follow
from alchemod.edits.refusal import Refusal

if TYPE_CHECKING:
    import libcst as cst

# "a.b" are two attributes; "items[].item" is the attribute of the item with the index of the child.
_FIELDS: dict[type[ast.AST], dict[str, str]] = {
    ast.Attribute: {"value": "value"},
    ast.Subscript: {"value": "value"},
    ast.BinOp: {"left": "left", "right": "right"},
    ast.UnaryOp: {"operand": "expression"},
    ast.Compare: {"left": "left", "comparators": "comparisons[].comparator"},
    ast.Call: {"func": "func"},
    ast.keyword: {"value": "value"},
    ast.IfExp: {"test": "test", "body": "body", "orelse": "orelse"},
    ast.Lambda: {"args": "params", "body": "body"},
    ast.NamedExpr: {"target": "target", "value": "value"},
    ast.Await: {"value": "expression"},
    ast.Yield: {"value": "value"},
    ast.YieldFrom: {"value": "value.item"},
    ast.Starred: {"value": "value"},
    ast.Slice: {"lower": "lower", "upper": "upper", "step": "step"},
    ast.ListComp: {"elt": "elt"},
    ast.SetComp: {"elt": "elt"},
    ast.GeneratorExp: {"elt": "elt"},
    ast.DictComp: {"key": "key", "value": "value"},
    ast.comprehension: {"target": "target", "iter": "iter", "ifs": "ifs[].test"},
    ast.FormattedValue: {"value": "expression"},
    ast.arg: {"annotation": "annotation.annotation"},
    ast.Expr: {"value": "value"},
    ast.Assign: {"targets": "targets[].target", "value": "value"},
    ast.AugAssign: {"target": "target", "value": "value"},
    ast.AnnAssign: {"target": "target", "annotation": "annotation.annotation", "value": "value"},
    ast.Return: {"value": "value"},
    ast.Raise: {"exc": "exc", "cause": "cause.item"},
    ast.Assert: {"test": "test", "msg": "msg"},
    ast.Import: {"names": "names[]"},
    ast.ImportFrom: {"names": "names[]"},
    ast.If: {"test": "test"},
    ast.While: {"test": "test"},
    ast.For: {"target": "target", "iter": "iter"},
    ast.AsyncFor: {"target": "target", "iter": "iter"},
    ast.With: {"items": "items[]"},
    ast.AsyncWith: {"items": "items[]"},
    ast.withitem: {"context_expr": "item", "optional_vars": "asname.name"},
    ast.Try: {"handlers": "handlers[]"},
    ast.TryStar: {"handlers": "handlers[]"},
    ast.ExceptHandler: {"type": "type"},
    ast.FunctionDef: {
        "args": "params",
        "returns": "returns.annotation",
        "decorator_list": "decorators[].decorator",
    },
    ast.AsyncFunctionDef: {
        "args": "params",
        "returns": "returns.annotation",
        "decorator_list": "decorators[].decorator",
    },
    ast.ClassDef: {"decorator_list": "decorators[].decorator"},
    ast.Match: {"subject": "subject", "cases": "cases[]"},
    ast.match_case: {"pattern": "pattern", "guard": "guard"},
    ast.MatchValue: {"value": "value"},
    ast.MatchSingleton: {},
    ast.MatchMapping: {"keys": "elements[].key", "patterns": "elements[].pattern"},
    ast.MatchClass: {
        "cls": "cls",
        "patterns": "patterns[].value",
        "kwd_patterns": "kwds[].pattern",
    },
    ast.MatchAs: {"pattern": "pattern"},
    ast.MatchOr: {"patterns": "patterns[].pattern"},
}


def step_path(parent: ast.AST, field: str, index: int | None, counterpart: cst.CSTNode) -> Path:
    """The path from the counterpart of ``parent`` to that of a child.

    Raises Refusal when the child has no counterpart of its own.
    """
    if special := _SPECIAL.get((type(parent).__name__, field)):
        return special(parent, index, counterpart)
    plain = _FIELDS.get(type(parent), {}).get(field)
    if plain is None:
        raise Refusal(f"the {field} of {type(parent).__name__} cannot be edited")
    return _plain_path(plain, index)


def slot_path(parent: ast.AST, field: str, index: int | None, counterpart: cst.CSTNode) -> Path:
    """The path to the argument that holds the child, instead of to its value."""
    path = step_path(parent, field, index, counterpart)
    return path[:-1] if path[-1] == ("value", None) else path


def _plain_path(plain: str, index: int | None) -> Path:
    return tuple((name[:-2], index) if name.endswith("[]") else (name, None) for name in plain.split("."))


def _value_of(item: Any, path: Path) -> Path:
    """``path`` leads to an element or argument: go on to its value, unless it is a starred one."""
    return path if _is_starred(item) else (*path, ("value", None))


def _is_starred(item: Any) -> bool:
    return type(item).__name__ == "StarredElement" or bool(getattr(item, "star", ""))


def _operand(parent: Any, index: int | None, counterpart: Any) -> Path:
    """``a and b and c`` is one node in ast and ``(a and b) and c`` in LibCST."""
    assert index is not None
    leftward = len(parent.values) - 1 - index
    if index == 0:
        return (("left", None),) * leftward
    return (*(("left", None),) * leftward, ("right", None))


def _positional(parent: Any, index: int | None, counterpart: Any) -> Path:
    """Positional and ``*`` arguments, in order."""
    places = [("args", i) for i, arg in enumerate(counterpart.args) if not _is_keyword(arg)]
    return _argument(counterpart, _nth(places, index))


def _keyword(parent: Any, index: int | None, counterpart: Any) -> Path:
    """Named and ``**`` arguments, in order. The counterpart of a keyword is the argument."""
    return (_nth([("args", i) for i, arg in enumerate(counterpart.args) if _is_keyword(arg)], index),)


def _base(parent: Any, index: int | None, counterpart: Any) -> Path:
    """LibCST files ``*bases`` under bases or keywords, by where they stand."""
    places = [("bases", i) for i in range(len(counterpart.bases))]
    places += [("keywords", i) for i, arg in enumerate(counterpart.keywords) if not _is_keyword(arg)]
    return _argument(counterpart, _nth(places, index))


def _class_keyword(parent: Any, index: int | None, counterpart: Any) -> Path:
    places = [("keywords", i) for i, arg in enumerate(counterpart.keywords) if _is_keyword(arg)]
    return (_nth(places, index),)


def _is_keyword(argument: Any) -> bool:
    return argument.keyword is not None or argument.star == "**"


def _argument(counterpart: Any, step: tuple[str, int]) -> Path:
    return _value_of(follow(counterpart, (step,)), (step,))


def _nth(places: list[tuple[str, int]], index: int | None) -> tuple[str, int]:
    if index is None or index >= len(places):
        raise Refusal("the arguments could not be matched with their LibCST tree")
    return places[index]


def _slice(parent: Any, index: int | None, counterpart: Any) -> Path:
    """A tuple without parentheses has no node of its own in LibCST: the subscript stands for it."""
    elements = counterpart.slice
    if isinstance(parent.slice, ast.Tuple) and not _is_one_tuple(elements):
        return ()
    return _index_path(elements, 0)


def _is_one_tuple(elements: Sequence[Any]) -> bool:
    return (
        len(elements) == 1
        and type(elements[0].comma).__name__ != "Comma"
        and not getattr(elements[0].slice, "star", None)
        and type(elements[0].slice).__name__ == "Index"
    )


def _index_path(elements: Sequence[Any], index: int) -> Path:
    element = elements[index].slice
    path: Path = (("slice", index), ("slice", None))
    if type(element).__name__ == "Slice" or getattr(element, "star", None):
        return path
    return (*path, ("value", None))


def _element(parent: Any, index: int | None, counterpart: Any) -> Path:
    assert index is not None
    if type(counterpart).__name__ == "Subscript":
        return _index_path(counterpart.slice, index)
    return _value_of(counterpart.elements[index], (("elements", index),))


def _dict_value(parent: Any, index: int | None, counterpart: Any) -> Path:
    return (("elements", index), ("value", None))


def _generator(parent: Any, index: int | None, counterpart: Any) -> Path:
    assert index is not None
    return (("for_in", None), *(("inner_for_in", None),) * index)


def _deleted(parent: Any, index: int | None, counterpart: Any) -> Path:
    """``del a, b`` deletes two targets, ``del (a, b)`` one tuple."""
    target = counterpart.target
    if type(target).__name__ == "Tuple" and not target.lpar:
        return (("target", None), ("elements", index), ("value", None))
    return (("target", None),)


def _field(parent: Any, index: int | None, counterpart: Any) -> Path:
    """A replacement field of an f-string, of a part of a concatenation, or of a format specification."""
    if index is None or not isinstance(parent.values[index], ast.FormattedValue):
        raise Refusal("the text of an f-string cannot be edited")
    wanted = sum(isinstance(value, ast.FormattedValue) for value in parent.values[:index])
    fields = list(_fields_of(counterpart, ()))
    if wanted >= len(fields):
        raise Refusal("the f-string could not be matched with its LibCST tree")
    return fields[wanted]


def _fields_of(string: Any, path: Path) -> list[Path]:
    kind = type(string).__name__
    if kind == "ConcatenatedString":
        return _fields_of(string.left, (*path, ("left", None))) + _fields_of(string.right, (*path, ("right", None)))
    name = "format_spec" if kind == "FormattedStringExpression" else "parts"
    return [
        (*path, (name, i))
        for i, part in enumerate(getattr(string, name, None) or ())
        if type(part).__name__ == "FormattedStringExpression"
    ]


def _specification(parent: Any, index: int | None, counterpart: Any) -> Path:
    """The format specification has no node of its own in LibCST: the replacement field stands for it."""
    return ()


def _parameters(ast_field: str) -> Callable[[Any, int | None, Any], Path]:
    def path(parent: Any, index: int | None, counterpart: Any) -> Path:
        groups = {
            "posonlyargs": "posonly_params",
            "args": "params",
            "kwonlyargs": "kwonly_params",
            "vararg": "star_arg",
            "kwarg": "star_kwarg",
        }
        return ((groups[ast_field], index),)

    return path


def _default(parent: Any, index: int | None, counterpart: Any) -> Path:
    """Defaults belong to the last positional parameters."""
    positional = len(parent.posonlyargs) + len(parent.args)
    place = positional - len(parent.defaults) + (index or 0)
    if place < len(parent.posonlyargs):
        return (("posonly_params", place), ("default", None))
    return (("params", place - len(parent.posonlyargs)), ("default", None))


def _keyword_default(parent: Any, index: int | None, counterpart: Any) -> Path:
    return (("kwonly_params", index), ("default", None))


def _pattern_item(parent: Any, index: int | None, counterpart: Any) -> Path:
    assert index is not None
    if type(counterpart.patterns[index]).__name__ == "MatchStar":
        return (("patterns", index),)
    return (("patterns", index), ("value", None))


def _suite(field: str) -> Callable[[Any, int | None, Any], Path]:
    def path(parent: Any, index: int | None, counterpart: Any) -> Path:
        holder = _holder(field, counterpart)
        suite = follow(counterpart, holder)
        if field == "orelse" and type(suite).__name__ == "If":
            return holder
        return (*holder, *_statement_path(suite, index or 0))

    return path


def _holder(field: str, counterpart: Any) -> Path:
    """The path to what has the statements of a suite in its ``body``."""
    if type(counterpart).__name__ in ("Module", "IndentedBlock"):
        return ()
    if field == "body":
        return (("body", None),)
    if type(getattr(counterpart, field)).__name__ == "If":
        return ((field, None),)
    return ((field, None), ("body", None))


def _statement_path(suite: Any, index: int) -> Path:
    """The item of a list of statements: LibCST groups simple statements by line."""
    if type(suite).__name__ == "SimpleStatementSuite":
        return (("body", index),)
    for i, line in enumerate(suite.body):
        if type(line).__name__ != "SimpleStatementLine":
            if index == 0:
                return (("body", i),)
            index -= 1
        elif index < len(line.body):
            return (("body", i), ("body", index))
        else:
            index -= len(line.body)
    raise Refusal("the statements could not be matched with their LibCST tree")


_SPECIAL: dict[tuple[str, str], Callable[[Any, int | None, Any], Path]] = {
    ("BoolOp", "values"): _operand,
    ("Call", "args"): _positional,
    ("Call", "keywords"): _keyword,
    ("ClassDef", "bases"): _base,
    ("ClassDef", "keywords"): _class_keyword,
    ("Subscript", "slice"): _slice,
    ("Tuple", "elts"): _element,
    ("List", "elts"): _element,
    ("Set", "elts"): _element,
    ("Dict", "keys"): lambda parent, index, counterpart: (("elements", index), ("key", None)),
    ("Dict", "values"): _dict_value,
    ("Delete", "targets"): _deleted,
    ("JoinedStr", "values"): _field,
    ("FormattedValue", "format_spec"): _specification,
    ("arguments", "defaults"): _default,
    ("arguments", "kw_defaults"): _keyword_default,
    ("MatchSequence", "patterns"): _pattern_item,
}
_SPECIAL |= {(kind, "generators"): _generator for kind in ("ListComp", "SetComp", "DictComp", "GeneratorExp")}
_SPECIAL |= {
    ("arguments", field): _parameters(field) for field in ("posonlyargs", "args", "kwonlyargs", "vararg", "kwarg")
}
_SPECIAL |= {
    (kind.__name__, field): _suite(field)
    for kind in (
        ast.Module,
        ast.If,
        ast.For,
        ast.AsyncFor,
        ast.While,
        ast.With,
        ast.AsyncWith,
        ast.Try,
        ast.TryStar,
        ast.FunctionDef,
        ast.AsyncFunctionDef,
        ast.ClassDef,
        ast.ExceptHandler,
        ast.match_case,
    )
    for field in ("body", "orelse", "finalbody")
}
