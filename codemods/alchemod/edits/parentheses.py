"""When an expression needs parentheses: by what it is, by where it goes, and when it spans lines.

The levels are those of the expression grammar of the Python reference (section 6.17), loosest first.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any, TypeVar

from alchemod.edits.comments import breaks_line_outside_brackets
from alchemod.edits.paths import Path, follow

if TYPE_CHECKING:
    import libcst as cst

    Expression = TypeVar("Expression", bound=cst.BaseExpression)


class Level(IntEnum):
    """How tightly an expression holds together."""

    LOOSE = 0
    """A tuple without parentheses, ``yield``, ``:=``, a generator without its own parentheses."""
    TEST = 1
    """``lambda`` and the conditional expression."""
    OR = 2
    AND = 3
    NOT = 4
    COMPARISON = 5
    BIT_OR = 6
    BIT_XOR = 7
    BIT_AND = 8
    SHIFT = 9
    SUM = 10
    TERM = 11
    UNARY = 12
    POWER = 13
    AWAIT = 14
    INTEGER = 15
    """A dot after an integer would turn it into a float."""
    PRIMARY = 16


_BINARY = {
    "BitOr": Level.BIT_OR,
    "BitXor": Level.BIT_XOR,
    "BitAnd": Level.BIT_AND,
    "LeftShift": Level.SHIFT,
    "RightShift": Level.SHIFT,
    "Add": Level.SUM,
    "Subtract": Level.SUM,
    "Power": Level.POWER,
}
_LEVELS = {
    "Tuple": Level.LOOSE,
    "Yield": Level.LOOSE,
    "NamedExpr": Level.LOOSE,
    "GeneratorExp": Level.LOOSE,
    "Lambda": Level.TEST,
    "IfExp": Level.TEST,
    "Comparison": Level.COMPARISON,
    "Await": Level.AWAIT,
    "Integer": Level.INTEGER,
}

# What may stand in a field without parentheses; everything else takes a TEST.
_SLOTS = {
    ("Attribute", "value"): Level.PRIMARY,
    ("Call", "func"): Level.INTEGER,
    ("Subscript", "value"): Level.INTEGER,
    ("Await", "expression"): Level.INTEGER,
    ("Comparison", "left"): Level.BIT_OR,
    ("ComparisonTarget", "comparator"): Level.BIT_OR,
    ("IfExp", "body"): Level.OR,
    ("IfExp", "test"): Level.OR,
    ("CompFor", "iter"): Level.OR,
    ("CompIf", "test"): Level.OR,
    ("StarredElement", "value"): Level.BIT_OR,
    ("StarredDictElement", "value"): Level.BIT_OR,
    ("Assign", "value"): Level.LOOSE,
    ("AugAssign", "value"): Level.LOOSE,
    ("Yield", "value"): Level.LOOSE,
    ("Return", "value"): Level.LOOSE,
    ("Expr", "value"): Level.LOOSE,
    ("For", "iter"): Level.LOOSE,
}


def level(expression: cst.CSTNode) -> Level:
    """How tightly an expression holds together, its parentheses counted."""
    return Level.PRIMARY if has_parentheses(expression) else _bare_level(expression)


def _bare_level(expression: Any) -> Level:
    match type(expression).__name__:
        case "BinaryOperation":
            return _BINARY.get(type(expression.operator).__name__, Level.TERM)
        case "BooleanOperation":
            return Level.AND if type(expression.operator).__name__ == "And" else Level.OR
        case "UnaryOperation":
            return Level.NOT if type(expression.operator).__name__ == "Not" else Level.UNARY
        case kind:
            return _LEVELS.get(kind, Level.PRIMARY)


def needed(parent: cst.CSTNode, field: str) -> Level:
    """The loosest level that may stand in a field of ``parent`` without parentheses."""
    kind = type(parent).__name__
    own = _bare_level(parent)
    match kind:
        case "BooleanOperation":
            return Level(own + 1)
        case "UnaryOperation":
            return own
        case "BinaryOperation" if own is Level.POWER:
            return Level.AWAIT if field == "left" else Level.UNARY
        case "BinaryOperation":
            return own if field == "left" else Level(own + 1)
        case _:
            return _SLOTS.get((kind, field), Level.TEST)


def fits(expression: cst.CSTNode, parent: cst.CSTNode, field: str) -> bool:
    """Whether the expression may stand in a field of ``parent`` as it is."""
    if type(expression).__name__ in ("NamedExpr", "GeneratorExp") and not has_parentheses(expression):
        return False
    return level(expression) >= needed(parent, field)


def parenthesized(expression: Expression) -> Expression:
    """The expression in one more pair of parentheses."""
    import libcst as cst

    return expression.with_changes(lpar=(cst.LeftParen(), *expression.lpar), rpar=(*expression.rpar, cst.RightParen()))


_BRACKETED = {
    "Call": ("args",),
    "ClassDef": ("bases", "keywords"),
    "FunctionDef": ("params",),
    "Subscript": ("slice",),
}
_BRACKETS = ("List", "Set", "Dict", "ListComp", "SetComp", "DictComp")


def in_brackets(root: cst.CSTNode, path: Path) -> bool:
    """Whether a line may end at the end of a path, because brackets are open there."""
    for length, (name, _) in enumerate(path):
        node = follow(root, path[:length])
        kind = type(node).__name__
        if name in _BRACKETED.get(kind, ()) or kind in _BRACKETS or has_parentheses(node):
            return True
    return has_parentheses(follow(root, path))


def has_parentheses(node: cst.CSTNode) -> bool:
    """Whether a node has parentheses of its own."""
    lpar: Any = getattr(node, "lpar", ())
    return isinstance(lpar, list | tuple) and bool(lpar)


def has_open_line_break(expression: cst.CSTNode) -> bool:
    """Whether the expression spans lines outside of all brackets, so that it is one only inside brackets."""
    import libcst as cst

    return breaks_line_outside_brackets(cst.Module([]).code_for_node(expression))
