"""setup.cfg and the metadata of a source distribution: requires.txt of an egg-info folder, PKG-INFO."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

from alchemod.facts.dependencies.pyproject import Follow
from alchemod.facts.dependencies.reading import Reading, line_of
from alchemod.facts.dependencies.requirement import Kind, kind_of_group


def read_setup_config(reading: Reading, path: Path, follow: Follow) -> None:
    """Add what setup.cfg requires: `install_requires`, `extras_require`, `tests_require`, also by `file:`."""
    text = reading.text(path)
    config = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        config.read_string(text)
    except configparser.Error as error:
        reading.problem(
            path, getattr(error, "lineno", None), "syntax", "cannot be parsed; its dependencies are ignored"
        )
        return
    declared = [
        (Kind.MAIN, config.get("options", "install_requires", fallback="")),
        (Kind.DEVELOPMENT, config.get("options", "tests_require", fallback="")),
    ]
    if config.has_section("options.extras_require"):
        extras = config.items("options.extras_require")
        declared += [(kind_of_group(extra), value) for extra, value in extras if extra not in config.defaults()]
    for kind, value in declared:
        if value.strip().startswith("file:"):
            for file in value.strip().removeprefix("file:").split(","):
                follow(path.parent / file.strip(), kind)
            continue
        for requirement in re.split(r"\n|;(?=\s*\n)", value):
            if requirement.strip() and not requirement.strip().startswith("#"):
                reading.add(requirement, kind, path, line_of(text, requirement.strip()))


def read_requires(reading: Reading, path: Path) -> None:
    """Add what the `requires.txt` of an egg-info folder says; sections are `[extra:marker]`."""
    marker, extra = "", ""
    for number, line in enumerate(reading.text(path).split("\n"), 1):
        section = re.fullmatch(r"\s*\[([^:\]]*):?(.*)\]\s*", line)
        if section:
            extra, marker = section[1], section[2]
        elif line.strip() and not (extra and kind_of_group(extra) is Kind.DEVELOPMENT):
            conditions = " and ".join(filter(None, (marker, f"extra == {extra!r}" if extra else "")))
            reading.add(f"{line}; {conditions}" if conditions else line, Kind.METADATA, path, number)


def read_package_information(reading: Reading, path: Path) -> None:
    """Add the `Requires-Dist` lines of PKG-INFO."""
    for number, line in enumerate(reading.text(path).split("\n"), 1):
        if line.startswith("Requires-Dist:"):
            reading.add(line.partition(":")[2], Kind.METADATA, path, number)
