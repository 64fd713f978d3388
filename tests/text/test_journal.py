"""Runs are written so that they can be taken back, whatever happens."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from alchemod.text import lock, record, write
from alchemod.text.journal import Applied, Change, JournalError, apply_all, undo, unfinished
from alchemod.text.record import KEPT_RUNS
from text.faults import STEPS, disk_full, fault, full_from, interrupted

NAMES = ("a.py", "b.py", "c.py", "sub/d.py", "e.py")
GROUPS = {"b.py": 1, "c.py": 1, "sub/d.py": 1}
FORKS = hasattr(os, "fork")

posix = pytest.mark.skipif(not FORKS, reason="needs signals that kill")


@pytest.fixture(autouse=True)
def state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path_factory.mktemp("state")
    monkeypatch.setenv("ALCHEMOD_STATE", str(folder))
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "sub").mkdir()
    for name in NAMES:
        (tmp_path / name).write_bytes(old(name))
    return tmp_path


def old(name: str) -> bytes:
    return f"# {name} before\r\n".encode() + b"\xff\x00"


def new(name: str) -> bytes:
    return f"# {name} after\n".encode() * 50


def changes(root: Path) -> list[Change]:
    return [Change(root / name, old(name), new(name), GROUPS.get(name)) for name in NAMES]


def tree(root: Path) -> dict[str, bytes]:
    """All files below the root with their contents, leftovers too."""
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def before(*names: str) -> dict[str, bytes]:
    return {name: old(name) if name in names or not names else new(name) for name in sorted(NAMES)}


def after() -> dict[str, bytes]:
    return {name: new(name) for name in sorted(NAMES)}


def assert_whole(root: Path) -> None:
    for name in NAMES:
        assert (root / name).read_bytes() in (old(name), new(name)), name


def assert_comes_back(root: Path) -> None:
    undone = undo(root, None)
    assert not undone.left_alone
    assert not undone.failures
    assert tree(root) == before()
    assert unfinished(root) is None


def test_apply_and_undo(root: Path) -> None:
    applied = apply_all(root, changes(root))
    assert applied.written == tuple(root / name for name in NAMES)
    assert applied.failures == ()
    assert tree(root) == after()
    assert unfinished(root) is None
    undone = undo(root, None)
    assert undone.run == applied.run
    assert undone.restored == applied.written
    assert (undone.left_alone, undone.failures, undone.nothing_to_do) == ((), (), False)
    assert tree(root) == before()
    assert undo(root, None).nothing_to_do


def test_nothing_to_change_is_no_run(root: Path, state: Path) -> None:
    assert apply_all(root, []) == Applied(None, (), ())
    assert apply_all(root, [Change(root / "a.py", b"same", b"same")]) == Applied(None, (), ())
    assert list(state.iterdir()) == []


def test_a_file_occurs_once(root: Path) -> None:
    with pytest.raises(ValueError, match="several changes"):
        apply_all(root, [*changes(root), Change(root / "a.py", new("a.py"), b"more")])
    assert tree(root) == before()


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names are text there")
def test_odd_file_names(root: Path) -> None:
    paths = [root / name for name in ("bad\udcff.py", "new\nline.py", "日本.py", " .py")]
    for path in paths:
        path.write_bytes(b"before")
    assert len(apply_all(root, [Change(path, b"before", b"after") for path in paths]).written) == 4
    assert set(undo(root, None).restored) == set(paths)
    assert {path.read_bytes() for path in paths} == {b"before"}


def test_a_file_outside_the_project(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("outside") / "m.py"
    path.write_bytes(b"before")
    apply_all(root, [Change(path, b"before", b"after")])
    assert path.read_bytes() == b"after"
    assert undo(root, None).restored == (path,)


def test_runs_are_undone_the_newest_first(root: Path) -> None:
    first = apply_all(root, changes(root)[:2])
    second = apply_all(root, [Change(root / "a.py", new("a.py"), b"third")])
    assert undo(root, None).run == second.run
    assert (root / "a.py").read_bytes() == new("a.py")
    assert undo(root, None).run == first.run
    assert tree(root) == before()
    assert undo(root, None).nothing_to_do


def test_a_run_is_undone_by_its_name(root: Path) -> None:
    first = apply_all(root, changes(root)[:1])
    apply_all(root, changes(root)[4:])
    assert undo(root, first.run).restored == (root / "a.py",)
    assert tree(root) == before(*NAMES[:4])
    assert undo(root, first.run).restored == ()
    with pytest.raises(JournalError, match="no run 'yesterday'"):
        undo(root, "yesterday")


def test_projects_do_not_see_each_other(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    apply_all(root, changes(root))
    other = tmp_path_factory.mktemp("other") / root.name
    other.mkdir()
    assert undo(other, None).nothing_to_do
    assert unfinished(other) is None
    assert_comes_back(root)


def test_a_project_deep_down(root: Path, state: Path) -> None:
    deep = root.joinpath(*["long name"] * 40)
    deep.mkdir(parents=True)
    (deep / "m.py").write_bytes(b"before")
    apply_all(deep, [Change(deep / "m.py", b"before", b"after")])
    assert all(len(path.name) < 255 for path in state.rglob("*"))
    assert undo(deep, None).restored == (deep / "m.py",)


@posix
def test_a_named_run_is_found_from_anywhere(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    (root / "link.py").symlink_to(root / "a.py")
    applied = apply_all(root, [Change(root / "link.py", old("a.py"), new("a.py"))])
    assert undo(tmp_path_factory.mktemp("other"), applied.run).restored == (root / "link.py",)
    (root / "link.py").unlink()
    assert tree(root) == before()


def test_files_that_changed_after_the_run_are_left_alone(root: Path) -> None:
    apply_all(root, changes(root))
    (root / "a.py").write_bytes(b"mine")
    (root / "e.py").unlink()
    undone = undo(root, None)
    assert [(p.path.name, p.kind, p.message) for p in undone.left_alone] == [
        ("a.py", "write", "has changed since the run and was left alone"),
        ("e.py", "write", "cannot be brought back: no such file or directory"),
    ]
    assert (root / "a.py").read_bytes() == b"mine"
    assert len(undone.restored) == 3
    (root / "a.py").write_bytes(new("a.py"))
    (root / "e.py").write_bytes(old("e.py"))
    assert_comes_back(root)


def test_undo_goes_on_after_a_file_that_cannot_be_written(root: Path) -> None:
    apply_all(root, changes(root))
    (root / "a.py").chmod(0o444)
    undone = undo(root, None)
    assert [(p.path.name, p.message) for p in undone.failures] == [("a.py", "is read-only and was left alone")]
    assert len(undone.restored) == 4
    (root / "a.py").chmod(0o644)
    assert_comes_back(root)


@pytest.mark.parametrize("culprit", ["b.py", "c.py", "sub/d.py"])
def test_a_group_is_written_all_or_nothing(root: Path, culprit: str) -> None:
    (root / culprit).chmod(0o444)
    applied = apply_all(root, changes(root))
    assert applied.written == (root / "a.py", root / "e.py")
    assert tree(root) == before(*GROUPS)
    assert {p.path for p in applied.failures} == {root / name for name in GROUPS}
    messages = {p.path: p.message for p in applied.failures}
    assert messages.pop(root / culprit) == "is read-only and was left alone"
    for message in messages.values():
        assert message.startswith("was left as it was: its change set also needs")
        assert culprit.split("/")[-1] in message
    (root / culprit).chmod(0o644)
    assert_comes_back(root)


def test_files_that_were_not_written_are_none_of_undos_business(root: Path) -> None:
    (root / "a.py").write_bytes(b"mine")
    applied = apply_all(root, changes(root))
    assert [p.message for p in applied.failures] == ["has changed since it was read and was left alone: run again"]
    undone = undo(root, None)
    assert (undone.left_alone, undone.failures) == ((), ())
    assert (root / "a.py").read_bytes() == b"mine"


def test_a_run_that_wrote_nothing_is_no_run(root: Path) -> None:
    applied = apply_all(root, [Change(root / "a.py", b"other", b"new")])
    assert applied.run is None
    assert applied.written == ()
    assert len(applied.failures) == 1
    assert undo(root, None).nothing_to_do


def test_the_record_is_complete_before_the_first_file_is_touched(root: Path, state: Path) -> None:
    seen = []

    def look() -> None:
        records = list(state.rglob("*.open"))
        header = json.loads(records[0].read_bytes().split(b"\n")[0])
        seen.append([row["path"] for row in header["files"]])
        interrupted()

    with fault(1, look, names=("chmod",)), pytest.raises(KeyboardInterrupt):
        apply_all(root, changes(root))
    assert tree(root) == before()
    assert seen == [list(NAMES)]


def test_no_journal_no_run(root: Path, monkeypatch: pytest.MonkeyPatch, state: Path) -> None:
    (state / "file").write_text("")
    monkeypatch.setenv("ALCHEMOD_STATE", str(state / "file"))
    with pytest.raises(JournalError, match="set ALCHEMOD_STATE to a folder that can be written"):
        apply_all(root, changes(root))
    assert tree(root) == before()
    assert undo(root, None).nothing_to_do
    assert unfinished(root) is None


def test_the_record_is_for_the_user_alone(root: Path, state: Path) -> None:
    apply_all(root, changes(root))
    (record,) = (path for path in state.rglob("*") if path.is_file())
    if FORKS:
        assert record.stat().st_mode & 0o077 == 0
        assert record.parent.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("damage", [b"", b"{}\n", b"garbage\n"])
def test_a_damaged_record_is_one_sentence(root: Path, state: Path, damage: bytes) -> None:
    apply_all(root, changes(root))
    (record,) = state.rglob("*.done")
    record.write_bytes(damage)
    with pytest.raises(JournalError, match="cannot be read"):
        undo(root, None)
    assert tree(root) == after()


def test_damaged_contents_are_never_written(root: Path, state: Path) -> None:
    apply_all(root, changes(root))
    (record,) = state.rglob("*.done")
    record.write_bytes(record.read_bytes()[:-3])
    with pytest.raises(JournalError, match="is damaged"):
        undo(root, None)
    assert (root / "e.py").read_bytes() == new("e.py")


def test_old_runs_are_forgotten(root: Path, state: Path) -> None:
    content = old("a.py")
    runs = []
    for number in range(KEPT_RUNS + 3):
        runs.append(apply_all(root, [Change(root / "a.py", content, b"%d" % number)]).run)
        content = b"%d" % number
    kept = sorted(path.stem for path in state.rglob("*.done"))
    assert kept == runs[3:]


@pytest.mark.parametrize(
    ("variables", "place"),
    [
        ({"ALCHEMOD_STATE": "{}/own", "XDG_STATE_HOME": "{}/xdg"}, "own/runs"),
        ({"XDG_STATE_HOME": "{}/xdg"}, "xdg/alchemod/runs"),
        ({"HOME": "{}/home"}, "home/.local/state/alchemod/runs"),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="%LOCALAPPDATA% there")
def test_where_records_are(
    root: Path, state: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], place: str
) -> None:
    monkeypatch.delenv("ALCHEMOD_STATE")
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value.format(state))
    apply_all(root, changes(root))
    assert [path.parent.parent for path in state.rglob("*.done")] == [state / place]


class TestFaults:
    """At every step: each file whole, old or new; ``undo`` brings all back."""

    @pytest.fixture
    def steps(self, root: Path) -> int:
        with fault(0, disk_full) as counter:
            apply_all(root, changes(root))
        undo(root, None)
        assert tree(root) == before()
        assert counter.steps > 5 * len(NAMES)
        return counter.steps

    @pytest.mark.parametrize("late", [False, True])
    def test_interrupts(self, root: Path, steps: int, late: bool) -> None:
        for at in range(1, steps + 1):
            with fault(at, interrupted, late), pytest.raises(KeyboardInterrupt):
                apply_all(root, changes(root))
            assert_whole(root)
            assert set(tree(root)) == set(NAMES), "leftovers"
            if tree(root) != before():
                run = unfinished(root)
                assert run is None or run.files == tuple(root / name for name in NAMES)
                assert run is not None or tree(root) == after()
            assert_comes_back(root)

    def test_failures(self, root: Path, steps: int) -> None:
        for at in range(1, steps + 1):
            with fault(at, disk_full):
                try:
                    applied = apply_all(root, changes(root))
                except JournalError:
                    assert tree(root) == before()
                    continue
            assert_whole(root)
            found = tree(root)
            assert set(found) == set(NAMES), "leftovers"
            assert {root / name for name in NAMES if found[name] == new(name)} == set(applied.written)
            assert {p.path for p in applied.failures} | set(applied.written) == {root / name for name in NAMES}
            assert len({found[name] == new(name) for name in GROUPS}) == 1, "half a change set"
            assert_comes_back(root)

    def test_a_disk_that_stays_full(self, root: Path, steps: int) -> None:
        for at in range(1, steps + 1):
            with full_from(at):
                try:
                    applied = apply_all(root, changes(root))
                except JournalError:
                    assert tree(root) == before()
                    continue
            assert_whole(root)
            found = tree(root)
            assert set(found) == set(NAMES), "leftovers"
            assert {root / name for name in NAMES if found[name] == new(name)} == set(applied.written)
            half = len({found[name] == new(name) for name in GROUPS}) > 1
            assert half == any("could not be brought back" in p.message for p in applied.failures)
            assert_comes_back(root)

    @pytest.mark.parametrize("happens", [interrupted, disk_full])
    def test_undo_can_be_repeated(self, root: Path, steps: int, happens: object) -> None:
        apply_all(root, changes(root))
        with fault(0, disk_full) as counter:
            undo(root, None)
        for at in range(1, counter.steps + 1):
            apply_all(root, changes(root))
            with fault(at, happens):  # type: ignore[arg-type]
                try:
                    undo(root, None)
                except KeyboardInterrupt:
                    assert happens is interrupted
            assert_whole(root)
            assert set(tree(root)) == set(NAMES), "leftovers"
            assert_comes_back(root)


CHILD = """
import sys
from pathlib import Path
from text.faults import fault, killed
from text.test_journal import apply_all, changes
at, late, root = int(sys.argv[1]), sys.argv[2] == "late", Path(sys.argv[3])
with fault(at, killed, late):
    apply_all(root, changes(root))
