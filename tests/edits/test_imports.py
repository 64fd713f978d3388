"""Imports added to the lists that are there or on new lines, and removed when nothing refers to them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from alchemod.edits.imports import ImportRequest, apply_imports
from alchemod.edits.refusal import Refusal
from alchemod.text.source import decode, parse

LOAD = ImportRequest("sqlalchemy.orm", "selectinload")
TRUE = ImportRequest("sqlalchemy", "true")
TEXT = ImportRequest("sqlalchemy", "text", "sa_text")


def imported(code: str, *requests: ImportRequest, removable: tuple[str, ...] = (), name: str = "shop.py") -> str:
    """The code with the imports; asking again changes nothing."""
    source = decode(code.encode(), Path(name))
    result = apply_imports(source, parse(source), requests, removable)
    again = apply_imports(result, parse(result), requests, removable)
    assert again.data == result.data
    ast.parse(result.data)
    return result.data.decode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from sqlalchemy.orm import joinedload", "from sqlalchemy.orm import joinedload, selectinload"),
        (
            "from sqlalchemy.orm import Session, subqueryload",
            "from sqlalchemy.orm import Session, selectinload, subqueryload",
        ),
        ("from sqlalchemy.orm import subqueryload", "from sqlalchemy.orm import selectinload, subqueryload"),
        ("from sqlalchemy.orm import z, a", "from sqlalchemy.orm import z, a, selectinload"),
        ("from sqlalchemy.orm import a  # noqa", "from sqlalchemy.orm import a, selectinload  # noqa"),
        ("from sqlalchemy.orm import (a, z)", "from sqlalchemy.orm import (a, selectinload, z)"),
        ("from sqlalchemy.orm import (a,)", "from sqlalchemy.orm import (a, selectinload,)"),
        ("from sqlalchemy.orm import a, \\\n    z", "from sqlalchemy.orm import a, \\\n    selectinload, z"),
        (
            "from sqlalchemy.orm import (\n    a,\n    z,\n)",
            "from sqlalchemy.orm import (\n    a,\n    selectinload,\n    z,\n)",
        ),
        (
            "from sqlalchemy.orm import (\n    a,\n    b,\n)",
            "from sqlalchemy.orm import (\n    a,\n    b,\n    selectinload,\n)",
        ),
        (
            "from sqlalchemy.orm import (\n    a,\n    b  # why\n)",
            "from sqlalchemy.orm import (\n    a,\n    b,\n    selectinload  # why\n)",
        ),
        (
            "from sqlalchemy.orm import (\n    a,  # a\n    # about z\n    z,\n)",
            "from sqlalchemy.orm import (\n    a,  # a\n    selectinload,\n    # about z\n    z,\n)",
        ),
        ("from sqlalchemy.orm import (\n    z,\n)", "from sqlalchemy.orm import (\n    selectinload,\n    z,\n)"),
        (
            "from sqlalchemy.orm import (\n    a, b,\n    z)",
            "from sqlalchemy.orm import (\n    a, b,\n    selectinload, z)",
        ),
        ("from sqlalchemy.orm import *", "from sqlalchemy.orm import *\nfrom sqlalchemy.orm import selectinload"),
        ("import sqlalchemy as sa", "import sqlalchemy as sa\nfrom sqlalchemy.orm import selectinload"),
        (
            "from sqlalchemy import a\nimport z",
            "from sqlalchemy import a\nfrom sqlalchemy.orm import selectinload\nimport z",
        ),
        ("from sqlalchemy.sql import a", "from sqlalchemy.orm import selectinload\nfrom sqlalchemy.sql import a"),
        ("import os", "import os\n\nfrom sqlalchemy.orm import selectinload"),
        (
            "import os\n\nimport flask\nimport zope",
            "import os\n\nimport flask\nfrom sqlalchemy.orm import selectinload\nimport zope",
        ),
        (
            "import os\n\nimport flask\n\nfrom shop import a",
            "import os\n\nimport flask\nfrom sqlalchemy.orm import selectinload\n\nfrom shop import a",
        ),
        ("import os\nfrom . import a", "import os\n\nfrom sqlalchemy.orm import selectinload\n\nfrom . import a"),
        (
            "from __future__ import annotations",
            "from __future__ import annotations\n\nfrom sqlalchemy.orm import selectinload",
        ),
        ('"""Doc."""', '"""Doc."""\n\nfrom sqlalchemy.orm import selectinload'),
        (
            "import a\ntry:\n    import b\nexcept ImportError:\n    b = None",
            "import a\nfrom sqlalchemy.orm import selectinload\ntry:\n    import b\nexcept ImportError:\n    b = None",
        ),
        (
            "import a\nif TYPE_CHECKING:\n    from sqlalchemy.orm import b",
            "import a\nfrom sqlalchemy.orm import selectinload\nif TYPE_CHECKING:\n    from sqlalchemy.orm import b",
        ),
        (
            "import a\ndef f():\n    from sqlalchemy.orm import b\nfrom sqlalchemy.orm import c",
            "import a\nfrom sqlalchemy.orm import selectinload\n"
            "def f():\n    from sqlalchemy.orm import b\nfrom sqlalchemy.orm import c",
        ),
    ],
)
def test_added(before: str, after: str) -> None:
    rest = "\n\nx = 1\n"
    assert imported(before + rest, LOAD) == after + rest
    crlf = (before + rest).replace("\n", "\r\n")
    assert imported(crlf, LOAD) == (after + rest).replace("\n", "\r\n")


def test_added_above_the_code_that_needs_it() -> None:
    code = "import a\n\nx = selectinload(a)\n\nimport b\nfrom sqlalchemy.orm import Session\n"
    assert imported(code, LOAD) == code.replace("import a\n", "import a\nfrom sqlalchemy.orm import selectinload\n", 1)
    late = "import a\n\n\ndef f():\n    return selectinload(a)\n"
    assert imported(late, LOAD).startswith("import a\nfrom sqlalchemy.orm import selectinload\n")


def test_head_of_the_file_stays_on_top() -> None:
    code = "#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n\nx = 1\n"
    assert imported(code, TRUE, LOAD) == (
        "#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n\n"
        "from sqlalchemy import true\nfrom sqlalchemy.orm import selectinload\n\nx = 1\n"
    )
    assert imported("", TRUE) == "from sqlalchemy import true\n"


def test_file_without_a_newline_at_its_end() -> None:
    assert imported("import os", TRUE) == "import os\n\nfrom sqlalchemy import true"


def test_long_list_gets_a_line_per_name() -> None:
    code = "from sqlalchemy import Boolean, Column, DateTime, ForeignKey, Integer, String, Text, func\n"
    assert imported(code, TRUE, TEXT) == (
        "from sqlalchemy import (\n    Boolean,\n    Column,\n    DateTime,\n    ForeignKey,\n    Integer,\n"
        "    String,\n    Text,\n    func,\n    text as sa_text,\n    true,\n)\n"
    )


ONE_EACH = """\
import os
from sqlalchemy import Column
from sqlalchemy import func  # noqa
from sqlalchemy.orm import backref
"""


def test_one_statement_per_name() -> None:
    inserted = (
        "from sqlalchemy import true\nfrom sqlalchemy.orm import backref\nfrom sqlalchemy.orm import selectinload\n"
    )
    assert imported(ONE_EACH, LOAD, TRUE) == ONE_EACH.replace("from sqlalchemy.orm import backref\n", inserted)
    new = [ImportRequest("sqlalchemy.sql", "and_"), ImportRequest("sqlalchemy.sql", "or_")]
    lines = "from sqlalchemy.sql import and_\nfrom sqlalchemy.sql import or_\n"
    assert imported(ONE_EACH, *new) == ONE_EACH + lines
    assert "import Boolean\nfrom sqlalchemy import Column" in imported(ONE_EACH, ImportRequest("sqlalchemy", "Boolean"))


def test_fulfilled_request_changes_nothing() -> None:
    code = "from sqlalchemy import text as sa_text, true\n"
    assert imported(code, TRUE, TEXT) == code


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import a\nimport b\n", "import b\n"),
        ("from x import a, b\n", "from x import b\n"),
        ("from x import b, a\n", "from x import b\n"),
        ("from x import b, a, c\n", "from x import b, c\n"),
        ("from x import (\n    a,\n    b,\n)\n", "from x import (\n    b,\n)\n"),
        ("from x import y as a\nz = 1\n", "z = 1\n"),
        ("from x import a  # noqa\n", None),
        ("from x import a  # why\n", None),
        ("from x import (\n    a,  # why\n    b,\n)\n", None),
        ("from x import a; y = 1\n", None),
        ("from x import a\ny = a\n", None),
        ("from x import a\n__all__ = ['a']\n", None),
        ("from x import a\ny: 'list[a]' = 1\n", None),
        ("from x import a\ny = []  # type: list[a]\n", None),
        ("try:\n    from x import a\nexcept ImportError: pass\n", None),
        ("from x import a\ny.a = 1\nf(a=1)\n", "y.a = 1\nf(a=1)\n"),
    ],
)
def test_removed_when_nothing_refers_to_it(before: str, after: str | None) -> None:
    assert imported(before, removable=("a",)) == (before if after is None else after)


def test_package_init_exports_its_imports() -> None:
    assert imported("from x import a\n", removable=("a",), name="__init__.py") == "from x import a\n"


def test_added_to_a_list_and_removed_from_it() -> None:
    code = "from sqlalchemy.orm import joinedload, subqueryload\nx = subqueryload, selectinload\n"
    assert imported("x\n" + code, removable=("joinedload",)) == (
        "x\nfrom sqlalchemy.orm import subqueryload\nx = subqueryload, selectinload\n"
    )
    assert imported(code, LOAD, removable=("joinedload",)) == (
        "from sqlalchemy.orm import selectinload, subqueryload\nx = subqueryload, selectinload\n"
    )
    only = "from sqlalchemy.orm import joinedload\nx = selectinload\n"
    assert (
        imported(only, LOAD, removable=("joinedload",)) == "from sqlalchemy.orm import selectinload\nx = selectinload\n"
    )


def moved(code: str, old: ImportRequest, new: ImportRequest) -> str:
    source = decode(code.encode(), Path("shop.py"))
    return apply_imports(source, parse(source), [new], moved=[old]).data.decode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from x import a\n", "from y import b\n"),
        ("from x import a, c\nfrom y import d\n", "from x import c\nfrom y import b, d\n"),
        ("from x import (\n    a,\n    c,\n)\n", "from x import (\n    c,\n)\nfrom y import b\n"),
        ("from x import a\nfrom y import b\n", "from y import b\n"),
    ],
)
def test_imports_that_give_way(before: str, after: str) -> None:
    assert moved(before, ImportRequest("x", "a"), ImportRequest("y", "b")) == after


def test_import_next_to_a_comment_does_not_give_way() -> None:
    with pytest.raises(Refusal):
        moved("from x import (\n    a,  # why\n    c,\n)\n", ImportRequest("x", "a"), ImportRequest("y", "b"))
