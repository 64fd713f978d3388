"""A file is written whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from alchemod.text.write import WriteError, sweep, write_atomically
from text.faults import disk_full, fault, interrupted

OLD, NEW = b"x = 1\r\n", b"x = 2\r\n" * 1000

posix = pytest.mark.skipif(os.name == "nt", reason="modes, owners and links are another matter on Windows")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "m.py"
    path.write_bytes(OLD)
    return path


def refused(path: Path, expected: bytes = OLD, root: Path | None = None) -> str:
    with pytest.raises(WriteError) as caught:
        write_atomically(path, NEW, expected, root)
    assert "\n" not in caught.value.message
    assert caught.value.problem(path).kind == "write"
    return caught.value.message


def test_the_new_bytes_are_there(file: Path) -> None:
    write_atomically(file, NEW, OLD)
    assert file.read_bytes() == NEW
    assert os.listdir(file.parent) == ["m.py"]


@posix
@pytest.mark.parametrize("mode", [0o644, 0o755, 0o600, 0o664, 0o4755])
def test_the_mode_is_kept(file: Path, mode: int) -> None:
    file.chmod(mode)
    write_atomically(file, NEW, OLD)
    assert stat.S_IMODE(file.stat().st_mode) == mode


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root can give files away")
def test_the_owner_is_kept(file: Path) -> None:
    os.chown(file, 1234, 4321)
    write_atomically(file, NEW, OLD)
    assert (file.stat().st_uid, file.stat().st_gid) == (1234, 4321)


def test_a_file_that_changed_since_it_was_read(file: Path) -> None:
    assert "changed since it was read" in refused(file, expected=b"x = 0\n")
    assert file.read_bytes() == OLD
    assert os.listdir(file.parent) == ["m.py"]


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    assert refused(tmp_path / "gone.py") == "cannot be written: no such file or directory"
    assert os.listdir(tmp_path) == []


def test_a_file_that_is_read_only(file: Path) -> None:
    file.chmod(0o444)
    assert "read-only" in refused(file)
    assert file.read_bytes() == OLD
    file.chmod(0o644)


def test_what_is_no_regular_file(tmp_path: Path) -> None:
    assert "not a regular file" in refused(tmp_path)


@posix
def test_hard_links_are_left_alone(file: Path) -> None:
    other = file.with_name("other.py")
    os.link(file, other)
    assert "2 names (hard links)" in refused(file)
    assert file.read_bytes() == other.read_bytes() == OLD
    assert file.samefile(other)


@posix
class TestLinks:
    def test_the_target_is_written(self, file: Path) -> None:
        (file.parent / "sub").mkdir()
        link = file.parent / "sub" / "link.py"
        link.symlink_to(file)
        write_atomically(link, NEW, OLD, root=file.parent)
        assert link.is_symlink()
        assert file.read_bytes() == NEW
        assert os.listdir(link.parent) == ["link.py"]

    def test_a_project_behind_a_link(self, file: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
        root = tmp_path_factory.mktemp("elsewhere") / "project"
        root.symlink_to(file.parent)
        (root / "link.py").symlink_to(file)
        write_atomically(root / "link.py", NEW, OLD, root=root)
        assert file.read_bytes() == NEW

    @pytest.mark.parametrize("known_root", [True, False])
    def test_a_target_outside_the_project(self, file: Path, known_root: bool) -> None:
        root = file.parent / "project"
        root.mkdir()
        (root / "link.py").symlink_to(file)
        assert "outside the project" in refused(root / "link.py", root=root if known_root else None)
        assert file.read_bytes() == OLD

    def test_circles(self, tmp_path: Path) -> None:
        (tmp_path / "a.py").symlink_to(tmp_path / "a.py")
        assert refused(tmp_path / "a.py", root=tmp_path).startswith("cannot be written: ")


def steps(file: Path) -> int:
    with fault(0, disk_full) as counter:
        write_atomically(file, NEW, OLD)
    file.write_bytes(OLD)
    return counter.steps


def test_a_failure_at_any_step_leaves_the_file_as_it_was(file: Path) -> None:
    total = steps(file)
    assert total >= 6
    for at in range(1, total + 1):
        with fault(at, disk_full):
            assert refused(file) == "cannot be written: no space left on device"
        assert file.read_bytes() == OLD
        assert os.listdir(file.parent) == ["m.py"]


def test_an_interrupt_at_any_step_leaves_a_whole_file(file: Path) -> None:
    total = steps(file)
    for at in range(1, total + 1):
        for after in (False, True):
            with fault(at, interrupted, after), pytest.raises(KeyboardInterrupt):
                write_atomically(file, NEW, OLD)
            assert file.read_bytes() == (NEW if after and at == total else OLD)
            assert os.listdir(file.parent) == ["m.py"]
            file.write_bytes(OLD)


def test_short_writes_are_carried_on(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, bytes(data[:7])))
    write_atomically(file, NEW, OLD)
    assert file.read_bytes() == NEW


def test_leftovers_of_a_killed_write_are_swept(file: Path) -> None:
    for name in (".alchemod-run1-ab12.tmp", ".alchemod-run1-cd34.tmp", ".alchemod-run2-ab12.tmp", "alchemod-run1.tmp"):
        file.with_name(name).touch()
    sweep(file.parent, "run1")
    assert sorted(os.listdir(file.parent)) == [".alchemod-run2-ab12.tmp", "alchemod-run1.tmp", "m.py"]
    sweep(file.parent / "gone", "run1")