"""


def forked_apply(root: Path, at: int, late: bool) -> int:
    """The status of a process that applies the changes and is killed at a step."""
    child = os.fork()
    if not child:
        try:
            from text.faults import killed

            with fault(at, killed, late):
                apply_all(root, changes(root))
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@posix
@pytest.mark.parametrize("late", [False, True])
def test_kill_at_every_step(root: Path, late: bool) -> None:
    at, killed_runs = 1, 0
    while forked_apply(root, at, late) == -9:
        assert_whole(root)
        run = unfinished(root)
        if tree(root) != before():
            assert run is not None or tree(root) == after()
            killed_runs += run is not None
        assert_comes_back(root)
        at += 1
    assert tree(root) == after()
    assert killed_runs > 5 * len(NAMES)


@posix
def test_kill_of_a_process_of_its_own(root: Path, state: Path) -> None:
    """The same in a fresh interpreter, as a user kills it."""
    paths = [str(Path(__file__).parents[1]), *sys.path]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, "-c", CHILD, "30", "late", str(root)]
    assert subprocess.run(command, env=environment, check=False).returncode == -9
    assert tree(root) != before()
    run = unfinished(root)
    assert run is not None
    assert run.files == tuple(root / name for name in NAMES)
    assert_comes_back(root)


@posix
def test_a_run_that_goes_on_is_not_unfinished(root: Path, state: Path) -> None:
    seen: list[object] = []

    def look() -> None:
        seen.append(unfinished(root))
        seen.append(undo(root, None).nothing_to_do)
        (record,) = state.rglob("*.open")
        with pytest.raises(JournalError, match="still goes on"):
            undo(root, record.stem)

    with fault(1, look, names=("chmod",)):
        apply_all(root, changes(root))
    assert seen == [None, True]
    assert_comes_back(root)


def test_steps_are_what_the_modules_call() -> None:
    """A new call to the system must become a step of the fault injection."""
    called: set[str] = set()
    for module in (record, write, lock):
        called |= set(re.findall(r"\bos\.([a-z]\w*)\(", Path(str(module.__file__)).read_text(encoding="utf-8")))
    harmless = {"stat", "access", "listdir", "geteuid", "getegid", "fsencode", "urandom"}
    assert called - harmless <= set(STEPS)
