"""Fixture cases: one Python file (or one folder with `main.py`) whose head comment says what must come out.

The head comment is the block of `# key: value` lines at the top of the file, below a shebang or coding line.
The first line that is no comment ends it. The keys:

`expect: ALC201 safe`      a finding of this code and safety (`safe`, `unsafe`, `report`), and with a number
                           after it so many of them; repeatable. `expect: nothing` means none.
                           A `keep_` case need not say so.
`says: text`               some finding's message, why or missing fact contains this text; repeatable.
`versions: 1.4 2.0`        the SQLAlchemy series the case runs under, before and after; default: all of them.
                           The project of the case allows the range of the ones of after.
`before: 1.4`              the same for one side only.
`after: 1.4 2.0`
`run: no, why`             the program is not executed. Default: it is if it prints or has a `__main__` part.
`statements: equal`        what may happen to the SQL: `equal` (the default: same texts, parameters, order),
                           `fewer`, `any`, or a difference in number such as `-3` or `+1`.
`selects: 9 to 3`          so many SELECTs the program sends before, and after: the ideal, counted by hand. Where no
                           fix is expected it says what the ideal would be.
`sql: text`                the program sends this text after and not before (blanks do not count); repeatable.
`prints before: text`      behaviour fixes only: what the program prints (repeatable, one line each) or raises
`prints after: text`       (`sqlalchemy.exc.InvalidRequestError`, `NameError`) on the named side. Without
`raises before: name`      these, both sides must print and raise the same.
`raises after: name`
`rows: may differ`         behaviour fixes only: the committed rows need not be the same.
`scenario: work(1)`        once the program has run, this is evaluated in a process of its own, before and after:
                           same value, exception, output and rows, no connection held that was not held
                           before, same statements and transaction steps (but for rollbacks, which may be
                           added where a session used to be left open); repeatable. A generator goes to its
                           end; after the word `early` it is closed after the first element.
`faults: every step`       each scenario is played again with each of its statements and commits failing.
`options: --target 1.4`    more options for the tool.
`note: text`               anything worth knowing; repeatable.

A case whose name starts with `keep_` is a look-alike: the tool must leave every byte of it alone.
"""

from __future__ import annotations

import ast
import re
import shlex
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bench.execution import Program, Scenario
from bench.installs import series

MAIN = "main.py"
_DIRECTIVE = re.compile(r"#\s*([a-z]+(?: (?:before|after))?)\s*:\s*(.*?)\s*$")
_SKIPPED = re.compile(r"#!|#.*coding[:=]")
_EXPECT = re.compile(r"([A-Z]{3}\d{3}) (safe|unsafe|report)(?: (\d+))?$")
_SCENARIO = re.compile(r"(early )?(.+)$")
_STATEMENTS = re.compile(r"equal|fewer|any|[+-]\d+$")
_SELECTS = re.compile(r"\d+ to \d+$")
_KEEP = "keep_"
_RUN_AT_ALL = re.compile(rb"\bprint\(|__main__")

Expected = tuple[str, str]
"""A code and a safety."""


class CaseError(Exception):
    """A fixture case is written wrongly; the message names file and line and says what to do."""


@dataclass(frozen=True)
class Sides:
    """A directive that can be given for before and after apart."""

    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True)
