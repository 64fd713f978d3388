"""What belongs to a project."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from alchemod.settings.options import SettingsError
from alchemod.text.discover import Discovery, discover, project_root

Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Writes files: ``make("a.py", "b/c.py", **{".gitignore": "x"})``; a name that ends in ``/`` is a folder."""

    def write(*names: str, **contents: str) -> Path:
        for name in (*names, *contents):
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if name.endswith("/"):
                path.mkdir(exist_ok=True)
            else:
                path.write_text(contents.get(name, ""))
        return tmp_path

    return write


def listed(root: Path, named: Sequence[Path] = (), exclude: Sequence[str] = ()) -> list[str]:
    return shown(root, discover(root, named, exclude))


def shown(root: Path, found: Discovery) -> list[str]:
    """Relative paths; in round brackets what is out of scope, with a star what was named."""
    assert found.problems == ()
    rows = []
    for path, in_scope, named in found.files:
        text = os.path.relpath(path, root).replace(os.sep, "/") + "*" * named
        rows.append(text if in_scope else f"({text})")
    return rows


def test_source_files_of_the_whole_project(make: Make) -> None:
    root = make("b.py", "a.pyw", "c.pyi", "d.txt", "pkg/__init__.py", "pkg/sub/m.py", "src/x.py", "e.py/", "._m.py")
    assert listed(root) == ["a.pyw", "b.py", "pkg/__init__.py", "pkg/sub/m.py", "src/x.py"]


@pytest.mark.parametrize(
    "folder",
    [".git", ".venv", ".tox", ".hidden", "__pycache__", "node_modules", "site-packages", "x.egg-info", "build", "dist"],
)
def test_generated_folders_are_passed_over(make: Make, folder: str) -> None:
    root = make("a.py", f"{folder}/b.py", f"sub/{folder}/deep/c.py")
    found = discover(root, [])
    assert shown(root, found) == ["a.py"]
    assert found.skipped == 2


def test_a_package_called_build_is_source(make: Make) -> None:
    assert listed(make("build/__init__.py", "build/a.py", "dist/b.py")) == ["build/__init__.py", "build/a.py"]


def test_environments_are_known_by_their_mark(make: Make) -> None:
    root = make("a.py", "env39/pyvenv.cfg", "env39/lib/b.py")
    assert listed(root) == ["a.py"]
    assert listed(root, [root / "env39"]) == ["(a.py)", "env39/lib/b.py"]


def test_scope_is_what_was_named(make: Make) -> None:
    root = make("a.py", "ab.py", "a/m.py", "a/n.py", "b/m.py")
    assert listed(root, [root / "a"]) == ["(a.py)", "a/m.py", "a/n.py", "(ab.py)", "(b/m.py)"]
    assert listed(root, [root / "a.py"]) == ["a.py*", "(a/m.py)", "(a/n.py)", "(ab.py)", "(b/m.py)"]
    assert listed(root, [root / "b", root / "a" / "m.py", root / "b"]) == [
        "(a.py)",
        "a/m.py*",
        "(a/n.py)",
        "(ab.py)",
        "b/m.py",
    ]


def test_a_named_file_is_taken_whatever_its_suffix(make: Make) -> None:
    root = make("a.pyi", "script", "b.py")
    assert listed(root, [root / "a.pyi", root / "script"]) == ["a.pyi*", "(b.py)", "script*"]


def test_named_paths_outside_the_project(make: Make) -> None:
    top = make("project/pyproject.toml", "project/a.py", "other/b.py", "c.py")
    rows = listed(top / "project", [top / "other", top / "c.py"])
    assert rows == ["../c.py*", "../other/b.py", "(a.py)"]


def test_excluded_files_are_read_but_out_of_scope(make: Make) -> None:
    root = make("a.py", "tests/t.py", "tests/keep.py", "sub/tests/u.py")
    assert listed(root, exclude=["/tests/"]) == ["a.py", "sub/tests/u.py", "(tests/keep.py)", "(tests/t.py)"]
    assert listed(root, exclude=["tests", "!keep.py"]) == ["a.py", "(sub/tests/u.py)", "tests/keep.py", "(tests/t.py)"]
    assert listed(root, exclude=["tests"]) == ["a.py", "(sub/tests/u.py)", "(tests/keep.py)", "(tests/t.py)"]
    found = discover(root, [root / "tests/t.py"], ["t.py"])
    assert [c for c in found.files if c.named] == [(root / "tests/t.py", False, True)]
    assert found.excluded == 1
    assert discover(root, [root / "a.py"], ["tests"]).excluded == 0


def test_an_exclude_pattern_without_a_meaning(make: Make) -> None:
    with pytest.raises(SettingsError, match="'!' is no pattern"):
        discover(make("a.py"), [], ["!"])


def test_gitignore_nested_and_negated(make: Make) -> None:
    root = make(
        "a.py",
        "gen/b.py",
        "keep/gen/c.py",
        "keep/d_pb2.py",
        "keep/e_pb2.py",
        "sub/top.py",
        "top.py",
        **{".gitignore": "# comment\ngen/\n*_pb2.py\n/top.py\n", "keep/.gitignore": "!gen/\n!d_pb2.py\n"},
    )
    assert listed(root) == ["a.py", "keep/d_pb2.py", "keep/gen/c.py", "sub/top.py"]
    assert discover(root, []).skipped == 3


