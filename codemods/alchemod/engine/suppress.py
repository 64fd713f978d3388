"""Suppressions: comments that keep a finding quiet, and ALC001 for those that keep nothing quiet."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from alchemod.engine.finding import Finding
from alchemod.engine.places import Enclosing, header_end
from alchemod.engine.registry import UNUSED_SUPPRESSION, Registry
from alchemod.facts.lines import first_line

DOCUMENTATION = """An `alchemod: ignore` comment that suppresses nothing.

What it does:
    Reports a comment `# alchemod: ignore[CODE, ...]`, `# alchemod: ignore` or `# alchemod: ignore-file[CODE, ...]`
    that suppresses no finding of a rule that ran, or that names a code alchemod does not know.
    A comment counts on any line of the innermost statement of a finding, or of the header of a compound statement.
    `ignore-file` counts for the whole file and stands on a line of its own.

Why:
    A comment left behind hides the next finding on that line, which nobody has judged.

Example:
    ```python
    user = session.get(User, 1)  # alchemod: ignore[ALC201]
    ```

Use instead:
    ```python
    user = session.get(User, 1)
    ```

Fix safety:
    There is no fix: delete the comment.

References:
    - `alchemod rules` lists the codes.
"""
"""What `alchemod explain ALC001` shows."""

MARK = b"alchemod:"
"""Only a file with these bytes is searched for suppressions."""

_COMMENT = re.compile(r"#\s*alchemod:\s*(?P<kind>ignore-file|ignore)\b\s*(?P<list>\[(?P<codes>[^\]]*)(?P<close>\])?)?")


@dataclass(slots=True)
class Suppression:
    """One comment. `codes` is None when it speaks of all codes; `fault` says why it counts for nothing."""

    line: int
    column: int
    end_column: int
    codes: tuple[str, ...] | None
    whole_file: bool
    fault: str | None = None
    used: set[str] = field(default_factory=set)

    def silences(self, finding: Finding) -> bool:
        """Whether the comment speaks of this finding's code or name; remembers that it was of use."""
        if self.fault:
            return False
        if self.codes is None:
            self.used.add("")
            return True
        hits = {finding.code, finding.name}.intersection(self.codes)
        self.used.update(hits)
        return bool(hits)


class Suppressions:
    """The suppressions of one file."""

    def __init__(self, text: str) -> None:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        self._lines = text.split("\n")
        self._found = list(_read(text))

    def suppressed(self, finding: Finding, around: Enclosing) -> bool:
        """Whether a comment keeps this finding quiet. `around` are the statements that enclose it."""
        statement = around.statement
        lines = range(finding.line, finding.line + 1) if statement is None else self._covered(statement)
        hits = [s for s in self._found if (s.whole_file or s.line in lines) and s.silences(finding)]
        return bool(hits)

    def _covered(self, statement: ast.stmt) -> range:
        return range(first_line(statement), header_end(statement, self._lines) + 1)

    def unused(self, path: str, ran: frozenset[str], registry: Registry, *, all_ran: bool) -> Iterator[Finding]:
        """ALC001 for each comment of no use, as far as the rules that ran can tell.

        `all_ran` says that at least the default rules ran, so that a comment without codes can be judged.
        """
        names = {entry.name: entry.code for entry in registry}
        for comment in self._found:
            if comment.fault:
                yield _finding(path, comment, comment.fault)
            elif comment.codes is None:
                if all_ran and not comment.used:
                    yield _finding(path, comment, "this comment suppresses nothing")
            else:
                for code in comment.codes:
                    known = names.get(code, code)
                    if known not in registry:
                        yield _finding(path, comment, f"there is no rule {code}")
                    elif known in ran and code not in comment.used:
                        yield _finding(path, comment, f"nothing here is a finding of {code}")


def _read(text: str) -> Iterator[Suppression]:
    for line, column, comment, alone in _comments(text):
        match = _COMMENT.search(comment)
        if match is None:
            continue
        codes, fault, whole_file = None, None, match["kind"] == "ignore-file"
        if match["list"] is not None:
            codes = tuple(code.strip() for code in match["codes"].split(",") if code.strip())
            if match["close"] is None:
                fault = "the list of codes has no closing bracket"
            elif not codes:
                fault = "the list of codes is empty"
        if whole_file and not alone:
            fault = "`ignore-file` counts only on a line of its own"
        yield Suppression(line, column + match.start() + 1, column + match.end() + 1, codes, whole_file, fault)


def _comments(text: str) -> Iterable[tuple[int, int, str, bool]]:
    """Line, column, text of each comment, and whether it is alone on its line."""
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT and MARK.decode() in token.string:
                yield *token.start, token.string, not token.line[: token.start[1]].strip()
    except (tokenize.TokenError, SyntaxError):
        return


def _finding(path: str, comment: Suppression, reason: str) -> Finding:
    return Finding(
        UNUSED_SUPPRESSION.code, UNUSED_SUPPRESSION.name, f"unused suppression: {reason}", UNUSED_SUPPRESSION.level,
        "report", "proved", path=path, line=comment.line, column=comment.column,
        end_line=comment.line, end_column=comment.end_column,
    )  # fmt: skip
