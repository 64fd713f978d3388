"""Reading dependency files: text, rows found, problems met."""

from __future__ import annotations

import codecs
import os
import re
import stat
from pathlib import Path

from alchemod.facts.dependencies.requirement import Kind, Requirement, split_requirement
from alchemod.text.problem import Problem, ProblemKind, reason

_LARGEST = 16_000_000
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class Reading:
    """Collects what the dependency files below `root` say. No method raises for what a file contains."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.requirements: list[Requirement] = []
        self.problems: list[Problem] = []
        self._shown: dict[Path, str] = {}

    def shown(self, path: Path) -> str:
        """Return `path` as messages show it: relative to the root, with `/`."""
        if path not in self._shown:
            self._shown[path] = Path(os.path.relpath(path, self.root)).as_posix()
        return self._shown[path]

    def text(self, path: Path) -> str:
        """Return the text of a regular file, or "" and a problem if it cannot be read."""
        try:
            status = path.stat()
            if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST:
                raise OSError("not a regular file, or too large")
            content = path.read_bytes()
            encoding = next((name for bom, name in _BOMS if content.startswith(bom)), "utf-8")
            return content.decode(encoding, "replace").replace("\r\n", "\n").replace("\r", "\n")
        except ValueError:
            return ""
        except OSError as error:
            self.problem(path, None, "read", f"cannot be read ({reason(error)}); it is ignored")
            return ""

    def add(self, text: str, kind: Kind, path: Path, line: int) -> None:
        """Add the requirement `text` ("SQLAlchemy[asyncio]>=1.4; os_name=='nt'"), if it names a package."""
        parts = split_requirement(text)
        if parts is not None:
            name, specifiers, marker = parts
            if kind is Kind.MAIN and re.search(r"\bextra\s*==", marker):
                kind = Kind.EXTRA
            self.requirements.append(Requirement(name, specifiers, marker, kind, self.shown(path), line))

    def problem(self, path: Path, line: int | None, kind: ProblemKind, message: str) -> None:
        """Add a problem of kind read, syntax or config; `message` is a clause that goes on after the path."""
        problem = Problem(path, line, kind, message)
        if problem not in self.problems:
            self.problems.append(problem)


def line_of(text: str, *needles: str) -> int:
    """Return the line (from 1) of the first needle found in `text`, case ignored; 1 if none is."""
    lowered = text.lower()
    for needle in needles:
        found = lowered.find(needle.lower())
        if found >= 0:
            return lowered.count("\n", 0, found) + 1
    return 1


def line_of_key(text: str, key: str) -> int:
    """Return the line (from 1) on which `key = ...` or a table `[... key]` begins; 1 if there is none."""
    name = re.escape(key)
    found = re.search(rf"^[ \t]*(?:[\"']?{name}[\"']?\s*=|\[.*\b{name}[\"']?\]+)", text, re.MULTILINE | re.IGNORECASE)
    return text.count("\n", 0, found.start()) + 1 if found else 1
