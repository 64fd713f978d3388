"""setup.py as real projects write it; nothing of it is ever executed."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from alchemod.facts.dependencies import Dependencies, Kind, sqlalchemy_range


def setup(root: Path, text: str) -> Path:
    (root / "setup.py").write_text(dedent(text))
    return root


@pytest.mark.parametrize(
    "script",
    [
        "setup(name='x', install_requires=['click', 'sqlalchemy>=1.3,<2'])",
        "REQUIRED = ('click', 'sqlalchemy>=1.3,<2')\nsetup(install_requires=list(REQUIRED))",
        "setup_args['install_requires'] = ['sqlalchemy>=1.3,<2']\nsetup(**setup_args)",
        "args = dict(install_requires=['sqlalchemy>=1.3,<2'])\nsetup(**args)",
        "args = {'install_requires': ['sqlalchemy>=1.3,<2']}\nsetup(**args)",
        "required = []\nrequired.append('sqlalchemy>=1.3,<2')\nsetup(install_requires=required)",
        "required = ['click']\nrequired += ['sqlalchemy>=1.3,<2']\nsetup(install_requires=required)",
        "base = ['sqlalchemy>=1.3,<2']\nsetup(install_requires=['click'] + base)",
        "setup(install_requires=[*BASE])\nBASE: list[str] = ['sqlalchemy>=1.3,<2']",
        "setup(install_requires=FULL if full else SLIM)\nFULL = SLIM + ['sqlalchemy>=1.3,<2']\nSLIM = []",
        "def read():\n    deps = ['sqlalchemy>=1.3,<2']\n    return deps\nsetup(install_requires=read())",
        "setup(install_requires='''\nclick\nsqlalchemy>=1.3,<2\n'''.split('\\n'))",
        "range = '>=1.3,<2'\nsetup(install_requires=['sqlalchemy ' + range])",
        "setup_args['install_requires'] = []\nsetup_args['install_requires'].append('sqlalchemy>=1.3,<2')",
    ],
)
def test_spellings(tmp_path: Path, script: str) -> None:
    found = sqlalchemy_range(setup(tmp_path, script))
    assert (found.steps, found.exact_lowest, found.assumed) == (("1.3", "1.4"), (1, 3), False)
    assert found.source.startswith("setup.py:")


@pytest.mark.parametrize(
    "script",
    [
        "setup(install_requires=[f'sqlalchemy=={VERSION}'])",
        "setup(install_requires=computed('sqlalchemy>=1.3'))",
        "setup(setup_requires=['sqlalchemy>=1.3'])",
        "setup(entry_points={'sqlalchemy.dialects': ['x = y']})",
        "a = b\nb = a\nsetup(install_requires=a)",
    ],
)
def test_what_literals_do_not_tell_is_left_out(tmp_path: Path, script: str) -> None:
    assert sqlalchemy_range(setup(tmp_path, script)).assumed


@pytest.mark.parametrize(
    "script",
    [
        "setup(install_requires=open('deps/run.txt').read().splitlines())",
        "with open(os.path.join('deps', 'run.txt')) as file:\n    lines = clean(file.readlines())\n"
        "setup(install_requires=lines)",
        "setup(install_requires=[str(row.req) for row in parse_requirements('deps/run.txt', session=False)])",
    ],
)
def test_files_that_the_script_reads_are_followed(tmp_path: Path, script: str) -> None:
    (tmp_path / "deps").mkdir()
    (tmp_path / "deps/run.txt").write_text("# for the run\nsqlalchemy>=1.4,<2\n")
    assert sqlalchemy_range(setup(tmp_path, script)).source == "deps/run.txt:2 allows 1.4"


def test_extras_by_name(tmp_path: Path) -> None:
    setup(
        tmp_path,
        """\
        EXTRAS = {"mysql": ["pymysql"], "docs": ["sphinx"]}
        EXTRAS["postgres"] = ["psycopg2"]
        setup(extras_require=EXTRAS, tests_require=["mock"])
        """,
    )
    rows = {row.name: (row.kind, row.line) for row in Dependencies(tmp_path).requirements}
    assert rows == {
        "pymysql": (Kind.EXTRA, 1),
        "sphinx": (Kind.DEVELOPMENT, 1),
        "psycopg2": (Kind.EXTRA, 2),
        "mock": (Kind.DEVELOPMENT, 3),
    }


def test_the_script_is_not_executed(tmp_path: Path) -> None:
    setup(tmp_path, "open('ran', 'w').close()\nsetup(install_requires=['sqlalchemy>=2'])\n")
    assert sqlalchemy_range(tmp_path).lowest == "2.0"
    assert not (tmp_path / "ran").exists()
