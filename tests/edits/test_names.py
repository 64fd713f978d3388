"""Qualified names are spelled as the file spells them, and never hide or get hidden."""

from __future__ import annotations

import pytest

from alchemod.edits.imports import ImportRequest
from alchemod.edits.verbs import swap
from edits.files import File, clean

LOAD = ImportRequest("sqlalchemy.orm", "selectinload")
LOAD_AS = ImportRequest("sqlalchemy.orm", "selectinload", "sa_selectinload")


def spelled(code: str, name: str = "sqlalchemy.orm.selectinload") -> tuple[str, tuple[ImportRequest, ...]]:
    """How a name is written in the place of `HERE`, and what must be imported for it."""
    file = File(clean(code))
    result = file.rewritten({1: [swap(file.expr("HERE"), f"at[{{{name}}}]")]})
    assert not result.refused
    return result.source.text.partition("at[")[2].partition("]")[0], result.imports


@pytest.mark.parametrize(
    ("imports", "spelling"),
    [
        ("from sqlalchemy.orm import selectinload", "selectinload"),
        ("from sqlalchemy.orm import joinedload, selectinload as sil", "sil"),
        ("from sqlalchemy import orm", "orm.selectinload"),
        ("from sqlalchemy import orm as o", "o.selectinload"),
        ("import sqlalchemy.orm", "sqlalchemy.orm.selectinload"),
        ("import sqlalchemy.orm as so", "so.selectinload"),
        ("import sqlalchemy as sa\nimport sqlalchemy.orm", "sa.orm.selectinload"),
        ("import sqlalchemy as sa\nx = sa.orm.Session", "sa.orm.selectinload"),
    ],
)
def test_through_an_import_that_is_there(imports: str, spelling: str) -> None:
    assert spelled(f"{imports}\n\n\ndef f():\n    return HERE\n") == (spelling, ())
    assert spelled(f"{imports}\n\nx = HERE\n") == (spelling, ())


def test_name_of_the_package_itself() -> None:
    assert spelled("import sqlalchemy as sa\nx = HERE\n", "sqlalchemy.true") == ("sa.true", ())
    assert spelled("import sqlalchemy\nx = HERE\n", "sqlalchemy.true") == ("sqlalchemy.true", ())


@pytest.mark.parametrize("module", ["sqlalchemy.sql", "sqlalchemy.sql.expression", "sqlalchemy.schema"])
def test_name_that_several_modules_give(module: str) -> None:
    code = f"from {module} import text\nx = HERE\n"
    assert spelled(code, "sqlalchemy.text") == ("text", ())
    inside = f"def f():\n    from {module} import text as t\n    return HERE\n"
    assert spelled(inside, "sqlalchemy.text") == ("t", ())


def test_other_thing_of_the_same_name() -> None:
    code = "from sqlalchemy.dialects.postgresql import insert\nx = HERE\n"
    assert spelled(code, "sqlalchemy.insert")[0] == "sa_insert"


def test_package_does_not_load_its_submodule() -> None:
    assert spelled("import sqlalchemy as sa\nx = HERE\n") == ("selectinload", (LOAD,))


@pytest.mark.parametrize(
    "imports",
    [
        "",
        "from sqlalchemy.orm import joinedload",
        "import sqlalchemy as sa\nfrom sqlalchemy.orm import joinedload",
        "from .orm import selectinload_",
        "try:\n    import sqlalchemy.orm as so\nexcept ImportError:\n    so = None",
        "if TYPE_CHECKING:\n    from sqlalchemy.orm import selectinload",
    ],
)
def test_import_is_asked_for(imports: str) -> None:
    assert spelled(f"{imports}\ndef f():\n    return HERE\n") == ("selectinload", (LOAD,))