class Case:
    """One fixture case, read and checked."""

    path: Path
    """The file, or the folder when there are several files."""
    rule: str
    """The module of the rule it belongs to, such as `sessions/session_without_context_manager`."""
    expected: Counter[Expected]
    says: tuple[str, ...]
    versions: Sides
    runnable: bool
    statements: str
    selects: tuple[int, int] | None
    sql: tuple[str, ...]
    prints: Sides
    raises: Sides
    rows_may_differ: bool
    scenarios: tuple[Scenario, ...]
    has_faults: bool
    """Whether the scenarios are also played with each step failing."""
    options: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def is_keep(self) -> bool:
        """Whether the case is a look-alike that must stay as it is."""
        return self.name.startswith(_KEEP)

    @property
    def is_unsafe(self) -> bool:
        """Whether the fixes of the case need `--unsafe-fixes`."""
        return any(safety == "unsafe" for _, safety in self.expected)

    @property
    def is_fixed(self) -> bool:
        """Whether the case expects a fix."""
        return any(safety != "report" for _, safety in self.expected)

    @property
    def main(self) -> str:
        """Path of the program, from the folder that `files` speaks of."""
        return MAIN if self.path.is_dir() else self.path.name

    @property
    def states_outcome(self) -> bool:
        return self.prints != Sides() or self.raises != Sides()

    @cached_property
    def files(self) -> dict[str, bytes]:
        """Content of the case's files by relative path, with `/`."""
        if self.path.is_file():
            return {self.path.name: self.path.read_bytes()}
        found = (path for path in sorted(self.path.rglob("*")) if path.is_file() and "__pycache__" not in path.parts)
        return {path.relative_to(self.path).as_posix(): path.read_bytes() for path in found}

    def program(self, files: dict[str, bytes], scenario: Scenario | None = None) -> Program:
        """The program of the case with the given contents."""
        return Program(files, self.main, scenario)


def find_cases(root: Path) -> list[Path]:
    """The cases under `root` (`<folder>/<rule>/<case>`), sorted; names starting with `_` or `.` are none.

    A folder may hold other folders of rules; the folder of a rule is the first one downward that holds a case.
    """
    return sorted(case for folder in _visible(root) if folder.is_dir() for case in _cases_below(folder))


def _cases_below(folder: Path) -> Iterator[Path]:
    inside = _visible(folder)
    cases = [path for path in inside if path.suffix == ".py" or (path / MAIN).is_file()]
    if cases:
        yield from (path for path in inside if path in cases or path.is_dir())
    else:
        for path in inside:
            if path.is_dir():
                yield from _cases_below(path)


def _visible(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if not path.name.startswith(("_", "."))]


def read_case(path: Path) -> Case:
    """Read a case and check its head comment.

    Raises:
        CaseError: the head comment is missing, has an unknown key, a bad value or contradicts itself.
    """
    main = path / MAIN if path.is_dir() else path
    if not main.is_file():
        raise CaseError(f"{path}: a case of several files needs a {MAIN} with the head comment")
    head = _Head(path, main)
    case = Case(
        path=path,
        rule=f"{path.parent.parent.name}/{path.parent.name}",
        expected=head.expected(),
        says=head.texts("says"),
        versions=head.versions(),
        runnable=head.runnable(),
        statements=head.choice("statements", _STATEMENTS, "equal"),
        selects=head.selects(),
        sql=head.texts("sql"),
        prints=Sides(head.texts("prints before"), head.texts("prints after")),
        raises=Sides(head.texts("raises before"), head.texts("raises after")),
        rows_may_differ=bool(head.choice("rows", re.compile("may differ$"), "")),
        scenarios=head.scenarios(),
        has_faults=bool(head.choice("faults", re.compile("every step$"), "")),
        options=tuple(shlex.split(" ".join(head.texts("options")))),
    )
    head.check_contradictions(case)
    return case


