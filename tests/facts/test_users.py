"""Which files of a project are read because they may call functions that give rows."""

from pathlib import Path

import pytest

from alchemod.facts.project import Project
from alchemod.text.discover import discover

STORE = """
from sqlalchemy import Column, Integer
from sqlalchemy.orm import Session, declarative_base
Base = declarative_base()
class Order(Base):
    __tablename__ = "orders"
    id = Column(Integer, primary_key=True)
def load_orders(session: Session):
    return session.query(Order).all()
class Repo:
    def open_orders(self):
        return self.db.query(Order).all()
"""
FILES = {
    "between.py": "from store import load_orders\ndef recent(s):\n    found = load_orders(s)\n    return found\n",
    "other.py": "from store import load_orders\ndef number(s):\n    print(len(load_orders(s)))\n    return 1\n",
    "star.py": "from store import *\n",
    "services.py": "import store\nrepo = store.Repo()\n",
}
READ = {
    "the function": "from store import load_orders\nprint(load_orders(1))\n",
    "under another name": "from store import load_orders as load\nprint(load(1))\n",
    "by its module": "import store\nprint(store.load_orders(1))\n",
    "by a module that has it by a star": "import star\nprint(star.load_orders(1))\n",
    "one that hands on": "from between import recent\nprint(recent(1))\n",
    "a method of an object elsewhere": "from services import repo\nprint(repo.open_orders())\n",
}
NOT_READ = {
    "its name alone": "def load_orders(x):\n    return x\nprint(load_orders(1))\n",
    "another import": "import json\nprint(json.load_orders(1))\n",
    "its module alone": "import store\nprint(store.Order)\n",
    "one that gives something else": "from other import number\nprint(number(1))\n",
    "its name uncalled, far off": "import star\nload_orders = star\n",
}


def read(folder: Path, source: str, **files: str) -> bool:
    (folder / "pyproject.toml").touch()
    for name, text in {"store.py": STORE, **FILES, "page.py": source, **files}.items():
        (folder / name).write_text(text)
    project = Project.load(discover(folder, [folder]).files, folder, "2.0")
    return folder / "page.py" in project.paths


@pytest.mark.parametrize("source", READ.values(), ids=READ)
def test_read(tmp_path: Path, source: str) -> None:
    assert read(tmp_path, source)


@pytest.mark.parametrize("source", NOT_READ.values(), ids=NOT_READ)
def test_not_read(tmp_path: Path, source: str) -> None:
    assert not read(tmp_path, source)


def test_names_that_many_files_have_tell_nothing(tmp_path: Path) -> None:
    many = {f"m{number}.py": "def open_orders():\n    pass\n" for number in range(4)}
    assert not read(tmp_path, READ["a method of an object elsewhere"], **many)
