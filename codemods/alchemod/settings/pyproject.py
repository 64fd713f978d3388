"""Settings from ``[tool.alchemod]`` and the command line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alchemod.settings.options import FORMATS, TARGETS, Selectors, Settings, SettingsError
from alchemod.settings.suggestion import did_you_mean

_LISTS = ("select", "extend_select", "ignore", "exclude")
_FLAGS = ("unsafe_fixes", "exit_zero", "debug", "quiet", "verbose")
_CHOICES = {"target": TARGETS, "format": FORMATS}
_OPTIONS = (*_LISTS, *_FLAGS, *_CHOICES)
_SELECTORS = ("select", "extend_select", "ignore")


def load(root: Path, config: Path | None, overrides: Mapping[str, object]) -> Settings:
    """The settings of a run: the command line over the configuration over the defaults.

    The configuration is ``[tool.alchemod]`` of ``root/pyproject.toml``, or the file ``config``: another
    pyproject.toml, or a file that has the options at its top. ``overrides`` holds what the command line says,
    by the names of Settings; None, False and empty values mean that it says nothing. Lists may hold several
    selectors in one text, with commas. Raises SettingsError when the file cannot be read, is not TOML, or has
    an unknown key or a value of the wrong type.
    """
    configured = _configured(root, config)
    given: dict[str, Any] = {option: _from_command_line(option, value) for option, value in overrides.items() if value}
    values: dict[str, Any] = {**configured.values, **given}
    for option in _SELECTORS:
        values[option] = (*configured.values.get(option, ()), *given.get(option, ()))
    origin = {
        **{option: configured.place(option) for option in configured.values},
        **{option: f"--{_kebab(option)}" for option in given},
    }
    layers = tuple(_selectors(layer) for layer in (configured.values, given))
    return Settings(**values, origin=origin, layers=layers)


def _selectors(values: Mapping[str, Any]) -> Selectors:
    return Selectors(values.get("select"), values.get("extend_select", ()), values.get("ignore", ()))


@dataclass(frozen=True, slots=True)
class _Configured:
    """The options that a configuration file sets, by the names of Settings."""

    name: str
    text: str
    values: dict[str, Any]

    def place(self, option: str) -> str:
        """File and, where it can be found, line of an option."""
        return _place(self.name, self.text, _kebab(option))


def _configured(root: Path, config: Path | None) -> _Configured:
    path = config or root / "pyproject.toml"
    name = str(config) if config else path.name
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        if config:
            raise SettingsError(f"{name}: no such configuration file") from None
        return _Configured(name, "", {})
    except OSError as error:
        raise SettingsError(f"{name}: cannot be read: {str(error.strerror).lower()}") from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SettingsError(f"{name}: is not UTF-8, so it is not TOML") from None
    if not config and "alchemod" not in text:
        return _Configured(name, text, {})
    table = _table(name, text, bare=path.name != "pyproject.toml")
    return _Configured(name, text, {_snake(key): _checked(name, text, key, table[key]) for key in table})


def _table(name: str, text: str, bare: bool) -> dict[str, Any]:
    import tomllib

    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message, line = str(error), re.search(r"at line (\d+)", str(error))
        place = f"{name}:{line[1]}" if line else name
        raise SettingsError(f"{place}: is not TOML: {message[:1].lower()}{message[1:]}") from None
    tool = document.get("tool")
    if bare and tool is None:
        return document
    table = tool.get("alchemod", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise SettingsError(f"{_place(name, text, 'alchemod')}: [tool.alchemod] must be a table")
    return table


def _checked(name: str, text: str, key: str, value: object) -> object:
    """The value of a key of the configuration, if it is one that Settings takes."""
    option, place = _snake(key), _place(name, text, key)
    if option not in _OPTIONS or "_" in key:
        hint = did_you_mean(key, map(_kebab, _OPTIONS))
        raise SettingsError(f"{place}: unknown key {key!r}{hint}")
    if option in _LISTS:
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        raise SettingsError(f"{place}: {key!r} must be a list of strings")
    if option in _FLAGS:
        if isinstance(value, bool):
            return value
        raise SettingsError(f"{place}: {key!r} must be true or false")
    return _choice(f"{place}: {key!r}", option, value)


def _from_command_line(option: str, value: Any) -> object:
    if option not in _OPTIONS:
        raise SettingsError(f"unknown option --{_kebab(option)}{did_you_mean(option, _OPTIONS)}")
    if option in _LISTS:
        return _named_rules(option, value) if option in _SELECTORS else tuple(value)
    return bool(value) if option in _FLAGS else _choice(f"--{option}", option, value)


def _named_rules(option: str, texts: Iterable[str]) -> tuple[str, ...]:
    names = tuple(_split(texts))
    if not names:
        raise SettingsError(f"--{option.replace('_', '-')} names no rule: give a code, a name, a prefix or ALL")
    return names


def _split(texts: Iterable[str]) -> Iterable[str]:
    return (part.strip() for text in texts for part in text.split(",") if part.strip())


def _choice(subject: str, option: str, value: object) -> object:
    choices = _CHOICES[option]
    if value in choices:
        return value
    raise SettingsError(f"{subject} must be one of {', '.join(map(repr, choices))}, not {value!r}")


def _place(name: str, text: str, key: str) -> str:
    """``name:line`` of a key of our table, or ``name`` where it is spelled in a way that is not looked for."""
    quoted = rf"""["']?{re.escape(key)}["']?[ \t]*"""
    table = r"""["']?tool["']?[ \t]*\.[ \t]*["']?alchemod["']?[ \t]*"""
    spellings = (
        rf"^[ \t]*\[[ \t]*{table}\](?:(?!^[ \t]*\[)[\s\S])*?^[ \t]*({quoted}[=.])",
        rf"^[ \t]*(\[?[ \t]*{table}\.[ \t]*{quoted}[]=.])",
        rf"^[ \t]*(alchemod\.{quoted}=)",
        rf"^[ \t]*({quoted}=)",
    )
    for spelling in spellings:
        if found := re.search(spelling, text, re.MULTILINE):
            return f"{name}:{text.count(chr(10), 0, found.start(1)) + 1}"
    return name


def _kebab(option: str) -> str:
    return option.replace("_", "-")


def _snake(key: str) -> str:
    return key.replace("-", "_")
