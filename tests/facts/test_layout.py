"""Which file an absolute module name stands for."""

from __future__ import annotations

from pathlib import Path

import pytest

from alchemod.facts.layout import Layout

ROOT = Path("/work")


def layout(*files: str) -> Layout:
    return Layout(ROOT, [ROOT / file for file in files])


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("app.py", "app"),
        ("shop/__init__.py", "shop"),
        ("shop/data/models.py", "shop.data.models"),
        ("src/pack/models.py", "pack.models"),
        ("src/space/pack/models.py", "space.pack.models"),
        ("libs/one/pack1/a.py", "pack1.a"),
        ("scripts/run.py", "scripts.run"),
    ],
)
def test_names_of_files(file: str, name: str) -> None:
    found = layout(
        "app.py",
        "shop/__init__.py",
        "shop/data/__init__.py",
        "shop/data/models.py",
        "src/pack/__init__.py",
        "src/pack/models.py",
        "src/space/pack/models.py",
        "libs/one/pack1/__init__.py",
        "libs/one/pack1/a.py",
        "scripts/run.py",
    )
    assert found.name_of(ROOT / file) == name


@pytest.mark.parametrize(
    ("module", "near", "expected"),
    [
        ("shop", "app.py", "shop/__init__.py"),
        ("shop.models", "app.py", "shop/models.py"),
        ("shop.nothing", "app.py", None),
        ("pack.a", "tests/test_a.py", "src/pack/a.py"),
        ("space.part.b", "app.py", "src/space/part/b.py"),
        ("helper", "scripts/run.py", "scripts/helper.py"),
        ("helper", "app.py", None),
        ("models", "scripts/run.py", "scripts/models.py"),
        ("models", "app.py", "models.py"),
        ("models", "shop/views.py", "models.py"),
        ("twice.a", "one/twice/b.py", "one/twice/a.py"),
        ("twice.a", "two/twice/b.py", "two/twice/a.py"),
        ("twice.a", "app.py", None),
        ("sqlalchemy", "app.py", None),
    ],
)
def test_modules_are_found(module: str, near: str, expected: str | None) -> None:
    found = layout(
        "app.py",
        "models.py",
        "shop/__init__.py",
        "shop/models.py",
        "shop/views.py",
        "src/pack/__init__.py",
        "src/pack/a.py",
        "src/space/part/b.py",
        "tests/test_a.py",
        "scripts/run.py",
        "scripts/helper.py",
        "scripts/models.py",
        "one/twice/__init__.py",
        "one/twice/a.py",
        "one/twice/b.py",
        "two/twice/__init__.py",
        "two/twice/a.py",
        "two/twice/b.py",
    ).find(module, ROOT / near)
    assert found == (ROOT / expected if expected is not None else None)


def test_namespace_packages() -> None:
    found = layout("company/shop/models.py", "src/other/part/a.py", "app.py")
    assert found.folder_of("company", ROOT / "app.py") == ROOT / "company"
    assert found.folder_of("company.shop", ROOT / "app.py") == ROOT / "company/shop"
    assert found.folder_of("other.part", ROOT / "app.py") == ROOT / "src/other/part"
    assert found.folder_of("company.models", ROOT / "app.py") is None
    assert found.folder_of("nothing", ROOT / "app.py") is None


@pytest.mark.parametrize(
    ("files", "near", "hidden"),
    [
        (("sqlalchemy/__init__.py", "app.py"), "app.py", True),
        (("sqlalchemy.py", "app.py"), "app.py", True),
        (("sqlalchemy/example.py", "app.py"), "app.py", False),
        (("typings/sqlalchemy/__init__.py", "app.py"), "app.py", False),
        (("typings/sqlalchemy/__init__.py", "typings/app.py"), "typings/app.py", True),
        (("app.py",), "app.py", False),
        (("scripts/sqlalchemy.py", "scripts/app.py"), "scripts/app.py", True),
        (("pkg/__init__.py", "pkg/sqlalchemy.py", "pkg/app.py"), "pkg/app.py", False),
        (("pkg/__init__.py", "pkg/sqlalchemy.py"), "pkg/sqlalchemy.py", False),
    ],
)
def test_a_package_of_the_project_hides_a_library(files: tuple[str, ...], near: str, hidden: bool) -> None:
    assert layout(*files).hides("sqlalchemy", ROOT / near) is hidden


@pytest.mark.parametrize(
    ("module", "near", "expected"),
    [
        ("data.models", "server/api/views.py", "server/data/models.py"),
        ("data.models", "server/main.py", "server/data/models.py"),
        ("data", "server/main.py", None),
        ("json.tool", "server/main.py", None),
        ("sqlalchemy.orm", "server/main.py", None),
        ("data.models", "other/main.py", None),
        ("loose.thing", "server/main.py", None),
    ],
)
def test_packages_in_the_package_that_a_program_runs_from(module: str, near: str, expected: str | None) -> None:
    packages = ("server", "server/api", "server/data", "server/json", "server/sqlalchemy", "other")
    found = layout(
        *(f"{package}/__init__.py" for package in packages),
        *("server/main.py", "server/api/views.py", "server/data/models.py", "server/json/tool.py"),
        *("server/sqlalchemy/orm.py", "server/loose/thing.py", "other/main.py"),
    )
    assert found.find(module, ROOT / near) == (ROOT / expected if expected else None)
