"""Sessions that one function of the open corpus opens and closes by hand, counted by plain `ast`, and our verdicts.

    python benchmarks/sessions_by_hand.py [FOLDER ...]

Independent of the rules: a function that assigns a call whose name speaks of a session to a name, and calls `close()`
on that name, counts. FOLDER names other projects than the corpus. `LOOK_ALIKES` lists what was struck out by hand.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

from corpus import projects

_MAKER = re.compile(r"session", re.IGNORECASE)
RULES = "ALC101"
_SHARED = "db.session() is the session of the thread, which Flask-SQLAlchemy removes"
_HANDED_OUT = "a context manager, which hands it to a block and closes it on every way out"
LOOK_ALIKES = {
    "apache-superset-1.5.3/superset/migrations/versions/*": "a session on the connection of a migration",
    "apache-airflow-1.10.15/airflow/utils/db.py:create_session:*": "settings.Session is a scoped_session",
    "apache-superset-1.5.3/superset/utils/celery.py:session_scope:47": _SHARED,
    "apache-superset-1.5.3/superset/views/core.py:copy_dash:*": _SHARED,
    "apache-superset-1.5.3/superset/views/core.py:save_dash:*": _SHARED,
    "apache-superset-1.5.3/superset/views/core.py:add_slices:*": _SHARED,
    "aiida_core-2.9.4/src/aiida/storage/psql_dos/migrator.py:session:*": _HANDED_OUT,
    "mcp_contextforge_gateway-1.1.0/mcpgateway/transports/streamablehttp_transport.py:get_db:*": _HANDED_OUT,
    "galaxy_data-26.1.2/tests/data/model/test_migrate_custos_to_psa.py:db_session:*": "a fixture, which pytest ends",
    "zenml-0.98.0/src/zenml/integrations/ssh/ssh_client.py:_exec_streaming:*": "a channel of an SSH connection",
    "flexget*/flexget/*": "leaving the block of its session class commits",
}
"""Pattern of `project/path:function:line` to why it is no session that the function owns; read by hand."""


class Site(NamedTuple):
    """A session opened at a line of a file, in a function."""

    path: str
    line: int
    function: str
    code: str


def sites(root: Path) -> Iterator[Site]:
    """The sites of a project, in the order of its files."""
    for path in sorted(root.rglob("*.py")):
        try:
            tree = ast.parse(path.read_bytes())
        except (SyntaxError, ValueError):
            continue
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                yield from _of_function(function, path.relative_to(root).as_posix())


def _of_function(function: ast.FunctionDef | ast.AsyncFunctionDef, path: str) -> Iterator[Site]:
    own = list(_own_nodes(function))
    closed = {
        node.func.value.id
        for node in own
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "close"
        and isinstance(node.func.value, ast.Name)
    }
    for node in own:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as call) if name in closed:
                if _MAKER.search(ast.unparse(call.func)):
                    yield Site(path, call.lineno, function.name, ast.unparse(node))


def _own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    stack = list(ast.iter_child_nodes(function))
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            stack.extend(ast.iter_child_nodes(node))


def findings(root: Path) -> dict[tuple[str, int], tuple[str, str]]:
    """What alchemod says of the sessions of a project: safety and missing fact by place."""
    command = [sys.executable, "-m", "alchemod", "check", "--select", RULES, "--target", "1.4", "--format", "json"]
    answer = subprocess.run([*command, str(root)], capture_output=True, check=False)
    found = json.loads(answer.stdout)["findings"]
    return {(one["path"], one["line"]): (one["safety"], one["missing"] or one["message"]) for one in found}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folders", nargs="*", type=Path)
    counted = answered = 0
    for root in parser.parse_args().folders or projects():
        said = findings(root)
        for site in sites(root):
            place = f"{root.name}/{site.path}:{site.function}:{site.line}"
            if reason := next((why for pattern, why in LOOK_ALIKES.items() if fnmatch(place, pattern)), None):
                print(f"struck out  {place}: {site.code}: {reason}")
                continue
            counted += 1
            safety, why = said.get((site.path, site.line), ("silent", ""))
            answered += safety != "silent"
            print(f"{safety:10}  {place}: {site.code}{': ' + why if why else ''}")
    if counted:
        print(f"{answered} of {counted} fixed or reported: {answered / counted:.0%}")


if __name__ == "__main__":
    main()