class _Head:
    """The directives of one head comment, with their lines."""

    SIDED = ("prints before", "prints after", "raises before", "raises after")
    NEED_RUN = ("statements", "selects", "sql", *SIDED, "rows", "scenario", "faults")
    KEYS = ("expect", "says", "versions", "before", "after", "run", *NEED_RUN, "options", "note")

    def __init__(self, path: Path, main: Path) -> None:
        self._main = main
        self._source = main.read_bytes()
        self._directives: dict[str, list[tuple[int, str]]] = {}
        for number, line in enumerate(self._source.decode("latin-1").splitlines(), 1):
            if number <= 2 and _SKIPPED.match(line.lstrip("\xef\xbb\xbf")):
                continue
            if not line.startswith("#"):
                break
            match = _DIRECTIVE.match(line)
            if not match or match[1] not in self.KEYS:
                known = ", ".join(self.KEYS)
                raise self.error(number, f"{line!r} is no directive; write '# key: value' with a key of: {known}")
            self._directives.setdefault(match[1], []).append((number, match[2]))
        if "expect" not in self._directives and not path.name.startswith(_KEEP):
            raise self.error(1, "the head comment needs '# expect: CODE safe|unsafe|report' or '# expect: nothing'")

    def error(self, line: int, message: str) -> CaseError:
        return CaseError(f"{self._main}:{line}: {message}")

    def texts(self, key: str) -> tuple[str, ...]:
        return tuple(value for _, value in self._directives.get(key, ()))

    def choice(self, key: str, allowed: re.Pattern[str], default: str) -> str:
        """The value of a key that may stand once and takes certain values only."""
        given = self._directives.get(key, [])
        if not given:
            return default
        for number, value in given:
            if not allowed.match(value) or len(given) > 1:
                raise self.error(number, f"'{key}' stands at most once and is {allowed.pattern}, not {value!r}")
        return given[0][1]

    def expected(self) -> Counter[Expected]:
        expected: Counter[Expected] = Counter()
        given = self._directives.get("expect", [])
        for number, value in given:
            match = _EXPECT.match(value)
            if match:
                expected[match[1], match[2]] += int(match[3] or 1)
            elif value != "nothing" or len(given) > 1:
                raise self.error(number, f"'expect' is 'CODE safe|unsafe|report [number]' or 'nothing', not {value!r}")
        return expected

    def scenarios(self) -> tuple[Scenario, ...]:
        found = []
        for number, value in self._directives.get("scenario", ()):
            match = _SCENARIO.match(value)
            try:
                ast.parse(match[2] if match else "", mode="eval")
            except SyntaxError as error:
                raise self.error(
                    number, f"'scenario' is an expression, perhaps after 'early', not {value!r}"
                ) from error
            assert match is not None
            found.append(Scenario(match[2], close_early=bool(match[1])))
        return tuple(found)

    def selects(self) -> tuple[int, int] | None:
        given = self.choice("selects", _SELECTS, "")
        before, _, after = given.partition(" to ")
        return (int(before), int(after)) if given else None

    def versions(self) -> Sides:
        both = self._series("versions") or series()
        return Sides(self._series("before") or both, self._series("after") or both)

    def _series(self, key: str) -> tuple[str, ...]:
        named: list[str] = []
        for number, value in self._directives.get(key, ()):
            named += value.split()
            if unknown := set(named) - set(series()):
                raise self.error(number, f"'{key}' names {min(unknown)}; the bench has {', '.join(series())}")
        return tuple(version for version in series() if version in named)

    def runnable(self) -> bool:
        for number, value in self._directives.get("run", ()):
            if not re.match(r"no, \S", value):
                raise self.error(number, f"'run' is 'no, why', not {value!r}")
            return False
        return bool(_RUN_AT_ALL.search(self._source))

    def check_contradictions(self, case: Case) -> None:
        try:
            ast.parse(self._source)
        except SyntaxError as error:
            raise self.error(error.lineno or 1, f"the case is not Python: {error.msg}") from error
        fixes = [safety for _, safety in case.expected if safety != "report"]
        if case.is_keep and fixes:
            raise self.error(1, "a keep_ case must stay as it is, so it can expect reports or nothing, not a fix")
        if not case.is_keep and not fixes and "nothing" in self.texts("expect") and case.selects is None:
            raise self.error(1, "a case that expects nothing is a look-alike: name it keep_...")
        needs_run = [key for key in self.NEED_RUN if key in self._directives]
        if needs_run and not case.runnable:
            line = self._directives[needs_run[0]][0][0]
            raise self.error(line, f"'{needs_run[0]}' speaks of running the case, but it is never run")
        for side in ("before", "after"):
            stated = [key for key in self.SIDED if key in self._directives]
            if stated and not any(key.endswith(side) for key in stated):
                raise self.error(1, f"'{stated[0]}' needs a 'prints {side}' or 'raises {side}' beside it")
