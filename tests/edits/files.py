"""A small file to edit, and its nodes by the text they have."""

from __future__ import annotations

import ast
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from textwrap import dedent
from typing import Any, TypeVar

from alchemod.edits.rewrite import Rewritten, rewrite
from alchemod.edits.verbs import Verb
from alchemod.text.source import decode, parse

N = TypeVar("N", bound=ast.AST)


class File:
    """Code, dedented if it is text. `stmt`, `expr` and `keyword` give the first node that reads like that."""

    def __init__(self, code: str | bytes) -> None:
        data = code if isinstance(code, bytes) else dedent(code).encode()
        self.source = decode(data, Path("shop.py"))
        self.tree = parse(self.source)

    def stmt(self, text: str) -> Any:
        """A statement by its text, or by its first line."""
        return self._first(ast.stmt, text)

    def expr(self, text: str) -> Any:
        return self._first(ast.expr, text)

    def keyword(self, text: str) -> ast.keyword:
        return self._first(ast.keyword, text)

    def node(self, kind: type[N]) -> N:
        return next(node for node in ast.walk(self.tree) if isinstance(node, kind))

    def _first(self, kind: type[N], text: str) -> N:
        for node in ast.walk(self.tree):
            if isinstance(node, kind):
                segment = self.source.segment(node).decode()
                if text == segment or (isinstance(node, ast.stmt) and text == segment.splitlines()[0]):
                    return node
        raise LookupError(text)

    def rewritten(self, edits: Mapping[Hashable, Sequence[Verb]], **options: Any) -> Rewritten:
        """The outcome, which is the same through the whole module."""
        result = rewrite(self.source, self.tree, edits, **options)
        whole = rewrite(self.source, self.tree, edits, whole_module=True, **options)
        assert whole.source.data == result.source.data
        assert whole.refused == result.refused
        assert whole.imports == result.imports
        assert ast.dump(result.tree) == ast.dump(parse(result.source))
        return result

    def data(self, *verbs: Verb, **options: Any) -> bytes:
        """The bytes with the verbs carried out as one fix."""
        result = self.rewritten({"fix": verbs}, **options)
        assert not result.refused, result.refused
        return result.source.data

    def after(self, *verbs: Verb, **options: Any) -> str:
        """The text with the verbs carried out as one fix."""
        return self.data(*verbs, **options).decode()

    def refusal(self, *verbs: Verb, **options: Any) -> str:
        """Why the verbs are not carried out as one fix; the file stays as it was."""
        result = self.rewritten({"fix": verbs}, **options)
        assert result.source.data == self.source.data
        return result.refused["fix"]


def clean(text: str) -> str:
    """The expected text, dedented."""
    return dedent(text)
