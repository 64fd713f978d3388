"""New code where none stood: statements, headers, decorators."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import libcst as cst

from alchemod.edits.filling import Template
from alchemod.edits.frames import Frame
from alchemod.edits.rendering import Renderer
from alchemod.edits.templates import Filled, parse_header, parse_statements
from alchemod.edits.verbs import Append, Block, Code, Decorate, Insert, Swap
from alchemod.edits.wrapping import Room, wrapped

_LEVEL = re.compile(r"^(?:    )+", re.MULTILINE)


class Writer:
    """Writes the code of templates with LibCST. ``fill`` fills the template of a verb."""

    def __init__(self, renderer: Renderer, fill: Callable[[Any], Filled], newline: str, line_length: int) -> None:
        self._renderer = renderer
        self._fill = fill
        self._newline = newline
        self._line_length = line_length

    def header(self, block: Block, indent: str) -> str:
        """The header of a block, with its colon."""
        filled = self._fill(block)
        tree = parse_header(filled.text)
        frame = Frame.of(tree, filled.text, indent, self._newline)
        template = Template(frame.tree, tree, filled)
        code = frame.render(template.with_values(self._renderer.value, open_lines=False))
        return wrapped(code, "", self._room(indent), is_header=True)

    def decorator(self, verb: Decorate, indent: str) -> str:
        """A decorator with its ``@``."""
        code = Template.expression(self._fill(verb)).with_values(self._renderer.value, open_lines=False)
        return "@" + Frame.of(ast.Name("_"), "_", indent, self._newline).render(code)

    def statements(self, verb: Insert | Append | Swap, indent: str) -> str:
        """New statements, without a newline at the end."""
        code = self._statements(verb, indent)
        return wrapped(code, "", self._room(indent), is_header=False) if "\n" not in code else code

    def _room(self, indent: str) -> Room:
        return Room(len(indent), self._line_length, indent, self._newline)

    def _statements(self, verb: Insert | Append | Swap, indent: str) -> str:
        filled = self._with_statements(self._fill(verb))
        tree = ast.Module(parse_statements(filled.text), [])
        step = "\t" if "\t" in indent else "    "
        text = _LEVEL.sub(lambda match: step * (len(match[0]) // 4), filled.text)
        lines = [f"{indent}{line}".rstrip() if indent else line for line in text.split("\n")]
        head = f"if _:{self._newline}" if indent else ""
        config = cst.PartialParserConfig(default_newline=self._newline)
        module: Any = cst.parse_module(head + self._newline.join(lines), config)
        if not indent:
            code: str = Template(module, tree, filled).with_values(self._renderer.value, open_lines=False).code
            return code
        template = Template(module.body[0].body, tree, filled)
        block = template.with_values(self._renderer.value, open_lines=False)
        code = module.with_changes(body=[module.body[0].with_changes(body=block)]).code
        return code[len(head) + len(indent) :]

    def _with_statements(self, filled: Filled) -> Filled:
        """The template with the statements that fill a hole written out."""
        text, values = filled.text, dict(filled.values)
        for name, value in filled.values.items():
            if isinstance(value, tuple | ast.stmt):
                items = value if isinstance(value, tuple) else (value,)
                line = re.compile(rf"^([ ]*){name}$", re.MULTILINE)
                code = "\n".join(self._statement(item) for item in items).replace("\r\n", "\n")
                text = line.sub(partial(_indented, code), text)
                del values[name]
        return Filled(text, values)

    def _statement(self, item: Code | ast.stmt) -> str:
        if isinstance(item, Code):
            return item.text
        return self._renderer.text(self._renderer.units.holding(item), "")


def _indented(code: str, match: re.Match[str]) -> str:
    return "\n".join(match[1] + line for line in code.split("\n"))
