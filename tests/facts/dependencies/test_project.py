"""The range of SQLAlchemy from dependency files as projects write them."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from alchemod.facts.dependencies import Dependencies, package_range, sqlalchemy_range


def write(root: Path, path: str, text: str) -> Path:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(dedent(text))
    return root


def test_no_file_means_two_point_zero(tmp_path: Path) -> None:
    found = sqlalchemy_range(tmp_path)
    assert (found.steps, found.assumed) == (("2.0",), True)
    assert found.source == "no dependency file names SQLAlchemy, so 2.0 is assumed"


def test_a_folder_that_does_not_exist_is_no_error(tmp_path: Path) -> None:
    assert sqlalchemy_range(tmp_path / "gone").assumed


def test_files_that_do_not_name_sqlalchemy_itself(tmp_path: Path) -> None:
    write(tmp_path, "requirements.txt", "sqlalchemy-utils>=0.37\nsqlalchemy_jsonfield==0.8\n# sqlalchemy==1.3\n")
    assert sqlalchemy_range(tmp_path).assumed


@pytest.mark.parametrize(
    ("requirement", "steps", "source"),
    [
        ("SQLAlchemy", ("1.4", "2.0", "2.1"), "requirements.txt:2 names no lowest version, so 1.4 is taken"),
        ("sqlalchemy<2", ("1.4",), "requirements.txt:2 names no lowest version, so 1.4 is taken"),
        ("sqlalchemy<1.4", ("1.3",), "requirements.txt:2 names no lowest version, so 1.3 is taken"),
        ("SQLAlchemy==1.3.24", ("1.3",), "requirements.txt:2 pins 1.3.24"),
        ("SQLAlchemy[asyncio]>=2  # why", ("2.0", "2.1"), "requirements.txt:2 allows 2.0"),
        (
            'sqlalchemy >= 1.4.24 ; python_version > "3.6"',
            ("1.4", "2.0", "2.1"),
            "requirements.txt:2 allows 1.4.24",
        ),
        ("sqlalchemy==2.0.1 --hash=sha256:abc", ("2.0",), "requirements.txt:2 pins 2.0.1"),
        (
            "git+https://github.com/sqlalchemy/sqlalchemy@main#egg=SQLAlchemy",
            ("1.4", "2.0", "2.1"),
            "requirements.txt:2 names no lowest version, so 1.4 is taken",
        ),
        (
            "sqlalchemy @ https://example.org/sqlalchemy.whl",
            ("1.4", "2.0", "2.1"),
            "requirements.txt:2 names no lowest version, so 1.4 is taken",
        ),
    ],
)
def test_requirement_lines(tmp_path: Path, requirement: str, steps: tuple[str, ...], source: str) -> None:
    write(tmp_path, "requirements.txt", f"flask\n{requirement}\n")
    found = sqlalchemy_range(tmp_path)
    assert (found.steps, found.source, found.assumed) == (steps, source, False)


def test_continued_line_keeps_the_number_of_its_first_line(tmp_path: Path) -> None:
    write(
        tmp_path,
        "requirements.txt",
        "flask==2 \\\n    --hash=sha256:1\nsqlalchemy==1.4.46 \\\n    --hash=sha256:2\n",
    )
    assert sqlalchemy_range(tmp_path).source == "requirements.txt:3 pins 1.4.46"


def test_windows_newlines_and_utf_16(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_bytes("Flask==2.0\r\nSQLAlchemy==1.4.41\r\n".encode("utf-16"))
    assert sqlalchemy_range(tmp_path).source == "requirements.txt:2 pins 1.4.41"


def test_markers_stand_for_different_environments(tmp_path: Path) -> None:
    write(
        tmp_path,
        "requirements.txt",
        """\
        sqlalchemy>=1.3,<1.4; python_version < "3.7"
        sqlalchemy>=1.4.5,<2; python_version >= "3.7"
        """,
    )
    found = sqlalchemy_range(tmp_path)
    assert (found.steps, found.exact_lowest) == (("1.3", "1.4"), (1, 3))


def test_includes_constraints_and_a_loop(tmp_path: Path) -> None:
    write(tmp_path, "requirements.txt", "-r deps/base.txt\n-c deps/constraints.txt\n")
    write(
        tmp_path,
        "deps/base.txt",
        "-r ../requirements.txt\nSQLAlchemy>=1.3\n--index-url https://example.org\n",
    )
    write(tmp_path, "deps/constraints.txt", "sqlalchemy<2\nnever-installed==1\n")
    dependencies = Dependencies(tmp_path)
    assert dependencies.sqlalchemy.steps == ("1.3", "1.4")
    assert dependencies.sqlalchemy.source == "deps/base.txt:2 allows 1.3"
    assert dependencies.package("never-installed") is None
    assert dependencies.problems == []


def test_a_missing_include_is_a_problem_not_an_error(tmp_path: Path) -> None:
    write(tmp_path, "requirements.txt", "-r gone.txt\nsqlalchemy>=2\n")
    dependencies = Dependencies(tmp_path)
    assert dependencies.sqlalchemy.lowest == "2.0"
    assert [(problem.path.name, problem.kind) for problem in dependencies.problems] == [("gone.txt", "read")]


def test_development_and_extra_files_do_not_narrow(tmp_path: Path) -> None:
    write(tmp_path, "requirements/base.txt", "sqlalchemy>=1.4,<3\n")
    write(tmp_path, "requirements/dev.txt", "sqlalchemy==2.0.30\n")
    write(tmp_path, "requirements/tests.txt", "-r base.txt\nsqlalchemy==2.0.30\n")
    write(tmp_path, "requirements-mysql.txt", "sqlalchemy==1.4.1\n")
    assert sqlalchemy_range(tmp_path).steps == ("1.4", "2.0", "2.1")


def test_development_files_count_where_nothing_else_names_it(tmp_path: Path) -> None:
    write(tmp_path, "setup.py", "from setuptools import setup\nsetup(install_requires=['attrs'])\n")
    write(tmp_path, "requirements-dev.txt", "sqlalchemy>=1.4,<2\n")
    write(tmp_path, "test-requirements.txt", "sqlalchemy>=1.3,<1.4\n")
    assert sqlalchemy_range(tmp_path).steps == ("1.3", "1.4")


def test_main_files_are_intersected(tmp_path: Path) -> None:
    write(tmp_path, "setup.py", "from setuptools import setup\nsetup(install_requires=['sqlalchemy>=1.3'])\n")
    write(tmp_path, "requirements.txt", "sqlalchemy==1.4.49\n")
    found = sqlalchemy_range(tmp_path)
    assert (found.steps, found.source) == (("1.4",), "requirements.txt:1 pins 1.4.49")


def test_main_files_that_contradict_are_both_kept(tmp_path: Path) -> None:
    write(
        tmp_path,
        "setup.py",
        "from setuptools import setup\nsetup(install_requires=['sqlalchemy<1.4,>=1.3'])\n",
    )
    write(tmp_path, "requirements.txt", "sqlalchemy==2.0.4\n")
    dependencies = Dependencies(tmp_path)
    assert dependencies.sqlalchemy.steps == ("1.3", "2.0")
    (problem,) = dependencies.problems
    assert (problem.path.name, problem.line, problem.kind) == ("requirements.txt", 1, "config")
    assert "no version fits both" in problem.message


def test_pyproject_standard_table(tmp_path: Path) -> None:
    write(
        tmp_path,
        "pyproject.toml",
        """\
        [build-system]
        requires = ["setuptools", "sqlalchemy==1.0"]

        [project]
        name = "shop"
        dependencies = [
            "fastapi",
            "SQLAlchemy[asyncio]>=1.4.24,<2.1",
        ]

        [project.optional-dependencies]
        postgres = ["sqlalchemy==2.0.1"]
        """,
    )
    found = sqlalchemy_range(tmp_path)
    assert (found.steps, found.source) == (("1.4", "2.0"), "pyproject.toml:8 allows 1.4.24")


def test_extras_count_where_the_project_itself_does_not_name_it(tmp_path: Path) -> None:
    write(
        tmp_path,
        "pyproject.toml",
        """\
        [project]
        dependencies = ["click"]
        [project.optional-dependencies]
        sql = ["sqlalchemy>=1.4,<2"]
        test = ["sqlalchemy>=1.3"]
        [dependency-groups]
        dev = [{ include-group = "test" }, "sqlalchemy==1.3.1"]
        """,
    )
    assert sqlalchemy_range(tmp_path).steps == ("1.4",)


@pytest.mark.parametrize(
    ("value", "steps"),
    [
        ('"^1.4"', ("1.4",)),
        ('"~1.4.20"', ("1.4",)),
        ('"*"', ("1.4", "2.0", "2.1")),
        ('"1.3.24"', ("1.3",)),
        ('{ version = ">=1.3,<2.0", extras = ["asyncio"] }', ("1.3", "1.4")),
        ('{ git = "https://example.org/x.git" }', ("1.4", "2.0", "2.1")),
        (
            '[{ version = "^1.4", python = "<3.8" }, { version = "^2.0", python = ">=3.8" }]',
            ("1.4", "2.0", "2.1"),
        ),
    ],
)
def test_poetry(tmp_path: Path, value: str, steps: tuple[str, ...]) -> None:
    text = f'[tool.poetry.dependencies]\npython = "^3.8"\nSQLAlchemy = {value}\n'
    text += '[tool.poetry.group.dev.dependencies]\nsqlalchemy = "1.3.0"\n'
    write(tmp_path, "pyproject.toml", text)
    found = sqlalchemy_range(tmp_path)
    assert found.steps == steps
    assert found.source.startswith("pyproject.toml:3 ")


def test_dynamic_dependencies_are_followed(tmp_path: Path) -> None:
    write(tmp_path, "pyproject.toml", '[tool.setuptools.dynamic]\ndependencies = { file = ["deps/run.txt"] }\n')
    write(tmp_path, "deps/run.txt", "sqlalchemy~=1.4\n")
    assert sqlalchemy_range(tmp_path).source == "deps/run.txt:1 allows 1.4"


def test_setup_cfg(tmp_path: Path) -> None:
    write(
        tmp_path,
        "setup.cfg",
        """\
        [metadata]
        name = x
        [options]
        install_requires =
            click
            SQLAlchemy >=1.3, <2
        [options.extras_require]
        test =
            sqlalchemy==1.4.1
        """,
    )
    found = sqlalchemy_range(tmp_path)
    assert (found.steps, found.source) == (("1.3", "1.4"), "setup.cfg:6 allows 1.3")


def test_pipfile_and_its_lock(tmp_path: Path) -> None:
    write(tmp_path, "Pipfile", '[packages]\nsqlalchemy = ">=1.3"\n[dev-packages]\npytest = "*"\n')
    assert sqlalchemy_range(tmp_path).source == "Pipfile:2 allows 1.3"
    write(
        tmp_path,
        "Pipfile.lock",
        '{\n "default": {\n  "sqlalchemy": {\n   "version": "==1.3.24"\n  }\n }\n}\n',
    )
    assert sqlalchemy_range(tmp_path).source == "Pipfile.lock:3 pins 1.3.24"


def test_conda_environment(tmp_path: Path) -> None:
    write(
        tmp_path,
        "environment.yml",
        """\
        name: lab
        channels:
          - sqlalchemy-is-no-dependency-here
        dependencies:
          - python=3.9
          - conda-forge::sqlalchemy=1.4   # pinned
          - pip:
            - flask-sqlalchemy==2.5.1
        """,
    )
    found = sqlalchemy_range(tmp_path)
    assert (found.steps, found.source) == (("1.4",), "environment.yml:6 allows 1.4")
    flask = package_range(tmp_path, "Flask_SQLAlchemy")
    assert flask is not None
    assert flask.exact_lowest == (2, 5, 1)


LOCK = """\
[[package]]
name = "alembic"
version = "1.9.0"

