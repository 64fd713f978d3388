"""What mocks in test files pin: `query.return_value.filter_by.return_value`, `patch("app.db.SessionLocal")`.

A rewrite of `session.query(A).filter_by(x=1)` breaks a test that prepares such a chain.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePosixPath

from alchemod.facts.nodes import walk
from alchemod.facts.pins import Pin

_TOKENS = (
    b"mock",
    b"Mock",
    b"patch",
    b"return_value",
    b"Fake",
    b"Stub",
    b"Dummy",
    b"Spy",
    b"SimpleNamespace",
)
_MOCK_IMPORTS = re.compile(
    rb"^\s*(?:from|import)\s+(?:unittest(?:\.| import )mock|mock|pytest_mock|asynctest)\b", re.MULTILINE
)
_TEST_FILE = re.compile(r"(?:test_.*|.*_tests?|tests?|conftest)\.py")
_TEST_FOLDERS = {"test", "tests", "testing"}

_VALUES = {"return_value", "side_effect"}
_OBSERVED = {
    *("called", "call_count", "call_args", "call_args_list", "mock_calls", "method_calls"),
    *("await_count", "await_args", "await_args_list"),
}
_MOCKS = re.compile(r"(?:NonCallable)?(?:Magic|Async|Property|Coroutine)?Mock|SimpleNamespace|.*AlchemyMagicMock")
_NO_ATTRIBUTES = {
    "spec",
    "spec_set",
    "side_effect",
    "return_value",
    "wraps",
    "name",
    "unsafe",
    "new_callable",
    "data",
}
_SESSION_WORDS = re.compile(r"session|sqlalchemy|query|filter_by|(?<![a-z])(?:db|orm|engine)(?![a-z])", re.IGNORECASE)
_FAKE_CLASS = re.compile(r"Fake|Mock|Stub|Dummy|Spy")
_FAKED_METHODS = {
    *("query", "get", "execute", "scalar", "scalars", "add", "add_all", "delete", "merge", "refresh"),
    *("commit", "rollback", "flush", "close", "begin", "begin_nested", "expunge", "__enter__", "__exit__"),
    *("filter", "filter_by", "join", "outerjoin", "options", "order_by", "group_by", "limit", "offset"),
    *("all", "first", "one", "one_or_none", "count", "exists", "update", "distinct", "with_entities"),
}
_COMMON_METHODS = {"get", "all", "count", "first", "update", "join", "filter", "limit"}
"""Methods of a Query that clients, caches and collections have as well."""
_MOCK_AFFIX = re.compile(r"mock(?:ed)?_?|_?mock(?:ed)?", re.IGNORECASE)
_TELLING_METHODS = {"query", "filter_by", "scalars", "flush", "rollback", "one_or_none", "with_entities"}


def may_pin(path: str, source: bytes) -> bool:
    """Tell whether a file (`path` with `/`) may pin something: it looks like a test and speaks of mocks."""
    if not any(token in source for token in _TOKENS):
        return False
    return is_test(path) or _MOCK_IMPORTS.search(source) is not None


def is_test(path: str) -> bool:
    """Tell whether a file (`path` with `/`) lies among the tests of a project, or is named like one."""
    pure = PurePosixPath(path)
    return not _TEST_FOLDERS.isdisjoint(pure.parts[:-1]) or _TEST_FILE.fullmatch(pure.name) is not None


def pinned(tree: ast.Module, path: str) -> tuple[Pin, ...]:
    """Return what one test file pins, in the order of lines. `path` is as messages should show it.

    Chains count only in a file in which some name speaks of sessions, queries or databases.
    """
    file = _TestFile(tree, path)
    found = set(file.pins())
    if any("query" in pin.chain for pin in found):
        found.update(file.doubtful)
    if not file.speaks_of_sessions():
        found = {replace(pin, chain=()) for pin in found if pin.target}
    return tuple(sorted(found))


class _TestFile:
    def __init__(self, tree: ast.Module, path: str) -> None:
        self.path = path
        self.nodes = list(walk(tree))
        self.imports: dict[str, str] = {}
        self.constants: dict[str, str] = {}
        self.doubtful: list[Pin] = []
        """Pins of mocks that are called after something else: they count where the file prepares `query` of a mock,
        whose value may have any name."""
        for node in self.nodes:
            match node:
                case ast.Import(names=names):
                    for alias in names:
                        self.imports[alias.asname or alias.name.partition(".")[0]] = (
                            alias.name if alias.asname else alias.name.partition(".")[0]
                        )
                case ast.ImportFrom(names=names, module=module, level=level):
                    source = ("." if level else "") + (f"{module}." if module else "")
                    self.imports.update({alias.asname or alias.name: source + alias.name for alias in names})
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text))):
                    self.constants[name] = text

    def speaks_of_sessions(self) -> bool:
        """Tell whether a name of the file, or a dotted name in a text, is one of sessions and databases."""
        for node in self.nodes:
            match node:
                case (
                    ast.Name(id=str(word))
                    | ast.Attribute(attr=str(word))
                    | ast.arg(arg=str(word))
                    | ast.alias(name=str(word))
                    | ast.keyword(arg=str(word))
                    | ast.ClassDef(name=str(word))
                    | ast.Constant(value=str(word))
                ) if " " not in word and _SESSION_WORDS.search(word):
                    return True
        return False

    def pins(self) -> Iterator[Pin]:
        """Yield the pins of the file in no order."""
        inner = set[int]()
        for node in self.nodes:
            match node:
                case ast.Attribute(attr=attr) if id(node) not in inner:
                    if attr in _VALUES or attr in _OBSERVED or attr.startswith("assert_"):
                        yield from self._chain_pin(node.value, inner)
                case ast.Assign(targets=[ast.Attribute() as target], value=ast.Call() as call) if _is_mock(call):
                    yield from self._chain_pin(target, inner)
                    yield from self._configured(call, _chain(target)[1])
                case ast.Call() if _is_mock(node) or _attribute(node.func) == "configure_mock":
                    yield from self._configured(node, ())
                case ast.Call():
                    yield from self._patch(node)
                    if id(node) not in inner and (names := self._recorded(node)):
                        inner.update(map(id, _chain(node)[0]))
                        yield Pin(self.path, node.lineno, names)
                case ast.ClassDef(name=name) if _FAKE_CLASS.search(name):
                    yield from self._fake(node)

    def _chain_pin(self, expression: ast.expr, inner: set[int]) -> Iterator[Pin]:
        links, names = _chain(expression)
        inner.update(map(id, links))
        if names:
            pin = Pin(self.path, expression.lineno, names)
            if names[0] in _COMMON_METHODS and _is_something_else(links[-1]):
                self.doubtful.append(pin)
            else:
                yield pin

    def _recorded(self, node: ast.Call) -> tuple[str, ...]:
        """Return the chain that a record of `mock.call` names: `call.query(A).filter_by(id=1)`; else ()."""
        links, names = _chain(node)
        root = self._dotted(links[-1])
        if root.endswith("mock.call"):
            return names
        return names[1:] if root.endswith("mock") and names[:1] == ("call",) else ()

    def _configured(self, call: ast.Call, before: tuple[str, ...]) -> Iterator[Pin]:
        """Yield the attributes a mock is made with: `MagicMock(query=Mock(), **{"all.return_value": 1})`."""
        pending = [(call, before)]
        while pending:
            mock, prefix = pending.pop()
            for keyword in mock.keywords:
                chain = prefix if keyword.arg in _NO_ATTRIBUTES or keyword.arg is None else (*prefix, keyword.arg)
                if isinstance(keyword.value, ast.Call) and _is_mock(keyword.value):
                    pending.append((keyword.value, chain))
                if chain != prefix:
                    yield Pin(self.path, keyword.value.lineno, chain)
                if keyword.arg is None and isinstance(keyword.value, ast.Dict):
                    for key in keyword.value.keys:
                        names = tuple(name for name in self._text(key).split(".") if name and name not in _VALUES)
                        if key is not None and names:
                            yield Pin(self.path, key.lineno, (*prefix, *names))

    def _patch(self, call: ast.Call) -> Iterator[Pin]:
        """Yield what `patch`, `patch.object`, `patch.multiple`, `monkeypatch.setattr` and `mocker.spy` replace."""
        function = _attribute(call.func)
        owner = _attribute(call.func.value) if isinstance(call.func, ast.Attribute) else ""
        first, second = [*call.args[:2], None, None][:2]
        if function == "multiple" and owner == "patch":
            target = self._text(first) or self._dotted(first)
            names = [keyword.arg for keyword in call.keywords if keyword.arg and keyword.arg not in _NO_ATTRIBUTES]
            yield from (Pin(self.path, call.lineno, (), f"{target}.{name}") for name in names)
        elif function in ("patch", "setattr", "spy") or (function == "object" and owner == "patch"):
            text, attribute = self._text(first), self._text(second)
            if (function == "patch" and text) or (function == "setattr" and text and "patch" in owner):
                yield self._target(call, text)
            elif attribute and not text and (function != "setattr" or "patch" in owner):
                yield Pin(self.path, call.lineno, (attribute,), f"{self._dotted(first)}.{attribute}")

    def _target(self, call: ast.Call, text: str) -> Pin:
        owner, _, name = text.rpartition(".")
        of_class = owner.rpartition(".")[2][:1].isupper()
        return Pin(self.path, call.lineno, (name,) if of_class else (), text)

    def _fake(self, fake: ast.ClassDef) -> Iterator[Pin]:
        """Yield the methods of a hand-written stand-in for a session or a query."""
        methods = [part for part in fake.body if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef)]
        names = {method.name for method in methods}
        if names & _TELLING_METHODS or re.search("Session|Query", fake.name):
            for method in methods:
                if method.name in _FAKED_METHODS:
                    yield Pin(self.path, method.lineno, (method.name,))

    def _text(self, expression: ast.expr | None) -> str:
        """Return a text made of constants, with a leading dot for an unknown beginning; else ""."""
        match expression:
            case ast.Constant(value=str(text)):
                return text
            case ast.Name(id=name) if name in self.constants:
                return self.constants[name]
            case ast.JoinedStr(values=[first, *rest]) if rest or isinstance(first, ast.Constant):
                start = first.value if isinstance(first, ast.FormattedValue) else first
                end = "".join(str(part.value) for part in rest if isinstance(part, ast.Constant))
                return self._joined(start, end) if len(rest) < 2 else ""
            case ast.BinOp(left=left, op=ast.Add(), right=ast.Constant(value=str(end))):
                return self._joined(left, end)
        return ""

    def _joined(self, start: ast.expr, end: str) -> str:
        known = self._text(start) if isinstance(start, ast.Constant | ast.Name) else ""
        return known + end if known or end.startswith(".") else ""

    def _dotted(self, expression: ast.expr | None) -> str:
        """Return the dotted name of an object, through the imports of the file."""
        names: list[str] = []
        while isinstance(expression, ast.Attribute):
            names.append(expression.attr)
            expression = expression.value
        if not isinstance(expression, ast.Name):
            return "." + ".".join(reversed(names)) if names else ""
        root = self.imports.get(expression.id, f".{expression.id}")
        return ".".join([root, *reversed(names)])


def _chain(expression: ast.expr) -> tuple[list[ast.expr], tuple[str, ...]]:
    """Return the links of a chain, root last, and its attribute names, from the root on."""
    links: list[ast.expr] = [expression]
    names: list[str] = []
    while True:
        match links[-1]:
            case ast.Attribute(value=value, attr=attr):
                if attr not in _VALUES and attr not in _OBSERVED:
                    names.append(attr)
                links.append(value)
            case ast.Call(func=value) | ast.Subscript(value=value) | ast.Await(value=value):
                links.append(value)
            case _:
                return links, tuple(reversed(names))


def _is_something_else(root: ast.expr) -> bool:
    """Whether the name of a mock says that it stands for no session and no query: `caching_mock`, `response`."""
    name = _MOCK_AFFIX.sub("", root.id) if isinstance(root, ast.Name) else ""
    return len(name) > 2 and name not in {"self", "cls", "obj"} and _SESSION_WORDS.search(name) is None


def _attribute(expression: ast.expr) -> str:
    match expression:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _is_mock(call: ast.Call) -> bool:
    return _MOCKS.fullmatch(_attribute(call.func)) is not None
