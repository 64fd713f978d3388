"""The README and CONTRIBUTING: what they show is what happens."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import tomllib
from pathlib import Path

import pytest

from bench.installs import series
from bench.tool import apply, command_line

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)

LIBRARY = """
from sqlalchemy import Column, Date, ForeignKey, Integer, String, create_engine
from sqlalchemy.orm import declarative_base, relationship, selectinload, sessionmaker

Base = declarative_base()


class Book(Base):
    __tablename__ = "books"
    id = Column(Integer, primary_key=True)
    title = Column(String)


class Loan(Base):
    __tablename__ = "loans"
    id = Column(Integer, primary_key=True)
    owner_id = Column(Integer)
    due_on = Column(Date)
    returned_on = Column(Date)
    book_id = Column(ForeignKey("books.id"))
    book = relationship("Book")


SessionLocal = sessionmaker(bind=create_engine("sqlite://"))


"""


def blocks(language: str) -> list[str]:
    return [text for name, text in _FENCE.findall(README) if name == language]


def commands() -> list[str]:
    """The `alchemod` commands of the README, without their remarks."""
    lines = (line.partition("#")[0].strip() for text in blocks("sh") for line in text.splitlines())
    return [line for line in lines if line.startswith("alchemod ")]


def test_there_are_exactly_two_set_up_commands() -> None:
    set_up = README.partition("## Set up")[2].partition("\n## ")[0]
    assert len(_FENCE.findall(set_up)) == 2
    assert blocks("sh")[:2] == [text for _, text in _FENCE.findall(set_up)]
    assert all(len(text.splitlines()) == 1 for text in blocks("sh")[:2])


def test_the_opening_diff_is_what_the_tool_does() -> None:
    diff = blocks("diff")[0].splitlines()
    before = "\n".join(line[1:] for line in diff if line[0] in " -") + "\n"
    after = "\n".join(line[1:] for line in diff if line[0] in " +") + "\n"
    result = apply({"library.py": (LIBRARY + before).encode()}, series())
    assert result.files["library.py"].decode() == LIBRARY + after
    assert {finding.safety for finding in result.findings} == {"safe"}


@pytest.mark.parametrize("command", commands())
def test_the_command_runs(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = tmp_path / "shop"
    shutil.copytree(ROOT / "fixtures" / "projects" / "shop", shop)
    monkeypatch.chdir(shop)
    _, *arguments = shlex.split(command.partition(">")[0])
    code, output, complaint = command_line(*arguments)
    assert code in (0, 1), complaint
    assert output or complaint
    assert "Traceback" not in complaint


def test_the_configuration_is_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (text,) = blocks("toml")
    assert "alchemod" in tomllib.loads(text)["tool"]
    (tmp_path / "pyproject.toml").write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)
    code, _, complaint = command_line("check", ".")
    assert code == 0, complaint


def test_the_suppression_suppresses() -> None:
    comment = next(text for text in blocks("python") if "alchemod: ignore" in text)
    text = LIBRARY + "session = SessionLocal()\n" + comment
    result = apply({"library.py": text.encode()}, series(), "--select", "ALC201")
    assert not result.findings
    assert result.files["library.py"].decode() == text


def test_every_link_leads_somewhere() -> None:
    for page in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"):
        for target in re.findall(r"\]\(([^)]+)\)", (ROOT / page).read_text("utf-8")):
            assert target.startswith("https://") or (ROOT / target).exists(), f"{page}: {target}"


def test_the_json_shown_has_the_keys_of_the_output(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = json.loads(blocks("json")[0])
    monkeypatch.chdir(ROOT / "fixtures" / "projects" / "shop")
    _, output, _ = command_line("check", "--format", "json", ".")
    document = json.loads(output)
    assert shown.keys() <= document.keys()
    assert shown["version"] == document["version"]
    assert shown["findings"][0].keys() <= document["findings"][0].keys()
    assert shown["summary"].keys() <= document["summary"].keys()


def test_the_library_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    example = next(text for text in blocks("python") if "import alchemod" in text)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "library.py").write_text(
        LIBRARY + "found = SessionLocal().query(Book).filter_by(title='x')\n", "utf-8"
    )
    (tmp_path / "pyproject.toml").write_text("", "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ALCHEMOD_STATE", str(tmp_path / "state"))
    exec(compile(example, "README.md", "exec"), {})
    assert "Book.title == 'x'" in (tmp_path / "src" / "library.py").read_text("utf-8")


def test_the_options_of_the_table_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    table = README.partition("## Options")[2].partition("\n## ")[0]
    _, helped, _ = command_line("check", "--help")
    named = set(re.findall(r"(?<!\w)--?[a-z][a-z-]*", "\n".join(re.findall(r"^\| (`.*?) \|", table, re.MULTILINE))))
    assert len(named) > 10
    assert not {option for option in named if not re.search(rf"(?<![\w-]){option}(?![\w-])", helped)}
