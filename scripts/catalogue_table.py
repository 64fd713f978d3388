"""Write `docs/migration-rows.md`: every row of the catalogue, its rule and its cases; with `--check`, only compare.

    python scripts/catalogue_table.py

The rows are those of `docs/catalogue.tsv` (id, legacy form, new form, the rules that owe it). A fixture case names
the rows it is for in its `# note:` lines. A row without a case is `later`, with the rule that will bring it.
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
ROWS = ROOT / "docs" / "catalogue.tsv"
TABLE = ROOT / "docs" / "migration-rows.md"
CASES = ROOT / "fixtures" / "rules"
_ROW = re.compile(r"\b(?:CT|CU|OQ|LD|SE|N21|AL)-\d{3}\b")

HEAD = """# What of the migration is covered

Written by `scripts/catalogue_table.py`. Each row is a legacy form and what it becomes. *Cases* are the fixture cases
that show it under `fixtures/rules/`, by rule (`keep_` cases must stay as they are); *later* names the rule that will
bring it.

"""


class Row(NamedTuple):
    """A row of the catalogue."""

    id: str
    before: str
    after: str
    rules: tuple[str, ...]


def rows() -> list[Row]:
    """The rows of the catalogue."""
    with ROWS.open(encoding="utf-8", newline="") as file:
        found = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [Row(row["id"], row["before"], row["after"], tuple(row["rules"].split())) for row in found]


def cases() -> dict[str, list[str]]:
    """Row id to the cases that name it, as `folder/rule/case`."""
    found: dict[str, list[str]] = {}
    for path in sorted(CASES.rglob("*.py")):
        case = path.parent if path.name == "main.py" else path.with_suffix("")
        for row in dict.fromkeys(_named_rows(path)):
            found.setdefault(row, []).append(case.relative_to(CASES).as_posix())
    return found


def _named_rows(path: Path) -> Iterator[str]:
    for line in path.read_text("utf-8", "replace").splitlines():
        if not line.startswith("#"):
            return
        if line.startswith("# note:"):
            yield from _ROW.findall(line)


def rendered() -> str:
    """The text of the table."""
    shown = cases()
    listed = rows()
    covered = sum(row.id in shown for row in listed)
    lines = [
        f"{covered} of {len(listed)} rows have a case.",
        "",
        "| row | before | after | cases |",
        "| --- | --- | --- | --- |",
    ]
    for row in listed:
        told = _by_rule(shown[row.id]) if row.id in shown else f"later: {' '.join(row.rules)}"
        lines.append(f"| {row.id} | {_cell(row.before)} | {_cell(row.after)} | {told} |")
    return HEAD + "\n".join(lines) + "\n"


def _by_rule(paths: list[str]) -> str:
    groups: dict[str, list[str]] = {}
    for path in paths:
        *_, rule, case = path.split("/")
        groups.setdefault(rule.replace("_", "-"), []).append(case)
    return "; ".join(f"{rule}: {', '.join(names)}" for rule, names in groups.items())


def _cell(code: str) -> str:
    escaped = code.replace("|", "\\|")
    return f"`` {escaped} ``" if "`" in code else f"`{escaped}`"


def main() -> None:
    text = rendered()
    if "--check" in sys.argv[1:]:
        if TABLE.read_text("utf-8") != text:
            raise SystemExit("docs/migration-rows.md is out of date: run scripts/catalogue_table.py")
        return
    TABLE.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
