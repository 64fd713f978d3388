"""What counts as a revision file of Alembic."""

from __future__ import annotations

import ast
from pathlib import Path
from textwrap import dedent

import pytest

from alchemod.facts.revisions import ScriptLocations, declares_revision, may_declare_revision

REVISION = """\
    '''Add a column.'''
    {imports}
    import sqlalchemy as sa
    {assigned}
    def upgrade():
        op.add_column("users", sa.Column("age", sa.Integer()))
    """


def declares(imports: str, assigned: str) -> bool:
    return declares_revision(ast.parse(dedent(REVISION).format(imports=imports, assigned=assigned)))


@pytest.mark.parametrize(
    "imports",
    [
        "from alembic import op",
        "from alembic import context, op",
        "from alembic import op as operations",
        "import alembic.op",
        "import alembic",
        "import alembic.op as op",
        "from alembic.op import add_column",
        "try:\n    from alembic import op\nexcept ImportError:\n    op = None",
    ],
)
def test_imports_of_the_operations(imports: str) -> None:
    assert declares(imports, "revision = 'a1'\ndown_revision = None")


@pytest.mark.parametrize(
    "assigned",
    [
        "revision = 'a1'\ndown_revision = 'a0'",
        "revision: str = 'a1'\ndown_revision: str | None = None",
        "revision, down_revision = 'a1', 'a0'",
    ],
)
def test_assignments(assigned: str) -> None:
    assert declares("from alembic import op", assigned)


@pytest.mark.parametrize(
    ("imports", "assigned"),
    [
        ("from alembic import context", "revision = 'a1'\ndown_revision = None"),
        ("from elsewhere import op", "revision = 'a1'\ndown_revision = None"),
        ("from alembic import op", "revision = 'a1'"),
        ("from alembic import op", "class Row:\n    revision = down_revision = 1"),
    ],
)
def test_no_revision(imports: str, assigned: str) -> None:
    assert not declares(imports, assigned)


def test_the_cheap_test_comes_first() -> None:
    assert may_declare_revision(b"revision = 'a'\ndown_revision = None\n")
    assert not may_declare_revision(b"revision = 'a'\n")


def write(root: Path, path: str, text: str = "") -> Path:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)
    return root / path


@pytest.mark.parametrize(
    ("configuration", "text"),
    [
        ("alembic.ini", "[alembic]\nscript_location = db/schema\n"),
        ("alembic.ini", "[alembic]\nscript_location = %(here)s/db/schema\n"),
        ("alembic.ini", "[DEFAULT]\nscript_location = db/schema\n"),
        ("alembic.ini", "[alembic]\nscript_location = db:schema\n"),
        ("db/alembic.ini", "[alembic]\nscript_location = schema\n"),
        ("pyproject.toml", "[tool.alembic]\nscript_location = 'db/schema'\n"),
        ("pyproject.toml", "[tool.alembic]\nscript_location = '%(here)s/db/schema'\n"),
        ("db/schema/script.py.mako", ""),
    ],
)
def test_files_of_a_configured_environment(tmp_path: Path, configuration: str, text: str) -> None:
    environment = write(tmp_path, "db/schema/env.py")
    step = write(tmp_path, "db/schema/steps/2020/a1.py", "x = 1\n")
    model = write(tmp_path, "db/models.py")
    write(tmp_path, configuration, text)
    locations = ScriptLocations(tmp_path)
    assert [locations.covers(path) for path in (environment, step, model)] == [True, True, False]
    assert locations.is_revision(ast.parse("x = 1"), step)
    assert not locations.is_revision(ast.parse("x = 1"), model)


@pytest.mark.parametrize("separator", [" ", ",", "\n  "])
def test_version_locations(tmp_path: Path, separator: str) -> None:
    write(
        tmp_path, "alembic.ini", f"[alembic]\nscript_location = .\nversion_locations = one/v{separator}%(here)s/two\n"
    )
    first, second = write(tmp_path, "one/v/a.py"), write(tmp_path, "two/b.py")
    other = write(tmp_path, "one/a.py")
    locations = ScriptLocations(tmp_path)
    assert [locations.covers(path) for path in (first, second, other)] == [True, True, False]


def test_a_location_that_holds_the_application_counts_by_its_versions_only(tmp_path: Path) -> None:
    write(tmp_path, "alembic.ini", "[alembic]\nscript_location = app\n")
    model, step = write(tmp_path, "app/models.py"), write(tmp_path, "app/versions/a.py")
    locations = ScriptLocations(tmp_path)
    assert [locations.covers(path) for path in (model, step)] == [False, True]


@pytest.mark.parametrize("path", ["migrations/versions/a.py", "app/alembic/versions/a.py"])
def test_default_folders(tmp_path: Path, path: str) -> None:
    assert ScriptLocations(tmp_path).covers(tmp_path / path)


@pytest.mark.parametrize("path", ["app/migrations/0001_initial.py", "versions/a.py", "app/alembic.py"])
def test_other_folders(tmp_path: Path, path: str) -> None:
    assert not ScriptLocations(tmp_path).covers(tmp_path / path)


def test_an_environment_known_by_its_files(tmp_path: Path) -> None:
    environment, step = write(tmp_path, "store/env.py"), write(tmp_path, "store/versions/a.py")
    other = write(tmp_path, "other/env.py")
    locations = ScriptLocations(tmp_path)
    assert [locations.covers(path) for path in (environment, step, other)] == [True, True, False]


def test_broken_configuration_is_ignored(tmp_path: Path) -> None:
    write(tmp_path, "alembic.ini", "no section\n")
    write(tmp_path, "pyproject.toml", "[tool.alembic\n")
    assert not ScriptLocations(tmp_path).covers(tmp_path / "a.py")
