"""Changes of whole lines, collected while statements are rearranged, and made bytes at the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from alchemod.edits.comments import comments_in, lost_comments, string_lines
from alchemod.edits.lines import Lines
from alchemod.edits.refusal import Refusal
from alchemod.text.spans import Replacement


class Layout:
    """Removed lines, shifted lines, and new text in one file."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self._removed: set[int] = set()
        self._settled: set[int] = set()
        self._openings: set[int] = set()
        self._shifts: dict[int, tuple[str, str]] = {}
        self._regions: list[range] = []
        self._replacements: list[Replacement] = []

    @property
    def newline(self) -> str:
        """The newline of the file."""
        return self.lines.source.newline

    def replace(self, start: int, end: int, new: str) -> None:
        """New text in the place of some bytes. Raises Refusal when a comment would be lost."""
        if lost := lost_comments([self.lines.source.utf8[start:end].decode()], [new]):
            raise Refusal(f"the comment {lost[0]!r} would be lost")
        self._replacements.append(Replacement(start, end, new.encode()))

    def insert(self, line: int, code: str, indent: str, *, blank_lines: int = 0) -> None:
        """New lines before a line, or at the end of the file. ``code`` has no indentation on its first line."""
        text = self.newline * blank_lines + indent + code
        offset = self.lines.start(line)
        if line >= len(self.lines) and not self._ends_with_newline():
            self.replace(offset, offset, self.newline + text)
        else:
            self.replace(offset, offset, text + self.newline)
        self._settled.add(line)

    def remove(self, first: int, last: int, indent: str) -> None:
        """Take out whole lines. Their comments stay, on lines of their own at an indentation."""
        code = b"".join(self.lines.text(line) for line in range(first, last + 1)).decode()
        for comment in comments_in(code):
            self.insert(first, comment, indent)
        self._removed.update(range(first, last + 1))

    def open_suite(self, line: int) -> None:
        """A suite now begins with a line: no blank line stands above it."""
        self._openings.add(line)
        while self.lines.is_blank(line):
            self._removed.add(line)
            line += 1

    def shift(self, first: int, last: int, old: str, new: str) -> None:
        """Lines get another indentation. A later call for some of the lines wins."""
        self._regions.append(range(first, last + 1))
        for line in range(first, last + 1):
            self._shifts[line] = (old, new)

    def indent(self, line: int) -> str:
        """The indentation that a line will have."""
        now = self.lines.indent(line)
        old, new = self._shifts.get(line, ("", ""))
        return new + now[len(old) :] if now.startswith(old) else now

    def replacements(self, rewritten: Iterable[Replacement]) -> list[Replacement]:
        """All changes as replacements, together with those of the statements rewritten in their place."""
        rewritten = list(rewritten)
        own = [*rewritten, *self._replacements]
        inside = {
            line
            for edit in own
            for line in range(self.lines.of(edit.start) + 1, self.lines.of(max(edit.end - 1, edit.start)) + 1)
        }
        settled = [*self._removals(), *self._indentations(inside)]
        return [*self._replacements, *rewritten, *settled]

    def _indentations(self, skipped: set[int]) -> Iterator[Replacement]:
        strings = self._string_lines()
        for line, (old, new) in self._shifts.items():
            untouched = line in skipped or line in self._removed or line in strings or self.lines.is_blank(line)
            if old == new or untouched or not self.lines.indent(line).startswith(old):
                continue
            start = self.lines.text_start(line) - len(self.lines.indent(line))
            if new.startswith(old):
                yield Replacement(start + len(old), start + len(old), new[len(old) :].encode())
            else:
                yield Replacement(start, start + len(old), new.encode())

    def _string_lines(self) -> set[int]:
        found: set[int] = set()
        for region in self._regions:
            if any(old != new for old, new in map(self._shifts.__getitem__, region)):
                start, end = self.lines.start(region.start), self.lines.start(region.stop)
                code = self.lines.source.utf8[start:end].decode()
                found.update(region.start + line for line in string_lines(code))
        return found

    def _removals(self) -> Iterator[Replacement]:
        surplus = set().union(*(self._surplus_blank_lines(run) for run in self._runs()))
        gone = sorted(self._removed | surplus)
        for line in gone:
            yield Replacement(self.lines.start(line), self.lines.start(line + 1), b"")
        if gone and gone[-1] == len(self.lines) - 1 and not self._ends_with_newline():
            yield from self._last_newline(gone)

    def _last_newline(self, gone: list[int]) -> Iterator[Replacement]:
        """A file without newline at its end is left without one when its last lines go."""
        kept = len(self.lines) - 1
        while kept in gone:
            kept -= 1
        if kept >= 0 and kept + 1 not in self._settled:
            text, start = self.lines.text(kept), self.lines.start(kept)
            yield Replacement(start + len(text.rstrip(b"\r\n")), start + len(text), b"")

    def _ends_with_newline(self) -> bool:
        utf8 = self.lines.source.utf8
        return not utf8 or utf8.endswith((b"\n", b"\r"))

    def _runs(self) -> Iterator[range]:
        """The runs of lines that are removed or blank, and hold a removed one."""
        end = -1
        for line in sorted(self._removed):
            if line < end:
                continue
            start, end = line, line + 1
            while self.lines.is_blank(start - 1):
                start -= 1
            while end in self._removed or self.lines.is_blank(end):
                end += 1
            yield range(start, end)

    def _surplus_blank_lines(self, run: range) -> set[int]:
        """Blank lines around removed ones: the larger group stays, at either end of a suite the outer one."""
        if opened := self._openings.intersection(run):
            return set() if self._settled.intersection(run) - opened else set(run[run.index(min(opened)) :])
        if self._settled.intersection(run):
            return set()
        removed = [line for line in run if line in self._removed]
        before, after = range(run.start, removed[0]), range(removed[-1] + 1, run.stop)
        inner = set(range(removed[0], removed[-1])) - self._removed
        if self._ends_suite(run, removed[0]):
            return inner.union(before)
        if self._starts_suite(run, removed[0]):
            return inner.union(after)
        smaller = before if len(before) < len(after) else after
        return inner.union(smaller)

    def _ends_suite(self, run: range, removed: int) -> bool:
        below = run.stop
        return below >= len(self.lines) or len(self.lines.indent(below)) < len(self.lines.indent(removed))

    def _starts_suite(self, run: range, removed: int) -> bool:
        above = run.start - 1
        return above < 0 or len(self.lines.indent(above)) < len(self.lines.indent(removed))
