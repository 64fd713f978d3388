"""A source file as bytes, and where the nodes of its tree lie in them.

Positions are byte offsets in ``SourceFile.utf8``: :mod:`ast` counts columns in UTF-8 bytes of the decoded
text, whatever the encoding on disk, and does not count a byte order mark.
"""

from __future__ import annotations

import ast
import codecs
import re
import sys
import warnings
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from pathlib import Path

from alchemod.text.problem import FileError, reason
from alchemod.text.words import places

GRAMMAR = f"Python {sys.version_info.major}.{sys.version_info.minor}"
"""The grammar files are read with: that of the Python which runs alchemod."""

_COOKIE = re.compile(rb"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_BLANK = re.compile(rb"[ \t\f]*(?:#|$)")


class ReadError(FileError):
    """The file cannot be read from disk."""


class DecodeError(FileError):
    """The bytes are not text in the encoding the file declares (PEP 263)."""

    kind = "decode"


class EncodeError(FileError):
    """The new text has characters that the encoding of the file does not have."""

    kind = "write"


class ParseError(FileError):
    """The text is not Python in the grammar of the running interpreter."""

    kind = "syntax"


class TooDeepError(ParseError):
    """The text may be valid, but is nested too deeply for the parser of the running interpreter."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """The bytes of a file and their meaning. Made by :func:`decode` or :func:`read`.

    ``encoding`` is a codec name ("utf-8" unless a PEP 263 cookie says otherwise), ``bom`` the byte order
    mark or nothing, ``utf8`` the text as UTF-8 without mark and with its newlines untouched, ``newline`` the
    newline that most lines end with.
    """

    path: Path
    data: bytes = field(repr=False)
    encoding: str
    bom: bytes
    utf8: bytes = field(repr=False)
    newline: str
    _starts: array[int] = field(default_factory=lambda: array("Q"), init=False, repr=False, compare=False)

    @property
    def text(self) -> str:
        """The decoded text, without byte order mark."""
        return self.utf8.decode()

    @property
    def line_starts(self) -> Sequence[int]:
        r"""Byte offset in ``utf8`` of each line. Lines end at ``\n``, ``\r\n`` and ``\r``, as for Python."""
        if not self._starts:
            lines = self.utf8.splitlines(keepends=True)
            self._starts.extend(accumulate(map(len, lines), initial=0))
            if lines and not lines[-1].endswith((b"\n", b"\r")):
                self._starts.pop()
        return self._starts

    def offset(self, line: int, column: int) -> int:
        """The byte offset of a position as :mod:`ast` gives it: line from 1, column in UTF-8 bytes from 0."""
        return self.line_starts[line - 1] + column

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Start and end of a node, as byte offsets in ``utf8``.

        Parentheses around an expression and decorators lie outside. Nodes inside an f-string have no
        reliable span before Python 3.12. Raises AttributeError for a node that has no position.
        """
        starts = self.line_starts
        return (
            starts[node.lineno - 1] + node.col_offset,  # type: ignore[attr-defined]
            starts[node.end_lineno - 1] + node.end_col_offset,  # type: ignore[attr-defined]
        )

    def segment(self, node: ast.AST) -> bytes:
        """The bytes of a node, a part of ``utf8``."""
        start, end = self.span(node)
        return self.utf8[start:end]

    def lines(self, first: int, last: int) -> bytes:
        """The bytes of some lines, counted from 1, the last one included."""
        starts = self.line_starts
        return self.utf8[starts[first - 1] : starts[last] if last < len(starts) else len(self.utf8)]

    def lines_with(self, word: str) -> list[int]:
        """The numbers of the lines, in order, on which `word` occurs as an identifier."""
        starts = self.line_starts
        return sorted({bisect_right(starts, place) for place in places(self.utf8, word.encode())})

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of a byte offset, both from 1, the column in characters."""
        line = bisect_right(self.line_starts, offset)
        return line, len(self.utf8[self.line_starts[line - 1] : offset].decode(errors="replace")) + 1

    def with_newline(self, newline: str) -> SourceFile:
        r"""The same file with ``newline`` in place of its own, both ``\n`` or ``\r``: every offset stays what it is."""
        changed = self.with_utf8(self.utf8.replace(self.newline.encode(), newline.encode()))
        return replace(changed, newline=newline)

    def with_utf8(self, new: bytes) -> SourceFile:
        """The same file with other text: same path, encoding and byte order mark.

        Raises EncodeError when the encoding of the file cannot hold the text.
        """
        if self.encoding == "utf-8":
            return SourceFile(self.path, self.bom + new, self.encoding, self.bom, new, self.newline)
        data = _encoded(new, self.encoding)
        return SourceFile(self.path, data, self.encoding, self.bom, new, self.newline)


def contents(path: Path) -> bytes:
    """The bytes of the file at ``path``. Raises ReadError."""
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read()
    except OSError as error:
        raise ReadError(f"cannot be read: {reason(error)}") from None


def read(path: Path) -> SourceFile:
    """The file at ``path``. Raises ReadError or DecodeError."""
    return decode(contents(path), path)


def decode(data: bytes, path: Path) -> SourceFile:
    """The file whose bytes are ``data``, read as Python reads it (PEP 263).

    Raises DecodeError when the codec is unknown, the bytes do not fit it, there is a null byte, or the text
    does not encode back to the same bytes.
    """
    bom = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
    body = data[len(bom) :] if bom else data
    if b"\0" in body:
        raise DecodeError("holds null bytes, so it is not Python source", _line_of(body, body.index(b"\0")))
    encoding, line = _declared(body)
    if encoding == "utf-8":
        if not body.isascii():
            _check_utf8(body, declared=bool(bom) or line is not None)
        return SourceFile(path, data, encoding, bom, body, _dominant_newline(body))
    if bom:
        raise DecodeError(f"starts with a UTF-8 byte order mark, but declares the encoding {encoding}", line)
    utf8 = _as_utf8(body, encoding, line)
    return SourceFile(path, data, encoding, bom, utf8, _dominant_newline(utf8))


def parse(source: SourceFile) -> ast.Module:
    """The tree of a file, in the grammar of the running interpreter.

    Raises ParseError when there is none, and TooDeepError when the parser gives up on nesting.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source.text)
    except SyntaxError as error:
        # Too many nested parentheses, f-strings or indented blocks are syntax errors too.
        message = error.msg.removesuffix(" (<unknown>)") if error.msg else "invalid syntax"
        raise ParseError(f"not valid in {GRAMMAR}, which runs alchemod: {message}", error.lineno or None) from None
    except ValueError as error:
        raise ParseError(f"not valid in {GRAMMAR}, which runs alchemod: {error}") from None
    except (RecursionError, MemoryError):
        raise TooDeepError(f"nested too deeply for the parser of {GRAMMAR}, which runs alchemod") from None


def _declared(body: bytes) -> tuple[str, int | None]:
    """The declared codec by its normal name and the line that declares it; "utf-8" when none does."""
    if b"coding" not in body[:4096]:
        return "utf-8", None
    for line, content in enumerate(_first_two_lines(body), 1):
        if cookie := _COOKIE.match(content):
            return _normal_name(cookie[1].decode("ascii", "replace"), line), line
        if not _BLANK.match(content):
            break
    return "utf-8", None


def _first_two_lines(body: bytes) -> list[bytes]:
    return body[:4096].splitlines()[:2]


def _normal_name(name: str, line: int) -> str:
    try:
        codec = codecs.lookup(name)
    except (LookupError, UnicodeError, ValueError):
        raise DecodeError(f"declares the unknown encoding {name!r}", line) from None
    return "utf-8" if codec.name in ("utf-8", "utf-8-sig") else codec.name


def _check_utf8(body: bytes, declared: bool) -> None:
    try:
        body.decode()
    except UnicodeDecodeError as error:
        hint = "" if declared else " and declares no other encoding: save it as UTF-8 or add a coding line"
        byte = body[error.start]
        raise DecodeError(f"is not UTF-8 (byte 0x{byte:02x}){hint}", _line_of(body, error.start)) from None


def _as_utf8(body: bytes, encoding: str, line: int | None) -> bytes:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            text = body.decode(encoding)
        utf8, again = text.encode(), text.encode(encoding)
    except UnicodeDecodeError as error:
        message = f"cannot be decoded as {encoding} (byte 0x{body[error.start]:02x})"
        raise DecodeError(message, _line_of(body, error.start)) from None
    except LookupError:
        raise DecodeError(f"declares {encoding}, which is not a text encoding", line) from None
    except (UnicodeError, ValueError):
        raise DecodeError(f"cannot be decoded as {encoding}", line) from None
    if again != body:
        raise DecodeError(f"does not survive decoding and encoding as {encoding}, so it cannot be edited", line)
    return utf8


def _encoded(utf8: bytes, encoding: str) -> bytes:
    text = utf8.decode()
    try:
        data = text.encode(encoding)
        if data.decode(encoding) == text:
            return data
    except UnicodeEncodeError as error:
        lost = text[error.start : error.end]
        line = _line_of(utf8, len(text[: error.start].encode()))
        raise EncodeError(f"{lost!r} cannot be written in the file's encoding {encoding}", line) from None
    except UnicodeError:
        pass
    raise EncodeError(f"the new text cannot be written in the file's encoding {encoding}")


def _line_of(body: bytes, offset: int) -> int:
    return len((body[:offset] + b".").splitlines())


def _dominant_newline(utf8: bytes) -> str:
    if b"\r" not in utf8:
        return "\n"
    crlf = utf8.count(b"\r\n")
    counts = {"\n": utf8.count(b"\n") - crlf, "\r\n": crlf, "\r": utf8.count(b"\r") - crlf}
    return max(counts, key=counts.__getitem__)
