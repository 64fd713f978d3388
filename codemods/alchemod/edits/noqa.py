"""Codes taken out of ``noqa`` comments, when an edit takes away their cause."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable

from alchemod.text.source import SourceFile
from alchemod.text.spans import Replacement

_NOQA = re.compile(r"#\s*noqa\s*:\s*(?P<codes>[A-Z]+[0-9]+(?:[,\s]+[A-Z]+[0-9]+)*)", re.IGNORECASE)
_TO_COMMENT = re.compile(rb"(?:[ \t]*[)\],;])*(?P<comment>[ \t]*#[^\r\n]*)")


def without_codes(comment: str, codes: Iterable[str]) -> str:
    """A comment whose ``noqa`` no longer names the codes; empty when nothing else was in it."""
    match = _NOQA.search(comment)
    if match is None:
        return comment
    gone = {code.upper() for code in codes}
    listed = re.split(r"[,\s]+", match["codes"])
    kept = [code for code in listed if code.upper() not in gone]
    if len(kept) == len(listed):
        return comment
    before, after = comment[: match.start()], comment[match.end() :]
    if kept:
        separator = ", " if ", " in match["codes"] else ","
        start = match.start("codes")
        return comment[:start] + separator.join(kept) + after
    rest = after.lstrip()
    opener = "# " if rest and not rest.startswith("#") and "#" not in before else ""
    return (before + opener + rest).rstrip()


def after(source: SourceFile, offset: int, codes: Iterable[str]) -> Replacement | None:
    """The edit that takes codes out of the comment at the end of a line, behind an offset; None for none."""
    match = _TO_COMMENT.match(source.utf8, offset)
    if match is None:
        return None
    comment = match["comment"].decode()
    kept = without_codes(comment, codes)
    if kept == comment:
        return None
    return Replacement(match.start("comment"), match.end("comment"), kept.rstrip().encode())


def inside(old: str, new: str, lines: Collection[int], codes: Collection[str]) -> tuple[str, str]:
    """Both codes without the codes in the comments that stand on some lines of the old one, from 0."""
    found: list[tuple[str, int]] = []
    seen: Counter[str] = Counter()
    for number, line in enumerate(old.splitlines()):
        if match := _NOQA.search(line):
            comment = line[match.start() :].rstrip()
            if number in lines:
                found.append((comment, seen[comment]))
            seen[comment] += 1
    for comment, ordinal in reversed(found):
        kept = without_codes(comment, codes)
        if old.count(comment) == new.count(comment) == seen[comment]:
            old, new = (_replaced(code, comment, ordinal, kept) for code in (old, new))
    return old, new


def _replaced(code: str, comment: str, ordinal: int, kept: str) -> str:
    """The code with one occurrence of a comment replaced; the blanks before it go with it."""
    pieces = code.split(comment)
    before, after = comment.join(pieces[: ordinal + 1]), comment.join(pieces[ordinal + 1 :])
    return (before if kept else before.rstrip(" \t")) + kept + after