@pytest.mark.parametrize(
    "code",
    [
        "def f(selectinload):\n    return HERE\n",
        "def f():\n    selectinload = 1\n    return HERE\n",
        "def f():\n    for selectinload in x: pass\n    return HERE\n",
        "def f():\n    with a as selectinload: pass\n    return HERE\n",
        "def f():\n    import selectinload\n    return HERE\n",
        "def f():\n    def selectinload(): pass\n    return HERE\n",
        "def f():\n    (selectinload := 1)\n    return HERE\n",
        "def f():\n    [selectinload := 1 for x in y]\n    return HERE\n",
        "def f():\n    try: pass\n    except E as selectinload: pass\n    return HERE\n",
        "def f():\n    match x:\n        case {**selectinload}: pass\n    return HERE\n",
        "def f(selectinload):\n    def g():\n        return HERE\n",
        "x = [HERE for selectinload in y]\n",
        "x = lambda selectinload: HERE\n",
        "class A:\n    selectinload = 1\n    x = HERE\n",
        "def selectinload(): pass\ndef f():\n    return HERE\n",
        "from other import selectinload\ndef f():\n    return HERE\n",
        "from .orm import selectinload\ndef f():\n    return HERE\n",
        "from other import *\ny = selectinload\ndef f():\n    return HERE\n",
        "def g():\n    global selectinload\n    selectinload = 1\ndef f():\n    return HERE\n",
        "from sqlalchemy.orm import selectinload\nselectinload = wrap(selectinload)\ndef f():\n    return HERE\n",
    ],
)
def test_taken_name_gets_an_alias(code: str) -> None:
    assert spelled(code) == ("sa_selectinload", (LOAD_AS,))


@pytest.mark.parametrize(
    "code",
    [
        "def g(selectinload): pass\ndef f():\n    return HERE\n",
        "class A:\n    selectinload = 1\n    def f(self):\n        return HERE\n",
        "x = a.selectinload\ny = b(selectinload=1)\nz = 'selectinload'\ndef f():\n    return HERE\n",
    ],
)
def test_same_word_elsewhere_does_not_matter(code: str) -> None:
    assert spelled(code) == ("selectinload", (LOAD,))


def test_builtin_is_not_hidden() -> None:
    assert spelled("def f():\n    return HERE\n", "sqlalchemy.any") == (
        "sa_any",
        (ImportRequest("sqlalchemy", "any", "sa_any"),),
    )


def test_hidden_import_is_spelled_another_way() -> None:
    code = "import sqlalchemy as sa\nfrom sqlalchemy import text\ndef f(text):\n    return HERE\n"
    assert spelled(code, "sqlalchemy.text") == ("sa.text", ())
    code = "from sqlalchemy import text\ndef f(text):\n    return HERE\n"
    assert spelled(code, "sqlalchemy.text") == ("sa_text", (ImportRequest("sqlalchemy", "text", "sa_text"),))


def test_every_name_taken_is_a_refusal() -> None:
    file = File("def f(text, sa_text):\n    return HERE\n")
    assert (
        file.refusal(swap(file.expr("HERE"), "{sqlalchemy.text}(1)")) == "every short name for sqlalchemy.text is taken"
    )


def test_import_of_the_function_around() -> None:
    own = "def f():\n    from sqlalchemy import true\n    return HERE\n"
    assert spelled(own, "sqlalchemy.true") == ("true", ())
    late = "def f():\n    x = HERE\n    from sqlalchemy import true\n"
    assert spelled(late, "sqlalchemy.true")[0] == "sa_true"
    conditional = "def f():\n    if x:\n        from sqlalchemy import true\n    return HERE\n"
    assert spelled(conditional, "sqlalchemy.true")[0] == "sa_true"


def test_import_below_the_site_counts_only_in_functions() -> None:
    assert spelled("x = HERE\nfrom sqlalchemy.orm import selectinload\n")[1] == (LOAD,)
    assert spelled("def f():\n    return HERE\nfrom sqlalchemy.orm import selectinload\n") == ("selectinload", ())


def test_next_pass_spells_the_name_alike() -> None:
    file = File("def f(a, b):\n    return selectinload(a), HERE\n")
    result = file.rewritten({1: [swap(file.expr("HERE"), "{sqlalchemy.orm.selectinload}(b)")]}, pending=[LOAD])
    assert result.source.text == "def f(a, b):\n    return selectinload(a), selectinload(b)\n"
    assert result.imports == ()


def test_sites_of_one_file_share_a_name() -> None:
    file = File("x = A\n\n\ndef f(true):\n    return B, true\n\n\ny = C\n")
    result = file.rewritten({name: [swap(file.expr(name), "{sqlalchemy.true}()")] for name in "ABC"})
    assert result.source.text == "x = true()\n\n\ndef f(true):\n    return sa_true(), true\n\n\ny = true()\n"
    assert result.imports == (ImportRequest("sqlalchemy", "true", "sa_true"), ImportRequest("sqlalchemy", "true"))
