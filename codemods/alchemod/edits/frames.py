"""A small module around a unit of editing, in which LibCST parses it and gives it back.

The frame has the indentation of the unit, so that the whitespace of its continuation lines means the same as in
the whole file.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any

from alchemod.edits.ancestry import COMPOUND, Owner
from alchemod.edits.paths import Path, follow, put


@dataclass(frozen=True, slots=True)
class Frame:
    """A small module with the unit at ``path`` in it, and the text before and after that of the unit."""

    module: Any
    path: Path
    before: str
    after: str
    indent: str
    newline: str

    @classmethod
    def of(cls, owner: Owner | ast.expr, text: str, indent: str, newline: str) -> Frame:
        """The frame for a unit that stands at an indentation, with the tree of ``text`` in it."""
        import libcst as cst

        before, after, path = _surroundings(owner, indent)
        path = (("body", 0), *path)
        if indent:
            before = f"if _:\n{indent}{before}"
            path = (("body", 0), ("body", None), *path)
        before, after = before.replace("\n", newline), after.replace("\n", newline)
        config = cst.PartialParserConfig(default_newline=newline)
        module = cst.parse_module(f"{before}{text}{after}", config)
        return cls(module, path, before, after, indent, newline)

    @property
    def tree(self) -> Any:
        """The tree of the unit alone."""
        return header_only(follow(self.module, self.path))

    def render(self, tree: Any) -> str:
        """The text of a unit with this tree: its continuation lines have the indentation of the frame."""
        code: str = put(self.module, self.path, tree).code
        return code[len(self.before) : len(code) - len(self.after)]


def _surroundings(owner: Owner | ast.expr, indent: str) -> tuple[str, str, Path]:
    """The text around a unit that makes it a statement, and the path from the statement to the unit."""
    match owner:
        case ast.expr():
            return "_(", ")\n", (("body", 0), ("value", None), ("args", 0), ("value", None))
        case ast.ExceptHandler():
            return f"try: pass\n{indent}", " pass\n", (("handlers", 0),)
        case ast.match_case():
            return f"match _:\n{indent} ", " pass\n", (("cases", 0),)
        case ast.Match():
            return "", f"\n{indent} case _: pass\n", ()
        case _ if isinstance(owner, COMPOUND):
            return "", " pass\n", ()
        case _:
            return "", "\n", (("body", 0),)


def example(owner: Owner | ast.expr) -> str:
    """Any text of the same kind, to make a frame for a unit cut out of the whole module."""
    match owner:
        case ast.expr():
            return "_"
        case ast.ExceptHandler():
            return "except _:"
        case ast.match_case():
            return "case _:"
        case ast.Match():
            return "match _:"
        case _:
            return "if _:" if isinstance(owner, COMPOUND) else "pass"


def header_only(tree: Any) -> Any:
    """A simple statement without its semicolon; a compound one with ``pass`` as its body and no decorators."""
    import libcst as cst

    if isinstance(tree, cst.BaseSmallStatement):
        return tree.with_changes(semicolon=cst.MaybeSentinel.DEFAULT)
    if isinstance(tree, cst.BaseExpression):
        return tree.with_changes(lpar=(), rpar=())
    suite = cst.SimpleStatementSuite([cst.Pass()])
    if isinstance(tree, cst.Match):
        case = cst.MatchCase(cst.MatchAs(), suite)
        return tree.with_changes(cases=[case], indent=" ", leading_lines=(), footer=())
    empty: dict[str, Any] = {
        "body": suite,
        "orelse": None,
        "leading_lines": (),
        "decorators": (),
        "lines_after_decorators": (),
    }
    return tree.with_changes(**{name: value for name, value in empty.items() if hasattr(tree, name)})