def test_nothing_below_an_ignored_folder_comes_back(make: Make) -> None:
    root = make("gen/a.py", "b.py", **{".gitignore": "gen/\n!gen/a.py\n", "gen/.gitignore": "!a.py\n"})
    assert listed(root) == ["b.py"]


def test_what_is_ignored_is_read_when_named(make: Make) -> None:
    root = make("gen/a.py", "gen/sub/b.py", "gen/x_pb2.py", "c.py", **{".gitignore": "gen/\n*_pb2.py\n"})
    assert listed(root, [root / "gen"]) == ["(c.py)", "gen/a.py", "gen/sub/b.py", "gen/x_pb2.py"]
    assert listed(root, [root / "gen" / "sub"]) == ["(c.py)", "gen/sub/b.py"]
    assert listed(root, [root / "gen" / "a.py"]) == ["(c.py)", "gen/a.py*"]


def test_the_repository_around_the_project_has_a_say(make: Make) -> None:
    top = make(
        ".git/info/exclude",
        "svc/pyproject.toml",
        "svc/a.py",
        "svc/b_pb2.py",
        "svc/gen/c.py",
        "svc/local.py",
        **{".gitignore": "*_pb2.py\n/svc/gen\n", ".git/info/exclude": "local.py\n"},
    )
    assert listed(top / "svc") == ["a.py"]
    make(**{".gitignore": "svc/\n"})
    assert listed(top / "svc") == ["a.py", "b_pb2.py", "gen/c.py", "local.py"]


def test_odd_ignore_files(make: Make, tmp_path: Path) -> None:
    root = make("a.py", "b.py", "sub/c.py")
    (root / ".gitignore").write_bytes(b"\xef\xbb\xbfb.py\r\n!\n[\n\xff\xfe\n")
    (root / "sub" / ".gitignore").mkdir()
    assert listed(root)[0] == "a.py"
    assert "sub/c.py" in listed(root)


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
class TestLinks:
    def test_a_folder_that_contains_itself(self, make: Make) -> None:
        root = make("a.py", "sub/b.py")
        (root / "sub" / "loop").symlink_to(root)
        found = discover(root, [])
        assert shown(root, found) == ["a.py", "sub/b.py"]
        assert found.skipped == 1

    def test_links_that_lead_in_circles_are_rows(self, make: Make) -> None:
        root = make("a.py")
        (root / "x.py").symlink_to(root / "y.py")
        (root / "y.py").symlink_to(root / "x.py")
        (root / "ring").symlink_to(root / "ring")
        (root / "gone.py").symlink_to(root / "nowhere.py")
        (root / "gone.txt").symlink_to(root / "nowhere.txt")
        found = discover(root, [])
        assert [c.path.name for c in found.files] == ["a.py"]
        assert [(p.path.name, p.kind) for p in found.problems] == [
            (name, "read") for name in ("gone.py", "ring", "x.py", "y.py")
        ]
        assert "link leads nowhere" in found.problems[0].message

    def test_one_file_under_two_names_is_listed_once(self, make: Make) -> None:
        root = make("pkg/m.py")
        (root / "a.py").symlink_to(root / "pkg" / "m.py")
        assert listed(root) == ["pkg/m.py"]
        assert listed(root, [root / "a.py"]) == ["pkg/m.py*"]

    def test_a_link_to_a_file_elsewhere_is_listed_by_its_own_name(self, make: Make) -> None:
        top = make("project/setup.py", "m.py")
        for name in ("b.py", "a.py"):
            (top / "project" / name).symlink_to(top / "m.py")
        assert listed(top / "project") == ["a.py", "setup.py"]

    def test_a_named_link_to_a_folder_of_the_project(self, make: Make) -> None:
        root = make("pkg/m.py", "a.py")
        (root / "alias").symlink_to(root / "pkg")
        assert listed(root, [root / "alias"]) == ["(a.py)", "pkg/m.py"]

    def test_a_named_link_to_a_folder_elsewhere(self, make: Make) -> None:
        top = make("project/a.py", "shared/m.py")
        (top / "project" / "alias").symlink_to(top / "shared")
        assert listed(top / "project") == ["a.py"]
        assert listed(top / "project", [top / "project" / "alias"]) == ["(a.py)", "alias/m.py"]

    def test_a_project_behind_a_link(self, make: Make) -> None:
        top = make("real/pkg/m.py", "real/a.py")
        (top / "project").symlink_to(top / "real")
        (top / "real" / "b.py").symlink_to(top / "real" / "a.py")
        root = top / "project"
        assert listed(root, [root / "pkg"]) == ["(a.py)", "pkg/m.py"]
        assert listed(root, [root / "b.py"]) == ["a.py*", "(pkg/m.py)"]


