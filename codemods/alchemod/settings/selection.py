"""Which rules run: codes, names, prefixes and ALL, the most specific selector winning, as in ruff."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from alchemod.settings.options import Selectors, Settings, SettingsError
from alchemod.settings.suggestion import did_you_mean

ALL = "ALL"
"""The selector of every rule."""

DEFAULT_FAMILY = "ALC"
"""Code prefix of the rules that run when nothing is selected."""

_LETTERS = 3
"""Length of the letters that a code starts with; a shorter prefix is no selector."""

_EXACT = 99
"""Specificity of a whole code or name: above any prefix length."""


class RuleName(Protocol):
    """What selection knows of a rule: its code, its name, whether it runs by default."""

    @property
    def code(self) -> str:
        """Like ``ALC201``."""

    @property
    def name(self) -> str:
        """Like ``filter-by-keywords``."""

    @property
    def on(self) -> bool:
        """Whether the rule runs when nothing is selected."""


class _Selector(NamedTuple):
    specificity: int
    codes: frozenset[str]


def selected(rules: Iterable[RuleName], settings: Settings, within: str | None = None) -> frozenset[str]:
    """The codes of the rules that run.

    What is selected runs even if it is off by default. In one place the most specific selector wins and
    ``ignore`` wins a tie; what the command line says goes over what the configuration says, and its
    ``--select`` starts afresh. ``within`` ("MIG") keeps to the rules of that family: its defaults instead of
    those of ALC, and selectors that name none of its rules have no say. Raises SettingsError for a selector
    that names no rule.
    """
    known = tuple(rules)
    family = within or DEFAULT_FAMILY
    running = {rule.code for rule in known if rule.on and rule.code.startswith(family)}
    for layer in settings.layers or (_single_layer(settings),):
        select = _resolved(layer.select, known, "select", settings, within)
        extend = _resolved(layer.extend_select, known, "extend-select", settings, within)
        ignore = _resolved(layer.ignore, known, "ignore", settings, within)
        starts_afresh = bool(select) or layer.select == ()
        verdict = _verdicts([*select, *extend], ignore)
        if starts_afresh:
            running = {code for code, runs in verdict.items() if runs}
        else:
            running |= {code for code, runs in verdict.items() if runs}
            running -= {code for code, runs in verdict.items() if not runs}
    return frozenset(running)


def _single_layer(settings: Settings) -> Selectors:
    return Selectors(settings.select or None, settings.extend_select, settings.ignore)


def _verdicts(chosen: Sequence[_Selector], ignored: Sequence[_Selector]) -> dict[str, bool]:
    """Code to whether it runs, for every code that a selector names."""
    verdicts: dict[str, bool] = {}
    steps = [(s.specificity, True, s.codes) for s in chosen] + [(s.specificity, False, s.codes) for s in ignored]
    for _, runs, codes in sorted(steps, key=lambda step: (step[0], not step[1])):
        verdicts.update(dict.fromkeys(codes, runs))
    return verdicts


def _resolved(
    selectors: Iterable[str] | None,
    rules: Sequence[RuleName],
    option: str,
    settings: Settings,
    within: str | None,
) -> list[_Selector]:
    found = []
    for text in selectors or ():
        selector = _selector(text, rules)
        if selector is None:
            names = [ALL, *(name for rule in rules for name in (rule.code, rule.name))]
            where = settings.origin.get(option.replace("-", "_"), f"--{option}")
            raise SettingsError(f"{where}: {text!r} is no rule code, name or prefix{did_you_mean(text, names)}")
        codes = frozenset(code for code in selector.codes if code.startswith(within or ""))
        if codes:
            found.append(_Selector(selector.specificity, codes))
    return found


def _selector(text: str, rules: Sequence[RuleName]) -> _Selector | None:
    if text == ALL:
        return _Selector(0, frozenset(rule.code for rule in rules))
    exact = frozenset(rule.code for rule in rules if text in (rule.code, rule.name))
    if exact:
        return _Selector(_EXACT, exact)
    prefixed = frozenset(rule.code for rule in rules if len(text) >= _LETTERS and rule.code.startswith(text))
    return _Selector(len(text), prefixed) if prefixed else None
