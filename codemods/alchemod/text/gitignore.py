"""Patterns of ``.gitignore`` and what they match, as gitignore(5) and git's own ``wildmatch`` have it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_POSIX = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "blank": r"\ \t", "cntrl": r"\x00-\x1f\x7f", "digit": "0-9",
    "graph": r"!-~", "lower": "a-z", "print": r"\ -~", "punct": r"!-/:-@\[-`{-~", "space": r"\s", "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}  # fmt: skip
_NAMED_CLASS = re.compile(r"\[:([^\]]*):\]")
_NOTHING = "(?!)"


class Pattern(NamedTuple):
    """One line. It matches relative paths with ``/``, folders without one at the end, byte by byte."""

    regex: re.Pattern[str]
    takes_back: bool
    only_folders: bool

    def matches(self, path: str, is_folder: bool) -> bool:
        """Whether the pattern speaks of this very path, not only of a folder above it."""
        return (is_folder or not self.only_folders) and self.regex.fullmatch(path) is not None


class Patterns:
    """The patterns of one file; later ones win."""

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        self._patterns = tuple(patterns)[::-1]
        self._any = re.compile("|".join(pattern.regex.pattern for pattern in self._patterns) or _NOTHING, re.DOTALL)

    def __bool__(self) -> bool:
        return bool(self._patterns)

    def ignores(self, path: str, is_folder: bool) -> bool | None:
        """What is said of a path whose folders are not ignored themselves; None when nothing is said."""
        path = _bytewise(path)
        if self._any.fullmatch(path) is None:
            return None
        return next((not one.takes_back for one in self._patterns if one.matches(path, is_folder)), None)

    def cover(self, file: str) -> bool:
        """Whether a file is covered: the last pattern that speaks of it, or of a folder above it, decides."""
        file = _bytewise(file)
        above = [file[:end] for end, character in enumerate(file) if character == "/"]
        for one in self._patterns:
            if one.matches(file, False) or any(one.matches(folder, True) for folder in above):
                return not one.takes_back
        return False


def pattern(line: str) -> Pattern | None:
    """The pattern of a line, None for a comment or an empty line.

    Raises ValueError for one without a meaning, which git passes over: ``!``, ``/``, ``[``, a backslash at the end.
    """
    text = _without_trailing_blanks(_bytewise(line.removesuffix("\r")))
    if not text or text.startswith("#"):
        return None
    takes_back = text.startswith("!")
    text = text[takes_back:]
    only_folders = text.endswith("/")
    text = text[: len(text) - only_folders]
    is_anchored = "/" in text
    text = text.removeprefix("/")
    if not text:
        raise ValueError("matches nothing")
    start = "" if is_anchored else "(?:.*/)?"
    return Pattern(re.compile(start + "".join(_translated(text)), re.DOTALL), takes_back, only_folders)


def _bytewise(text: str) -> str:
    """The bytes of a text, each as a character: git compares bytes."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("latin-1")


def _without_trailing_blanks(line: str) -> str:
    """The line without the spaces at its end, unless a backslash keeps them."""
    text = line.rstrip(" ")
    backslashes = len(text) - len(text.rstrip("\\"))
    return text + " " if backslashes % 2 and len(text) < len(line) else text


def _translated(glob: str) -> Iterator[str]:
    plain = re.match(r"[^*?\[\\]*", glob)
    at = 0
    while at < len(glob):
        character = glob[at]
        at += 1
        if character == "*":
            start = at - 1
            while glob[at : at + 1] == "*":
                at += 1
            # What stands before the first wildcard is compared on its own (`match_pathname` in git's dir.c).
            is_first = plain is not None and start == plain.end()
            crosses = at - start > 1 and (is_first or glob[start - 1] == "/") and glob[at : at + 1] in ("/", "")
            if crosses and at < len(glob):
                at += 1
                yield "(?:.*/)?"
            else:
                yield ".*" if crosses else "[^/]*"
        elif character == "?":
            yield "[^/]"
        elif character == "[":
            found, at = _character_class(glob, at)
            yield found
        elif character == "\\":
            if at == len(glob):
                raise ValueError("ends in a backslash")
            yield re.escape(glob[at])
            at += 1
        else:
            yield re.escape(character)


def _character_class(glob: str, at: int) -> tuple[str, int]:
    """The regular expression of a class that begins behind its bracket, and where the pattern goes on."""
    is_negated = glob[at : at + 1] in ("!", "^")
    at += is_negated
    parts: list[str] = []
    first = at
    while at == first or glob[at : at + 1] != "]":
        if at >= len(glob):
            raise ValueError("has a bracket that is not closed")
        if (named := _NAMED_CLASS.match(glob, at)) is not None:
            if named[1] not in _POSIX:
                raise ValueError(f"has no class {named[1]!r}")
            parts.append(_POSIX[named[1]])
            at = named.end()
            continue
        low, at = _member(glob, at)
        parts.append(re.escape(low))
        if glob[at : at + 1] == "-" and glob[at + 1 : at + 2] not in ("]", ""):
            high, at = _member(glob, at + 1)
            if low <= high:
                parts.append(f"{re.escape(low)}-{re.escape(high)}")
    inside = "".join(parts)
    if not inside:
        return ("[^/]" if is_negated else _NOTHING), at + 1
    return f"(?!/)[{'^' * is_negated}{inside}]", at + 1


def _member(glob: str, at: int) -> tuple[str, int]:
    """One character of a class, and where it goes on."""
    at += glob[at] == "\\"
    if at >= len(glob):
        raise ValueError("has a bracket that is not closed")
    return glob[at], at + 1