@contextmanager
def failing_scandir(folder: Path, error: OSError) -> Iterator[None]:
    real = os.scandir

    def scandir(path: str) -> object:
        if Path(path) == folder:
            raise error
        return real(path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "scandir", scandir)
        yield


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(13, "Permission denied"), "folder cannot be read: permission denied"),
        (FileNotFoundError(2, "No such file or directory"), "folder cannot be read: no such file or directory"),
    ],
)
@pytest.mark.parametrize("named", [False, True])
def test_a_folder_that_cannot_be_read_is_one_row(make: Make, error: OSError, words: str, named: bool) -> None:
    root = make("a.py", "sub/b.py", "z/c.py")
    with failing_scandir(root / "sub", error):
        found = discover(root, [root / "sub"] if named else [])
    assert [c.path.name for c in found.files] == ["a.py", "c.py"]
    assert [(p.path, p.line, p.kind, p.message) for p in found.problems] == [(root / "sub", None, "read", words)]


def test_named_paths_that_are_not_there(make: Make) -> None:
    root = make("a.py")
    found = discover(root, [root / "gone", root / "a.py"])
    assert [(p.path, p.message) for p in found.problems] == [
        (root / "gone", "cannot be read: no such file or directory")
    ]
    assert [(c.path.name, c.in_scope) for c in found.files] == [("a.py", True)]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with names")
def test_what_is_no_regular_file(make: Make) -> None:
    root = make("a.py")
    os.mkfifo(root / "pipe.py")
    assert listed(root) == ["a.py"]
    found = discover(root, [root / "pipe.py"])
    assert [p.message for p in found.problems] == ["is neither a file nor a folder"]


def test_home_is_no_project(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    home = make("private/a.py", "scripts/b.py", "c.py")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    assert listed(home, [home / "c.py", home / "scripts"]) == ["c.py*", "scripts/b.py"]
    make("pyproject.toml")
    assert listed(home, [home / "c.py"]) == ["c.py*", "(private/a.py)", "(scripts/b.py)"]


@pytest.mark.parametrize("marker", ["pyproject.toml", "setup.py", "setup.cfg", ".git/", ".git"])
def test_the_project_is_the_nearest_marked_folder(make: Make, marker: str) -> None:
    top = make("setup.cfg", f"svc/{marker}", "svc/src/pkg/m.py", "svc/tests/t.py", "x.py")
    assert project_root([top / "svc/src/pkg/m.py"]) == top / "svc"
    assert project_root([top / "svc/src/pkg"]) == top / "svc"
    assert project_root([top / "svc"]) == top / "svc"
    assert project_root([top / "svc/src/pkg/m.py", top / "svc/tests"]) == top / "svc"
    assert project_root([top / "svc/src", top / "x.py"]) == top
    assert project_root([top / "svc/gone/m.py"]) == top / "svc"


def test_without_a_marker_the_project_is_the_common_parent(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    top = make("a/b/m.py", "a/c/n.py")
    assert project_root([top / "a/b/m.py", top / "a/c"]) == top / "a"
    assert project_root([top / "a/b/m.py"]) == top / "a/b"
    monkeypatch.chdir(top / "a")
    assert project_root([]) == top / "a"
    assert project_root([Path("b")]) == top / "a/b"


NAMES = st.sampled_from(["a", "b", "gen", "x.py", "y.py"])
PLAIN = (  # noqa: SIM905
    "gen gen/ /gen *.py x.py /x.py a/* **/b/ a/**/x.py */ * ** #gen \\!x.py [xy].py b/x.py a/** ?.py /* x.py/ x.py\\"
).split()
NEGATED = "!x.py !a/b !*/ !gen/ !b/x.py !/a !** !x.py/ !*.py".split()  # noqa: SIM905
TREES = st.lists(st.lists(NAMES, min_size=1, max_size=3).map("/".join), min_size=1, max_size=8)
PLACES = st.sampled_from(["", "a/", "a/b/", "gen/"])


def listed_and_kept(names: list[str], ignore: dict[str, list[str]]) -> tuple[set[str], set[str]]:
    """What is listed of a tree of folders with a file ``m.py`` each, and what git keeps."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        subprocess.run(["git", "init", "-q", folder], check=True, capture_output=True)
        for name in names:
            (root / name).mkdir(parents=True, exist_ok=True)
            (root / name / "m.py").touch()
        for place, patterns in ignore.items():
            if (root / place).is_dir():
                (root / place / ".gitignore").write_text("\n".join(patterns) + "\n")
        command = ["git", "ls-files", "--others", "--exclude-standard", "--", "*.py"]
        kept = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout.split()
        return set(listed(root)), set(kept)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TREES, st.dictionaries(PLACES, st.lists(st.sampled_from(PLAIN + NEGATED), max_size=4)))
@example(["gen"], {"": ["*", "!*.py", "!*/"]})
@example(["x.py"], {"": ["x.py/", "!*.py"]})
@example(["a/b"], {"": ["*.py"], "a/": ["!**"]})
@example(["gen/b"], {"gen/": ["*", "!*.py", "!x.py/", "!*/"]})
def test_ignored_is_what_git_ignores(names: list[str], ignore: dict[str, list[str]]) -> None:
    ours, kept = listed_and_kept(names, ignore)
    assert ours == kept