[[package]]
name = "sqlalchemy"
version = "1.4.46"
description = "Database Abstraction Library"

[package.dependencies]
greenlet = "1"
"""


@pytest.mark.parametrize("lock", ["poetry.lock", "pdm.lock", "uv.lock"])
def test_lock_files_narrow(tmp_path: Path, lock: str) -> None:
    write(tmp_path, "pyproject.toml", '[project]\ndependencies = ["sqlalchemy>=1.3"]\n')
    write(tmp_path, lock, LOCK)
    found = sqlalchemy_range(tmp_path)
    assert (found.steps, found.exact_lowest, found.source) == (("1.4",), (1, 4, 46), f"{lock}:6 pins 1.4.46")


def test_a_lock_in_two_versions_allows_both(tmp_path: Path) -> None:
    write(tmp_path, "pyproject.toml", '[project]\ndependencies = ["sqlalchemy>=1.3"]\n')
    write(tmp_path, "uv.lock", LOCK + '\n[[package]]\nname = "sqlalchemy"\nversion = "2.0.40"\n')
    assert sqlalchemy_range(tmp_path).steps == ("1.4", "2.0")


def test_a_stale_lock_is_ignored_with_a_problem(tmp_path: Path) -> None:
    write(tmp_path, "pyproject.toml", '[project]\ndependencies = ["sqlalchemy>=2"]\n')
    write(tmp_path, "poetry.lock", LOCK)
    dependencies = Dependencies(tmp_path)
    assert dependencies.sqlalchemy.steps == ("2.0", "2.1")
    assert [problem.path.name for problem in dependencies.problems] == ["poetry.lock"]
    assert dependencies.package("sqlalchemy") is not None
    assert len(dependencies.problems) == 1


def test_a_lock_alone_says_what_is_installed(tmp_path: Path) -> None:
    write(tmp_path, "pyproject.toml", '[project]\ndependencies = ["flask-sqlalchemy"]\n')
    write(tmp_path, "poetry.lock", LOCK)
    assert sqlalchemy_range(tmp_path).source == "poetry.lock:6 pins 1.4.46"


def test_metadata_of_a_source_distribution_comes_last(tmp_path: Path) -> None:
    write(tmp_path, "setup.py", "from setuptools import setup\nsetup(**computed())\n")
    write(tmp_path, "shop.egg-info/requires.txt", "click\nsqlalchemy>=1.3,<2\n\n[test]\nsqlalchemy==1.4.1\n")
    found = sqlalchemy_range(tmp_path)
    assert (found.steps, found.source) == (("1.3", "1.4"), "shop.egg-info/requires.txt:2 allows 1.3")
    write(tmp_path, "requirements.txt", "sqlalchemy>=1.4\n")
    assert sqlalchemy_range(tmp_path).source == "requirements.txt:1 allows 1.4"


def test_package_information(tmp_path: Path) -> None:
    write(tmp_path, "PKG-INFO", "Metadata-Version: 2.1\nRequires-Dist: SQLAlchemy (<2.0,>=1.4)\n\nlong text\n")
    assert sqlalchemy_range(tmp_path).source == "PKG-INFO:2 allows 1.4"


@pytest.mark.parametrize(
    ("requirement", "steps"),
    [
        ("flask-sqlalchemy", ("1.4", "2.0", "2.1")),
        ("Flask-SQLAlchemy==2.5.1", ("1.3", "1.4")),
        ("Flask_SQLAlchemy>=3.1", ("2.0", "2.1")),
        ("Flask-SQLAlchemy>=2.4", ("1.3", "1.4", "2.0", "2.1")),
        ("sqlmodel", ("2.0", "2.1")),
        ("sqlmodel==0.0.8", ("1.4",)),
    ],
)
def test_packages_that_imply_sqlalchemy(tmp_path: Path, requirement: str, steps: tuple[str, ...]) -> None:
    write(tmp_path, "requirements.txt", requirement)
    found = sqlalchemy_range(tmp_path)
    assert (found.steps, found.assumed) == (steps, False)
    assert "goes with SQLAlchemy" in found.source


def test_nested_projects_count_where_the_root_is_silent(tmp_path: Path) -> None:
    write(tmp_path, "README.md", "")
    write(tmp_path, "backend/requirements.txt", "sqlalchemy>=1.4,<2\n")
    write(tmp_path, "services/worker/pyproject.toml", '[project]\ndependencies = ["sqlalchemy>=1.3,<1.4"]\n')
    write(tmp_path, "docs/requirements.txt", "sqlalchemy==2.0.1\n")
    found = sqlalchemy_range(tmp_path)
    assert (found.steps, found.source) == (("1.3", "1.4"), "services/worker/pyproject.toml:2 allows 1.3")
    write(tmp_path, "requirements.txt", "sqlalchemy>=2\n")
    assert sqlalchemy_range(tmp_path).lowest == "2.0"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("pyproject.toml", "[project\n"),
        ("Pipfile", "= 1"),
        ("Pipfile.lock", "{"),
        ("setup.py", "print 'python 2'\n"),
        ("setup.cfg", "no section\n"),
    ],
)
def test_broken_files_are_problems(tmp_path: Path, path: str, text: str) -> None:
    write(tmp_path, path, text)
    write(tmp_path, "requirements.txt", "sqlalchemy>=1.4\n")
    dependencies = Dependencies(tmp_path)
    assert dependencies.sqlalchemy.source == "requirements.txt:1 allows 1.4"
    assert [(problem.path.name, problem.kind) for problem in dependencies.problems] == [(path, "syntax")]


def test_a_file_name_that_no_system_takes_is_ignored(tmp_path: Path) -> None:
    write(tmp_path, "pyproject.toml", '[tool.setuptools.dynamic]\ndependencies = { file = ["a\\u0000b.txt"] }\n')
    write(tmp_path, "requirements.txt", "-r a\0b.txt\nsqlalchemy>=2\n")
    assert sqlalchemy_range(tmp_path).lowest == "2.0"


def test_unreadable_specifier_is_a_problem(tmp_path: Path) -> None:
    write(tmp_path, "requirements.txt", "sqlalchemy {version}\n")
    dependencies = Dependencies(tmp_path)
    assert dependencies.sqlalchemy.lowest == "1.4"
    (problem,) = dependencies.problems
    assert (problem.line, problem.kind) == (1, "config")


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"\x00" * 50, b"[" * 10_000, b"sqlalchemy" * 20_000])
@pytest.mark.parametrize(
    "name", ["pyproject.toml", "setup.py", "setup.cfg", "requirements.txt", "Pipfile.lock", "uv.lock"]
)
def test_no_content_raises(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    assert sqlalchemy_range(tmp_path).assumed
