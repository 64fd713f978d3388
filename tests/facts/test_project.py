"""Which files of a project are read for facts, and how its content changes in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from alchemod.facts.gates import base_words, gate_a
from alchemod.facts.project import Project
from alchemod.text.source import decode
from sketch import Sketch

MODELS = (
    "from sqlalchemy.orm import declarative_base, sessionmaker\nBase = declarative_base()\nLocal = sessionmaker()\n"
)
USER = MODELS + "class User(Base):\n    __tablename__ = 'users'\n"


def read_files(root: Path, files: dict[str, str]) -> set[str]:
    project = Sketch(root, files).project
    return {path.name for path in project.paths}


@pytest.mark.parametrize(
    ("data", "passes"),
    [
        (b"import sqlalchemy", True),
        (b"User.query.all()", True),
        (b"x.filter_by(a=1)", True),
        (b"class A(db.Model): pass", True),
        (b"a = Column(1)", True),
        (b"import requests", False),
        (b"", False),
    ],
)
def test_gate_a(data: bytes, passes: bool) -> None:
    assert gate_a(data) is passes


def test_the_words_of_base_classes() -> None:
    assert base_words(b"class A(B, c.D[E], metaclass=M): pass\nclass F: pass\nx(G)") == {
        b"B",
        b"c",
        b"D",
        b"E",
        b"metaclass",
        b"M",
    }


def test_files_that_do_not_speak_of_sqlalchemy(tmp_path: Path) -> None:
    files = {
        "models.py": USER,
        "uses_factory.py": "from models import Local\nLocal()\n",
        "derives.py": "import models\nclass Admin(models.User): pass\n",
        "derives_again.py": "import derives\nclass Chief(derives.Admin): pass\n",
        "other.py": "print(Locale)\n",
    }
    assert read_files(tmp_path, files) == set(files) - {"other.py"}


def test_what_was_not_read_is_read_when_it_is_asked_for(tmp_path: Path) -> None:
    sketch = Sketch(tmp_path, {"models.py": USER, "names.py": "LIMIT = 5\n"})
    module = sketch.project.facts(tmp_path / "names.py")
    assert module is not None
    assert set(module.bindings) == {"LIMIT"}
    assert set(sketch.project.files_mentioning("LIMIT")) == {tmp_path / "names.py"}
    assert not set(sketch.project.files_mentioning("LIM"))


def test_an_update_is_seen_everywhere(tmp_path: Path) -> None:
    sketch = Sketch(tmp_path, {"models.py": USER, "app.py": "from models import User\nUser.name\n"})
    path, project = tmp_path / "app.py", sketch.project

    def name() -> object:
        return sketch.inference.value(path, project.tree(path).body[1].value)  # type: ignore[attr-defined]

    assert name() is None
    changed = (USER + "    name = Column(String)\n").encode()
    project.update(tmp_path / "models.py", decode(changed, tmp_path / "models.py"))
    assert name() is not None
    assert project.source(tmp_path / "models.py").utf8 == changed


def test_trees_are_parsed_again_when_memory_is_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alchemod.facts.project._KEPT_TREE_BYTES", 10)
    project: Project = Sketch(tmp_path, {f"m{n}.py": f"import sqlalchemy\nx{n} = 1\n" for n in range(5)}).project
    for n in range(5):
        module = project.facts(tmp_path / f"m{n}.py")
        assert module is not None
        assert f"x{n}" in module.bindings
        assert len(project.tree(tmp_path / f"m{n}.py").body) == 2
    assert len(project._trees) == 1


def test_families(tmp_path: Path) -> None:
    sketch = Sketch(
        tmp_path,
        {
            "base.py": "import sqlalchemy\nclass A: pass\nclass B(A): pass\nclass C(A): pass\nclass D(B, C): pass\n",
            "far.py": "from base import B as Renamed\nimport base\nclass E(base.D): pass\nclass F(E): pass\n",
            "same_name.py": "class D: pass\nclass G(D): pass\n",
        },
    )
    project = sketch.project
    module = project.facts(tmp_path / "base.py")
    assert module is not None
    classes = module.classes
    families = project.families
    assert [facts.name for facts in families.above(classes["D"])] == ["D", "B", "C", "A"]
    below = families.below(classes["A"])
    assert below is not None
    assert {facts.name for facts in below} == {"B", "C", "D", "E", "F"}


def test_a_class_with_too_many_files_below(tmp_path: Path) -> None:
    files = {f"m{n}.py": f"import base\nclass C{n}(base.A): pass\n" for n in range(30)}
    project = Sketch(tmp_path, {"base.py": "import sqlalchemy\nclass A: pass\n", **files}).project
    module = project.facts(tmp_path / "base.py")
    assert module is not None
    assert project.families.below(module.classes["A"]) is None


@pytest.mark.parametrize(
    "content", [b"from app import Local\nx = '\xe9'\n", b"# coding: nope\nfrom app import Local\n"]
)
def test_a_file_that_names_a_factory_and_cannot_be_read(tmp_path: Path, content: bytes) -> None:
    Sketch(tmp_path, {"app.py": USER})
    (tmp_path / "old.py").write_bytes(content)
    project = Sketch(tmp_path, {}).project
    assert [path.name for path in project.paths] == ["app.py"]
    assert [problem.path.name for problem in project.problems] == ["old.py"]
    assert all(project.source(path) for path in project.paths)
