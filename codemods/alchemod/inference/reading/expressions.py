"""The expressions of Jinja templates, written in Python.

What a filter does with its input is written out where it matters ("List of Builtin Filters" in Jinja's documentation);
a filter that is not known becomes the call of a function that is not known.
"""

from __future__ import annotations

import keyword
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from jinja2 import nodes

_TEXT: Final = frozenset(
    {
        "escape", "e", "safe", "upper", "lower", "title", "capitalize", "string", "trim", "truncate", "wordwrap",
        "striptags", "urlencode", "format", "center", "indent", "replace", "forceescape", "filesizeformat", "int",
        "float", "round", "abs", "urlize", "wordcount", "xmlattr",
    }
)  # fmt: skip
"""Filters that make text or a number of what they get."""
_LISTING: Final = frozenset({"list", "unique", "batch", "slice"})


class Expressions:
    """Writes the expressions of one template. `read` are the names it reads, `bound` those that it binds itself."""

    def __init__(self) -> None:
        self.read: Final[dict[str, None]] = {}
        self.bound: Final[set[str]] = set()

    def text(self, node: nodes.Node | None) -> str:
        """An expression, or a target that is no name."""
        if node is None:
            return "None"
        write = _EXPRESSIONS.get(type(node).__name__)
        return write(self, node) if write is not None else f"_unknown({', '.join(map(self.text, _parts(node)))})"

    def _name(self, name: str) -> str:
        name = f"{name}_" if keyword.iskeyword(name) else name
        self.read.setdefault(name)
        return name

    def target(self, node: nodes.Node) -> str:
        """What is assigned to."""
        match type(node).__name__:
            case "Tuple":
                return ", ".join(self.target(part) for part in node.items)  # type: ignore[attr-defined]
            case "Name":
                self.bound.add(node.name)  # type: ignore[attr-defined]
                return self._name(node.name)  # type: ignore[attr-defined]
        return self.text(node)

    def _attribute(self, node: Any) -> str:
        owner = self.text(node.node)
        return f"{owner}.{node.attr}" if _is_plain(node.attr) else f"getattr({owner}, {node.attr!r})"

    def _item(self, node: Any) -> str:
        owner = self.text(node.node)
        key = constant(node.arg)
        if key is not None:
            return f"{owner}.{key}" if _is_plain(key) else f"getattr({owner}, {key!r})"
        return f"{owner}[{self.text(node.arg)}]"

    def _call(self, node: Any) -> str:
        function = node.node
        name = type(function).__name__
        if name == "Name" and function.name == "super":
            return "''"
        called = self.text(function)
        if name == "Getattr" and type(function.node).__name__ == "Name":
            imported = f"{function.node.name}__{function.attr}"
            called = imported if imported in self.bound else called
        given = [self.text(part) for part in node.args]
        given += [f"{pair.key}={self.text(pair.value)}" for pair in node.kwargs if _is_plain(pair.key)]
        return f"{called}({', '.join(given)})"

    def _filter(self, node: Any) -> str:
        value = self.text(node.node) if node.node is not None else "''"
        match node.name:
            case "sort" | "groupby" if self._path(node):
                return f"sorted({value}, key=lambda _row: _row.{self._path(node)})"
            case "map" | "sum" | "join" | "min" | "max" if self._path(node):
                return self.each(node, value)
            case "selectattr" | "rejectattr" if self._path(node):
                return f"[_row for _row in {value} if _row.{self._path(node)}]"
            case "length" | "count":
                return f"len({value})"
            case "first" | "random":
                return f"next(iter({value}))"
            case "last":
                return f"{value}[-1]"
            case "default" | "d":
                return f"({value} or {', '.join(map(self.text, node.args)) or 'None'})"
            case name if name in _LISTING or name in {"sort", "reverse"}:
                return f"list({value})"
            case name if name in _TEXT or name == "join":
                return f"str({value})"
        given = ", ".join([value, *map(self.text, node.args)])
        return f"_filter_{node.name.replace('.', '_')}({given})"

    def each(self, node: Any, value: str) -> str:
        """The attribute that a filter takes, of each element of `value`."""
        return f"[_row.{self._path(node)} for _row in {value}]"

    def _path(self, node: Any) -> str:
        """The attribute that a filter takes of each element, dotted; "" when it takes none."""
        named = next((pair.value for pair in node.kwargs if pair.key == "attribute"), None)
        if named is None and node.args and node.name not in {"join", "map", "sum", "min", "max", "sort"}:
            named = node.args[0]
        path = constant(named) if named is not None else None
        return path if path is not None and all(map(_is_plain, path.split("."))) else ""

    def _test(self, node: Any) -> str:
        value = self.text(node.node)
        return f"({value} is None)" if node.name in {"none", "undefined"} else f"bool({value})"

    def _compare(self, node: Any) -> str:
        text = self.text(node.expr)
        for operand in node.ops:
            text += f" {_COMPARED.get(operand.op, '==')} {self.text(operand.expr)}"
        return f"({text})"

    def _conditional(self, node: Any) -> str:
        otherwise = self.text(node.expr2)
        return f"({self.text(node.expr1)} if {self.text(node.test)} else {otherwise})"


_COMPARED: Final = {
    "eq": "==", "ne": "!=", "lt": "<", "lteq": "<=", "gt": ">", "gteq": ">=", "in": "in", "notin": "not in",
}  # fmt: skip


_OPERATORS: Final = {"Add": "+", "Sub": "-", "Mul": "*", "Div": "/", "FloorDiv": "//", "Mod": "%", "Pow": "**"}


def _joined(operator: str) -> Callable[[Expressions, Any], str]:
    return lambda this, node: f"({this.text(node.left)} {operator} {this.text(node.right)})"


def _displayed(left: str, right: str) -> Callable[[Expressions, Any], str]:
    return lambda this, node: left + "".join(f"{this.text(part)}, " for part in node.items) + right


_EXPRESSIONS: Final[dict[str, Callable[[Expressions, Any], str]]] = {
    "Name": lambda this, node: this._name(node.name),
    "Const": lambda this, node: repr(node.value),
    "TemplateData": lambda this, node: "''",
    "Getattr": Expressions._attribute,
    "Getitem": Expressions._item,
    "Call": Expressions._call,
    "Filter": Expressions._filter,
    "Test": Expressions._test,
    "Compare": Expressions._compare,
    "CondExpr": Expressions._conditional,
    "And": _joined("and"),
    "Or": _joined("or"),
    **{name: _joined(operator) for name, operator in _OPERATORS.items()},
    "Not": lambda this, node: f"(not {this.text(node.node)})",
    "List": _displayed("[", "]"),
    "Tuple": _displayed("(", ")"),
    "Dict": lambda this, node: f"{{{', '.join(f'0: {this.text(pair.value)}' for pair in node.items)}}}",
    "Neg": lambda this, node: f"(-{this.text(node.node)})",
    "Slice": lambda this, node: ":",
    "Concat": lambda this, node: " + ".join(f"str({this.text(part)})" for part in node.nodes),
    "MarkSafe": lambda this, node: f"str({this.text(node.expr)})",
    "MarkSafeIfAutoescape": lambda this, node: f"str({this.text(node.expr)})",
}


def constant(node: nodes.Node | None) -> str | None:
    """The text of a constant, None for anything else."""
    value = getattr(node, "value", None) if type(node).__name__ == "Const" else None
    return value if isinstance(value, str) else None


def _parts(node: nodes.Node) -> list[nodes.Node]:
    return list(node.iter_child_nodes())


def _is_plain(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name)
