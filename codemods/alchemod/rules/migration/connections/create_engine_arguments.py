"""MIG109: keywords of `create_engine()` and of sessions that do nothing any more, or are gone."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from alchemod.edits.verbs import Verb, drop, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.facts.versions import parse_release
from alchemod.inference.values import Answer, Outside


class CreateEngineArguments(Rule):
    """Takes keywords of `create_engine()`, `sessionmaker()` and `Session()` away that have no effect in 2.0.

    What it does:
        Drops `convert_unicode`, `encoding`, `case_sensitive=True`, `empty_in_strategy`, `strategy="plain"` and, on the
        way to 2.0, `future=True`. Turns `strategy="mock"` into `create_mock_engine()`, and `server_side_cursors=True`
        into the execution option `stream_results`.

    Why:
        SQLAlchemy 2.0 raises TypeError for some of them and warns of the others.

    Example:
        ```python
        engine = create_engine("sqlite://", convert_unicode=True, encoding="utf8", echo=True)
        ```

    Use instead:
        ```python
        engine = create_engine("sqlite://", echo=True)
        ```

    Fix safety:
        Safe for literals that have no effect in any version that the project is to run on. Unsafe for
        `server_side_cursors`, which speaks of all statements. A report for `strategy="threadlocal"`,
        `implicit_returning=False`, `future=False` and `case_sensitive=False`, which have no equivalent here.

    References:
        - https://docs.sqlalchemy.org/en/14/core/engines.html#sqlalchemy.create_engine
        - https://docs.sqlalchemy.org/en/20/core/engines.html#sqlalchemy.create_engine
    """

    code = "MIG109"
    names = ("create_engine", "create_async_engine", "sessionmaker", "Session")
    since = "1.4"
    tokens = (
        *("convert_unicode", "encoding", "case_sensitive", "empty_in_strategy", "strategy", "implicit_returning"),
        *("server_side_cursors", "future"),
    )

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one call that makes an engine, a factory of sessions or a session."""
        answer = ctx.value(call.func)
        if answer is None or not isinstance(answer.value, Outside):
            return
        makes_engine = answer.value.canonical in {"create_engine", "create_async_engine"}
        if not makes_engine and answer.value.canonical not in {"sessionmaker", "Session"}:
            return
        for keyword in call.keywords:
            if keyword.arg == "future":
                yield from self._future(keyword, answer, ctx)
            elif makes_engine:
                yield from self._of_engine(call, keyword, answer)

    def _future(self, keyword: ast.keyword, answer: Answer, ctx: Context) -> Iterator[Finding]:
        if parse_release(ctx.goal) < (2,):
            return
        if _literal(keyword) is True:
            message = "future=True is what SQLAlchemy 2.0 does anyway"
            yield self.fix(keyword, message, drop(keyword), given=[answer], min_version="2.0")
        elif _literal(keyword) is False:
            message = "future=False raises in SQLAlchemy 2.0"
            missing = "move the code behind this engine to 2.0 style first, then drop it"
            yield self.report(keyword, message, missing=missing, given=[answer])

    def _of_engine(self, call: ast.Call, keyword: ast.keyword, answer: Answer) -> Iterator[Finding]:
        value = _literal(keyword)
        if keyword.arg not in _VALUES or value is _NO_LITERAL:
            return
        message = f"{keyword.arg}={ast.unparse(keyword.value)} {_VALUES[keyword.arg]}"
        match keyword.arg, value:
            case ("convert_unicode" | "encoding" | "empty_in_strategy", _) | ("case_sensitive", True):
                yield self.fix(keyword, message, drop(keyword), given=[answer])
            case ("strategy", "plain" | "threadlocal" | "mock"):
                yield from self._strategy(call, keyword, answer, message)
            case ("server_side_cursors" | "implicit_returning", None) | ("server_side_cursors", False):
                yield self.fix(keyword, message, drop(keyword), given=[answer])
            case ("implicit_returning", True):
                yield self.fix(keyword, message, drop(keyword), given=[answer])
            case ("server_side_cursors", True) if all(one.arg != "execution_options" for one in call.keywords):
                edit = swap(keyword, 'execution_options={{"stream_results": True}}')
                yield self.fix(keyword, message, edit, given=[answer], unsafe="which statements are to stream")
            case _:
                yield self.report(keyword, message, missing=_BY_HAND.get(keyword.arg), given=[answer])

    def _strategy(self, call: ast.Call, keyword: ast.keyword, answer: Answer, message: str) -> Iterator[Finding]:
        executor = next((one for one in call.keywords if one.arg == "executor"), None)
        if _literal(keyword) == "plain":
            yield self.fix(keyword, message, drop(keyword), given=[answer])
        elif _literal(keyword) == "mock" and executor is not None and len(call.args) == 1:
            edits: list[Verb] = [drop(keyword), swap(call.func, "{sqlalchemy.create_mock_engine}")]
            yield self.fix(keyword, 'strategy="mock" is create_mock_engine()', *edits, given=[answer])
        else:
            yield self.report(keyword, message, missing=_BY_HAND["strategy"], given=[answer])


_NO_LITERAL: Final = object()
_VALUES: Final = {
    "convert_unicode": "has no effect on Python 3, and SQLAlchemy 2.0 rejects it",
    "encoding": "has no effect on Python 3, and SQLAlchemy 2.0 rejects it",
    "case_sensitive": "is gone in SQLAlchemy 2.0",
    "empty_in_strategy": "has no effect since SQLAlchemy 1.4",
    "strategy": "is gone in SQLAlchemy 1.4",
    "implicit_returning": "has no effect on engines of SQLAlchemy 2.0",
    "server_side_cursors": "is deprecated since SQLAlchemy 1.4",
}
"""The keywords of `create_engine` that are gone or do nothing ("Migrating to SQLAlchemy 2.0", "What's New in 1.4")."""
_BY_HAND: Final = {
    "case_sensitive": "column names are always compared with regard to case; look them up in the right case",
    "strategy": "it has no equivalent: hand the connection or session on",
    "implicit_returning": "give it to the tables that have triggers: Table(..., implicit_returning=False)",
    "server_side_cursors": "add stream_results to its execution_options",
}


def _literal(keyword: ast.keyword) -> object:
    return keyword.value.value if isinstance(keyword.value, ast.Constant) else _NO_LITERAL
