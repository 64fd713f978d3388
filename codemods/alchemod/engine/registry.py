"""The rules as far as they are known without importing them."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module

from alchemod.engine.finding import Level
from alchemod.engine.rule import Rule


@dataclass(frozen=True, slots=True)
class RuleEntry:
    """What the index says of one rule.

    `kinds` are the node classes it has a `find_` method for; `dynamic` says that facts supply further names, which
    only the imported rule can tell. `module` is None for the findings that the engine makes itself.
    """

    code: str
    name: str
    summary: str
    module: str | None
    names: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    dynamic: bool = False
    tokens: tuple[str, ...] = ()
    min_version: str = "1.4"
    on: bool = True
    since: str = ""
    level: Level = "warning"
    after: tuple[str, ...] = ()
    yields_to: tuple[str, ...] = ()


_PREFIX = "find_"
_LATE = ("MIG5", "MIG8")
"""The families whose rules change a site last: SQLAlchemy 2.1 builds on 2.0, revisions are history."""


def entry_of(rule: type[Rule]) -> RuleEntry:
    """The index entry of a rule; the summary is the first line of its docstring."""
    kinds = tuple(sorted(name.removeprefix(_PREFIX) for name in dir(rule) if name.startswith(_PREFIX)))
    return RuleEntry(
        rule.code, rule().name, (inspect.getdoc(rule) or "").partition("\n")[0].rstrip("."), rule.__module__,
        rule.names, kinds, rule.names_from is not Rule.names_from, rule.tokens, rule.min_version, rule.on, rule.since,
        rule.level, rule.after, rule.yields_to,
    )  # fmt: skip


UNUSED_SUPPRESSION = RuleEntry(
    "ALC001", "unused-suppression", "An `alchemod: ignore` comment that suppresses nothing", None
)
"""The one finding that the engine itself makes."""


class Registry:
    """The known rules by code; a rule is imported when it is first asked for."""

    def __init__(self, entries: Iterable[RuleEntry]) -> None:
        self._entries = {entry.code: entry for entry in sorted((UNUSED_SUPPRESSION, *entries), key=lambda e: e.code)}
        self._rules: dict[str, Rule] = {}

    @classmethod
    def of(cls, *rules: type[Rule]) -> Registry:
        """A registry of rules that are at hand, indexed or not."""
        registry = cls(map(entry_of, rules))
        registry._rules.update((rule.code, rule()) for rule in rules)
        return registry

    def __iter__(self) -> Iterator[RuleEntry]:
        return iter(self._entries.values())

    def __contains__(self, code: str) -> bool:
        return code in self._entries

    def __getitem__(self, code: str) -> RuleEntry:
        return self._entries[code]

    def rule(self, code: str) -> Rule:
        """The rule itself. Raises KeyError for an unknown code, ImportError when its module cannot be imported."""
        if code not in self._rules:
            self._rules[code] = rule_class(self._module(code))()
        return self._rules[code]

    def documentation(self, code: str) -> str:
        """The text that explains a rule: its docstring, headings included."""
        if self._entries[code].module is None:
            from alchemod.engine.suppress import DOCUMENTATION

            return DOCUMENTATION
        return inspect.getdoc(type(self.rule(code))) or ""

    def order(self, codes: Iterable[str]) -> dict[str, int]:
        """The rank of each code: rules it comes after or yields to first, then by family and code."""
        wanted = sorted(codes, key=lambda code: (code.startswith(_LATE), code))
        ranks: dict[str, int] = {}
        stack = [(code, False) for code in reversed(wanted)]
        open_codes: set[str] = set()
        while stack:
            code, done = stack.pop()
            if done:
                ranks.setdefault(code, len(ranks))
                continue
            if code in ranks or code in open_codes:
                continue
            open_codes.add(code)
            stack.append((code, True))
            entry = self._entries[code]
            earlier = sorted(set(entry.after + entry.yields_to).intersection(wanted), reverse=True)
            stack.extend((other, False) for other in earlier)
        return ranks

    def _module(self, code: str) -> str:
        module = self._entries[code].module
        if module is None:
            raise KeyError(code)
        return module


def rule_class(module: str) -> type[Rule]:
    """The one rule that a module defines. Raises ImportError when there is not exactly one."""
    members = vars(import_module(module)).values()
    found = [m for m in members if isinstance(m, type) and issubclass(m, Rule) and m.__module__ == module]
    if len(found) != 1:
        raise ImportError(f"{module} defines {len(found)} rules, one is expected")
    return found[0]
