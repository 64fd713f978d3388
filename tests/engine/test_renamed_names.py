"""A table of renamed names: imports and their uses, attributes of modules, names that have to stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from alchemod.engine.renamed_names import Renamed, RenamedNames, last_names
from engine.toys import settle, texts, write

TABLE = (
    Renamed("sqlalchemy.orm.relation", "sqlalchemy.orm.relationship"),
    Renamed("sqlalchemy.ext.declarative.declarative_base", "sqlalchemy.orm.declarative_base"),
    Renamed("sqlalchemy.orm.mapper", instead="use registry.map_imperatively()"),
    Renamed("sqlalchemy.dialects.old", instead="use another one", is_module=True),
    Renamed("sqlalchemy.exceptions", "sqlalchemy.exc", is_module=True),
    Renamed("sqlalchemy.orm.collections.old", "sqlalchemy.orm.new", since="2.1"),
)


class Names(RenamedNames):
    """Names of a table."""

    code = "MIG901"
    names = last_names(TABLE)
    table = TABLE


def renamed(root: Path, code: str, target: str = "2.0", **others: str) -> str:
    """The code of `a.py` with the names of the table renamed."""
    write(root, {"a.py": code, "pyproject.toml": "", **{f"{name}.py": text for name, text in others.items()}})
    result = settle(root, Names, target=target)
    assert not result.failures
    return texts(result).get("a.py", code)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "from sqlalchemy.orm import relation\nx = relation('B')\n",
            "from sqlalchemy.orm import relationship\nx = relationship('B')\n",
        ),
        (
            "from sqlalchemy.orm import Session, relation\ndef f():\n    return relation\n",
            "from sqlalchemy.orm import Session, relationship\ndef f():\n    return relationship\n",
        ),
        # the new name is there already
        (
            "from sqlalchemy.orm import relation, relationship\nx = relation, relationship\n",
            "from sqlalchemy.orm import relationship\nx = relationship, relationship\n",
        ),
        # an alias stays
        (
            "from sqlalchemy.orm import relation as rel\nx = rel('B')\n",
            "from sqlalchemy.orm import relationship as rel\nx = rel('B')\n",
        ),
        # the new name means something else, here or where it is used
        (
            "from sqlalchemy.orm import relation\nrelationship = 1\nx = relation\n",
            "from sqlalchemy.orm import relationship as relation\nrelationship = 1\nx = relation\n",
        ),
        (
            "from sqlalchemy.orm import relation\ndef f(relationship):\n    return relation\n",
            "from sqlalchemy.orm import relationship as relation\ndef f(relationship):\n    return relation\n",
        ),
        # a variable of the old name is another one
        (
            "from sqlalchemy.orm import relation\nx = relation\ndef f(relation):\n    return relation\n",
            "from sqlalchemy.orm import relationship\nx = relationship\ndef f(relation):\n    return relation\n",
        ),
        # strings and type comments speak of it, a docstring does not count
        (
            "from sqlalchemy.orm import relation\ny: 'relation' = relation\n",
            "from sqlalchemy.orm import relationship as relation\ny: 'relation' = relation\n",
        ),
        (
            "from sqlalchemy.orm import relation\ny = relation  # type: relation\n",
            "from sqlalchemy.orm import relationship as relation\ny = relation  # type: relation\n",
        ),
        (
            "'''One relation.'''\nfrom sqlalchemy.orm import relation\ny = relation\n",
            "'''One relation.'''\nfrom sqlalchemy.orm import relationship\ny = relationship\n",
        ),
        (
            "from sqlalchemy.orm import relation\n__all__ = ['relation']\n",
            "from sqlalchemy.orm import relationship as relation\n__all__ = ['relation']\n",
        ),
        # other modules
        (
            "from sqlalchemy.ext.declarative import declarative_base, D\nfrom sqlalchemy.orm import Z\n",
            "from sqlalchemy.ext.declarative import D\nfrom sqlalchemy.orm import Z, declarative_base\n",
        ),
        (
            "import sqlalchemy.ext.declarative as d\nfrom sqlalchemy import orm\nx = d.declarative_base()\n",
            "from sqlalchemy import orm\nx = orm.declarative_base()\n",
        ),
        ("import sqlalchemy as sa\nx = sa.orm.relation\n", "import sqlalchemy as sa\nx = sa.orm.relationship\n"),
        (
            "import sqlalchemy.exceptions\nx = sqlalchemy.exceptions.Y, sqlalchemy.exc\n",
            "import sqlalchemy.exc\nx = sqlalchemy.exc.Y, sqlalchemy.exc\n",
        ),
        ("import sqlalchemy.exceptions as e\nx = e.Y\n", "import sqlalchemy.exc as e\nx = e.Y\n"),
        ("from sqlalchemy import exceptions\nx = exceptions.Y\n", "from sqlalchemy import exc\nx = exc.Y\n"),
        # below the top level imports stay where they are
        (
            "def f():\n    from sqlalchemy.ext.declarative import declarative_base\n    return declarative_base\n",
            "def f():\n    from sqlalchemy.orm import declarative_base\n    return declarative_base\n",
        ),
        (
            "if x:\n    from sqlalchemy.orm import (relation, Session)\n    y = relation\n",
            "if x:\n    from sqlalchemy.orm import Session, relationship\n    y = relationship\n",
        ),
        (
            "from sqlalchemy.ext.declarative import declarative_base  # why\n",
            "from sqlalchemy.orm import declarative_base  # why\n",
        ),
    ],
)
def test_import_and_uses(tmp_path: Path, before: str, after: str) -> None:
    assert renamed(tmp_path, before) == after


@pytest.mark.parametrize(
    "code",
    [
        "from shop.orm import relation\nfrom sqlalchemy import Column\nx = relation\n",
        "import sqlalchemy\ndef f(relation):\n    return relation.relation\n",
        "from sqlalchemy.orm import mapper\nx = mapper\n",
        "from sqlalchemy.orm import *\nx = relation\n",
        "from sqlalchemy.orm.collections import old\n",
        "try:\n    from sqlalchemy.orm import relation\nexcept ImportError:\n    relation = None\nx = relation\n",
        "from sqlalchemy.orm import (\n    relation,  # why\n    Session,\n)\n",
        "import sqlalchemy\nsqlalchemy.orm.relation = 1\n",
        "import sqlalchemy.dialects.old as old\nfrom sqlalchemy.dialects.old import base\nx = old, base\n",
    ],
)
def test_left_alone(tmp_path: Path, code: str) -> None:
    assert renamed(tmp_path, code) == code


@pytest.mark.parametrize(
    "other",
    [
        "from a import relation\n",
        "from a import *\n",
        "import a\nx = a.relation\n",
        "import a as b\nx = b.relation\n",
        "def f():\n    from a import relation\n",
        "x = mock.patch('a.relation')\n",
    ],
)
def test_names_that_others_take_stay(tmp_path: Path, other: str) -> None:
    code = "from sqlalchemy.orm import relation\nx = relation\n"
    assert renamed(tmp_path, code, b=other) == "from sqlalchemy.orm import relationship as relation\nx = relation\n"


def test_rows_wait_for_their_version(tmp_path: Path) -> None:
    code = "from sqlalchemy.orm.collections import old\nx = old\n"
    assert renamed(tmp_path, code, target="2.1") == "from sqlalchemy.orm import new\nx = new\n"


def test_what_is_gone_is_reported(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "from sqlalchemy.orm import mapper, relation\n", "pyproject.toml": ""})
    told = [(finding.safety, finding.message) for finding in settle(tmp_path, Names).findings]
    assert told == [
        ("report", "sqlalchemy.orm.mapper is gone in SQLAlchemy 2.0: use registry.map_imperatively()"),
        ("safe", "sqlalchemy.orm.relation is an old name of sqlalchemy.orm.relationship"),
    ]
