"""Constant SQL in the expression language, and what is said where sqlglot is not installed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bench.tool import apply

SOURCE = b"""
from sqlalchemy import Column, Integer, text
from sqlalchemy.orm import Session, declarative_base
Base = declarative_base()
class Part(Base):
    __tablename__ = "parts"
    id = Column(Integer, primary_key=True)
def ids(session: Session):
    session.execute(text("SELECT 1"))
    return session.execute(text("SELECT id FROM parts"))
"""


def test_without_sqlglot_the_report_names_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in sys.modules if name.startswith(("sqlglot", "alchemod.inference.sql.emitter"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sqlglot", None)
    done = apply({"app.py": SOURCE}, ["2.0"], "--select", "ALC218", "--unsafe-fixes")
    assert [(found.code, found.safety, found.missing) for found in done.findings] == [
        ("ALC218", "report", "it needs sqlglot: install alchemod[sql]")
    ]
    assert not done.errors
    assert done.files["app.py"] == SOURCE


def test_with_sqlglot_the_statement_is_written() -> None:
    done = apply({"app.py": SOURCE}, ["2.0"], "--select", "ALC218", "--unsafe-fixes")
    assert b"session.execute(select(Part.id))" in done.files["app.py"]
