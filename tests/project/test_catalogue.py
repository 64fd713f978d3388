"""The table of what of the migration is covered is what the cases say."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "catalogue_table.py"


@pytest.fixture(scope="module")
def catalogue() -> ModuleType:
    spec = importlib.util.spec_from_file_location("catalogue_table", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_table_is_up_to_date(catalogue: ModuleType) -> None:
    assert catalogue.TABLE.read_text("utf-8") == catalogue.rendered(), "run scripts/catalogue_table.py"


def test_every_row_has_a_rule_that_owes_it(catalogue: ModuleType) -> None:
    listed = catalogue.rows()
    assert len({row.id for row in listed}) == len(listed) > 300
    assert all(row.rules and all(re.fullmatch(r"(ALC|MIG)\d{3}", code) for code in row.rules) for row in listed)


def test_cases_name_rows_of_the_catalogue_only(catalogue: ModuleType) -> None:
    assert set(catalogue.cases()) <= {row.id for row in catalogue.rows()}
