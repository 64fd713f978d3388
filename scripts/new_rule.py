"""Start a rule: its module, and a fixture folder with one case that changes and one that must not.

    python scripts/new_rule.py ALC203 relationship-read-twice --folder querying

CONTRIBUTING.md says what to do next.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

MODULE = '''"""{code}: {title}."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from alchemod.engine.rule import Rule

if TYPE_CHECKING:
    from alchemod.engine.context import Context
    from alchemod.engine.finding import Finding


class {cls}(Rule):
    """{title}.

    What it does:
        One or two sentences: what it finds, what it writes instead.

    Why:
        What goes wrong otherwise.

    Example:
        ```python
        books = session.query(Book).old_name()
        ```

    Use instead:
        ```python
        books = session.query(Book).new_name()
        ```

    Fix safety:
        When the fix is safe, when unsafe, when there is only a report.

    References:
        - SQLAlchemy documentation: the section that says so
    """

    code = "{code}"
    names = ("old_name",)

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Calls of `old_name` on a query."""
        yield from ()
'''

CHANGES = """# expect: {code} safe
# note: the plainest shape

from sqlalchemy import Column, Integer, create_engine
from sqlalchemy.orm import Session, declarative_base

Base = declarative_base()


class Book(Base):
    __tablename__ = "books"
    id = Column(Integer, primary_key=True)


engine = create_engine("sqlite://")
Base.metadata.create_all(engine)
with Session(engine) as session:
    session.add(Book(id=1))
    session.commit()
    print([book.id for book in session.query(Book).old_name()])
"""

KEEPS = """# expect: nothing
# note: the same call on something that is not SQLAlchemy's


class Shelf:
    def old_name(self):
        return [1]


print(Shelf().old_name())
"""


def new_rule(root: Path, code: str, name: str, folder: str) -> list[Path]:
    """Write the files of a new rule below `root`; returns their paths.

    Raises:
        SystemExit: code, name or folder is wrong, or a file is already there.
    """
    if not re.fullmatch(r"(ALC|MIG)\d{3}", code):
        raise SystemExit(f"new_rule: {code!r} is no code; codes look like ALC203 or MIG401")
    if not re.fullmatch(r"[a-z]+(-[a-z0-9]+)+", name):
        raise SystemExit(f"new_rule: {name!r} is no name; names look like lazy-load-in-loop")
    rules = root / "codemods" / "alchemod" / "rules"
    folders = sorted(path.parent.relative_to(rules).as_posix() for path in rules.rglob("*/__init__.py"))
    if folder not in folders:
        raise SystemExit(f"new_rule: there is no folder {folder!r} for rules; there are {', '.join(folders)}")
    module = name.replace("-", "_")
    cases = root / "fixtures" / "rules" / folder / module
    values = {
        "code": code,
        "title": name.capitalize().replace("-", " "),
        "cls": name.title().replace("-", ""),
    }
    contents = {
        rules / folder / f"{module}.py": MODULE,
        cases / "plain.py": CHANGES,
        cases / "keep_foreign.py": KEEPS,
    }
    if existing := [path for path in contents if path.exists()]:
        raise SystemExit(f"new_rule: {existing[0]} is already there")
    for path, template in contents.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(template.format(**values), "utf-8")
    return list(contents)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description="Start a rule: its module and two fixture cases.")
    parser.add_argument("code", help="such as ALC203")
    parser.add_argument("name", help="such as lazy-load-in-loop")
    parser.add_argument("--folder", required=True, help="the family, such as querying")
    given = parser.parse_args(arguments)
    for path in new_rule(ROOT, given.code, given.name, given.folder):
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main(sys.argv[1:])
