"""A file's bytes, its encoding, and where nodes lie."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alchemod.text.source import (
    GRAMMAR,
    DecodeError,
    EncodeError,
    ParseError,
    ReadError,
    SourceFile,
    TooDeepError,
    decode,
    parse,
    read,
)
from alchemod.text.spans import Replacement, splice

HERE = Path("module.py")
NEWLINES = st.sampled_from(["\n", "\r\n", "\r"])
ODD_LINES = st.sampled_from(
    [
        "x = 1",
        "\tif y: pass",
        "\x0c",
        "\x0cclass A: ...",
        "# é\x85\u2028",
        "s = 'ü😀'",
        "'''a",
        "b'''",
        "x \\",
        "",
        " ",
    ]
)
COOKIES = st.sampled_from(
    [
        "",
        "# coding: latin-1",
        "#!/usr/bin/python",
        "# -*- coding: utf-8 -*-",
        "# vim: set fileencoding=cp1252 :",
    ]
)


def decoded(data: bytes) -> SourceFile:
    return decode(data, HERE)


def failure(data: bytes) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        decoded(data)
    return caught.value


@given(st.binary(max_size=80) | st.builds(lambda c, b: c.encode() + b"\n" + b, COOKIES, st.binary(max_size=60)))
def test_any_bytes_come_out_as_they_went_in(data: bytes) -> None:
    try:
        source = decoded(data)
    except DecodeError:
        return
    assert source.data == data
    assert source.with_utf8(splice(source.utf8, [])).data == data
    assert source.with_utf8(source.utf8) == source


@given(COOKIES, st.lists(st.tuples(ODD_LINES, NEWLINES)), st.booleans())
def test_odd_text_comes_out_as_it_went_in(cookie: str, lines: list[tuple[str, str]], bom: bool) -> None:
    text = cookie + "\n" + "".join(line + newline for line, newline in lines)
    data = b"\xef\xbb\xbf" * bom + text.encode("cp1252" if "cp1252" in cookie else "utf-8", "replace")
    try:
        source = decoded(data)
    except DecodeError:
        assert "latin" in cookie or "1252" in cookie or not bom
        return
    assert source.with_utf8(source.utf8).data == data


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (b"", "utf-8"),
        (b"x = 1\n", "utf-8"),
        (b"\xef\xbb\xbfx = 1\n", "utf-8"),
        (b"\xef\xbb\xbf# coding: utf8\n", "utf-8"),
        (b"# coding: utf-8-sig\n", "utf-8"),
        (b"# -*- coding: latin-1 -*-\nx = '\xe9'\n", "iso8859-1"),
        (b"#!/bin/sh\n# vim: set fileencoding=cp1252 :\n'\x80'\n", "cp1252"),
        (b"#!/bin/sh\r# coding=latin-1\r'\xe9'\r", "iso8859-1"),
        (b"\x0c\t# coding: latin-1\n'\xe9'", "iso8859-1"),
        (b"\n# coding: latin-1\n'\xe9'", "iso8859-1"),
        (b"x = 1\n# coding: latin-1\n", "utf-8"),
        (b"\n\n# coding: latin-1\n", "utf-8"),
        (b"'coding: latin-1'\n", "utf-8"),
        (b"# coding: shift_jis\n# \x83e\x83X\x83g\n", "shift_jis"),
    ],
)
def test_encoding_is_what_python_takes_it_for(data: bytes, encoding: str) -> None:
    source = decoded(data)
    assert source.encoding == encoding
    if not data.startswith(b"\xef\xbb\xbf# coding: utf8"):  # Python is needlessly strict about "utf8" with a mark
        compile(data, "module.py", "exec")
    assert source.utf8.decode() == data[len(source.bom) :].decode(encoding)


@pytest.mark.parametrize(
    ("data", "line", "words"),
    [
        (b"# coding: klingon\n", 1, "unknown encoding 'klingon'"),
        (b"#\n# coding: klingon\n", 2, "unknown encoding"),
        (b"x = 1\ny = '\xe9'\n", 2, "not UTF-8 (byte 0xe9) and declares no other encoding"),
        (b"x = 1\r\ny = '\xe9'\n", 2, "not UTF-8"),
        (b"# coding: utf-8\n\xe9", 2, "not UTF-8 (byte 0xe9)"),
        (b"# coding: ascii\n\n\xe9", 3, "cannot be decoded as ascii"),
        (b"x = 1\n\0\0", 2, "null bytes"),
        (b"\0", 1, "null bytes"),
        (b"\xff\xfex\0 \0", 1, "null bytes"),
        (b"\xef\xbb\xbf# coding: latin-1\n", 1, "byte order mark"),
        (b"# coding: rot13\n", 1, "not a text encoding"),
        (b"# coding: hex\n", 1, "not a text encoding"),
        (b"# coding: undefined\n", 1, "cannot be decoded"),
        (b"# coding: utf-7\n+AGE-", 1, "does not survive"),
    ],
)
def test_undecodable_bytes_are_one_sentence_with_a_line(data: bytes, line: int, words: str) -> None:
    error = failure(data)
    assert error.line == line
    assert words in error.message
    assert "\n" not in error.message
    assert error.problem(HERE).kind == "decode"


@pytest.mark.parametrize(
    ("data", "newline"),
    [
        (b"", "\n"),
        (b"x", "\n"),
        (b"a\nb\n", "\n"),
        (b"a\r\nb\r\n", "\r\n"),
        (b"a\rb\r", "\r"),
        (b"a\r\nb\nc\n", "\n"),
        (b"a\r\nb\r\nc\n", "\r\n"),
    ],
)
def test_newline_is_the_one_most_lines_end_with(data: bytes, newline: str) -> None:
    assert decoded(data).newline == newline


def test_lines_end_where_the_tokenizer_ends_them() -> None:
    source = decoded("a\nb\r\nc\rd\x0ce\x85f\u2028g\x1ch\r\r\n".encode())
    ends = [source.utf8[:start][-1:] for start in source.line_starts[1:]]
    assert ends == [b"\n", b"\n", b"\r", b"\r", b"\n"]
    assert list(decoded(b"").line_starts) == [0]
    assert list(decoded(b"a\nb").line_starts) == [0, 2]
    assert list(decoded(b"a\n").line_starts) == [0, 2]


@given(st.lists(st.tuples(ODD_LINES, NEWLINES), max_size=12), st.booleans(), st.data())
def test_position_counts_characters(lines: list[tuple[str, str]], bom: bool, data: st.DataObject) -> None:
    text = "".join(line + newline for line, newline in lines)
    source = decoded(b"\xef\xbb\xbf" * bom + text.encode())
    index = data.draw(st.integers(0, len(text)))
    unified = text[:index].replace("\r\n", "\n").replace("\r", "\n")
    if text[index - 1 : index + 1] == "\r\n":
        return
    expected = (unified.count("\n") + 1, len(unified) - (unified.rfind("\n") + 1) + 1)
    assert source.position(len(text[:index].encode())) == expected


@pytest.mark.parametrize(
    "text",
    [
        "x = f(1)\ny = g(2)",
        "é = 'ü😀'; y = g(2)\n",
        "'''a\r\nb\rc\n''' ; y = g(2)\r\n",
        "\x0cy = g(2)\n",
        "if 1:\r\n\tz = '''\r\n'''\r\n\ty = g(2)\r\n",
        "x = 1 + \\\n  2; y = g(2)\n",
        "\ufeffx = '\x0c\u2028'\ny = g(2)",
    ],
)
def test_span_of_a_node_is_its_text(text: str) -> None:
    source = decoded(text.encode())
    call = next(
        node for node in ast.walk(parse(source)) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "g"
    )
    assert source.segment(call) == b"g(2)"
    assert source.utf8[slice(*source.span(call))] == b"g(2)"
    assert source.offset(call.lineno, call.col_offset) == source.span(call)[0]
    line, column = source.position(source.span(call)[0])
    assert (
        text.removeprefix("\ufeff")
        .replace("\r\n", "\n")
        .replace("\r", "\n")
        .split("\n")[line - 1][column - 1 :]
        .startswith("g(2)")
    )


def test_span_in_a_file_that_is_not_utf8() -> None:
    source = decoded("# coding: latin-1\nx = 'é'; y = g('ü')\n".encode("latin-1"))
    call = parse(source).body[1].value  # type: ignore[attr-defined]
    assert source.segment(call) == "g('ü')".encode()
    edited = source.with_utf8(splice(source.utf8, [Replacement(*source.span(call), "h('ß')".encode())]))
    assert edited.data == "# coding: latin-1\nx = 'é'; y = h('ß')\n".encode("latin-1")
    assert edited.encoding == source.encoding


def test_new_text_must_fit_the_encoding() -> None:
    source = decoded(b"# coding: latin-1\nx = 1\n")
    with pytest.raises(EncodeError, match="'…' cannot be written in the file's encoding iso8859-1") as caught:
        source.with_utf8("# coding: latin-1\nx = 'é…'\n".encode())
    assert caught.value.line == 2
    assert caught.value.problem(HERE).kind == "write"


def test_byte_order_mark_stays() -> None:
    source = decoded(b"\xef\xbb\xbfx = 1\n")
    assert source.utf8 == b"x = 1\n"
    assert source.with_utf8(b"y = 2\n").data == b"\xef\xbb\xbfy = 2\n"
    assert parse(source).body[0].col_offset == 0


def test_plain_utf8_is_not_copied() -> None:
    data = "x = 'é'\n".encode()
    assert decoded(data).utf8 is data


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("x = (\n", 1, "was never closed"),
        ("x = 1\nprint 'python 2'\n", 2, "print"),
        ("x = 1\n  y = 2\n", 2, "unexpected indent"),
        ("(" * 10_000 + ")" * 10_000, 1, "too many nested parentheses"),
        ("x = 08\n", 1, "leading zeros"),
        ("x = '\\N{no such}'\n", 1, "unicode"),
    ],
)
def test_what_is_not_python_is_one_sentence_with_a_line(text: str, line: int, words: str) -> None:
    with pytest.raises(ParseError, match=words) as caught:
        parse(decoded(text.encode()))
    assert not isinstance(caught.value, TooDeepError)
    assert caught.value.line == line
    assert GRAMMAR in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.problem(HERE).kind == "syntax"


@pytest.mark.parametrize("text", ["x = " + "not " * 50_000 + "1", "x = 1" + " + 1" * 50_000, "x" + ".f()" * 50_000])
def test_what_is_too_deep_is_told_from_what_is_wrong(text: str) -> None:
    deep = decoded(text.encode())
    try:
        compile(deep.text, "module.py", "exec", ast.PyCF_ONLY_AST)
    except (RecursionError, MemoryError):
        with pytest.raises(TooDeepError, match=GRAMMAR):
            parse(deep)
    else:
        parse(deep)


def test_a_chain_of_a_thousand_calls_is_parsed() -> None:
    assert parse(decoded(b"q = x" + b".f()" * 1000))


def test_parsing_warns_nobody(recwarn: pytest.WarningsRecorder) -> None:
    parse(decoded(b"x = '\\d'\nassert (1, 2)\nx is 1\n"))
    assert not recwarn.list


def test_reading(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"x = 1\r\n")
    assert read(path) == decode(b"x = 1\r\n", path)
    with pytest.raises(ReadError, match="cannot be read: no such file") as caught:
        read(tmp_path / "gone.py")
    assert caught.value.problem(path).kind == "read"
    with pytest.raises(ReadError, match="cannot be read: is a directory"):
        read(tmp_path)


def test_an_unreadable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(ReadError, match="cannot be read: permission denied"):
        read(tmp_path / "a.py")


@settings(max_examples=25)
@given(st.binary(max_size=30))
def test_what_cannot_be_decoded_is_never_an_exception_of_another_kind(tail: bytes) -> None:
    for name in (
        "utf-16",
        "utf-7",
        "punycode",
        "idna",
        "raw_unicode_escape",
        "unicode_escape",
        "iso2022_jp",
        "cp037",
    ):
        try:
            source = decoded(b"# coding: %s\n" % name.encode() + tail)
        except DecodeError:
            continue
        assert source.with_utf8(source.utf8).data == source.data
