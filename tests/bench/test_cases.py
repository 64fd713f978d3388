"""Head comments: what they may say, and the message when they say it wrongly."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from bench.cases import CaseError, Sides, find_cases, read_case


def write(folder: Path, text: str, name: str = "loop.py") -> Path:
    path = folder / "querying" / "some_rule" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def test_a_plain_case(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "# -*- coding: utf-8 -*-\n"
        "# expect: ALC201 safe\n# expect: ALC201 safe\n# expect: ALC202 report 2\n"
        "# versions: 2.1 2.0\n# options: --target '2.0'\n# statements: -3\n"
        "\n# expect: not in the head\nprint(1)\n",
    )
    case = read_case(path)
    assert case.rule == "querying/some_rule"
    assert case.expected == Counter({("ALC201", "safe"): 2, ("ALC202", "report"): 2})
    assert case.versions == Sides(("2.0", "2.1"), ("2.0", "2.1"))
    assert case.options == ("--target", "2.0")
    assert case.statements == "-3"
    assert case.runnable
    assert not case.is_unsafe
    assert not case.states_outcome
    assert case.files == {"loop.py": path.read_bytes()}


def test_defaults(tmp_path: Path) -> None:
    case = read_case(write(tmp_path, "# expect: ALC201 unsafe\nx = 1\n"))
    assert case.versions == Sides(("1.4", "2.0", "2.1"), ("1.4", "2.0", "2.1"))
    assert case.statements == "equal"
    assert case.is_unsafe
    assert not case.runnable, "it neither prints nor has a main part"


def test_sides_may_differ(tmp_path: Path) -> None:
    case = read_case(
        write(
            tmp_path,
            "# expect: ALC201 safe\n# before: 1.4\n# after: 1.4 2.0\n"
            "# raises before: NameError\n# prints after: 1\n# prints after: 2\nprint()\n",
        )
    )
    assert case.versions == Sides(("1.4",), ("1.4", "2.0"))
    assert case.raises == Sides(before=("NameError",))
    assert case.prints == Sides(after=("1", "2"))


def test_a_folder_is_one_case(tmp_path: Path) -> None:
    write(tmp_path, "# expect: nothing\nprint(1)\n", "keep_shop/main.py")
    write(tmp_path, "x = 1\n", "keep_shop/models/book.py")
    write(tmp_path, "not a case", "_shared/main.py")
    (path,) = find_cases(tmp_path)
    case = read_case(path)
    assert case.is_keep
    assert sorted(case.files) == ["main.py", "models/book.py"]
    assert case.program(case.files).main == "main.py"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("print(1)\n", 1, "the head comment needs '# expect: CODE safe|unsafe|report'"),
        (
            "# expect: ALC201\n",
            1,
            "'expect' is 'CODE safe|unsafe|report [number]' or 'nothing', not 'ALC201'",
        ),
        ("# expect: ALC201 safe\n# a stray remark\n", 2, "'# a stray remark' is no directive"),
        ("# expect: ALC201 safe\n# expects: ALC202 safe\n", 2, "with a key of: expect, says"),
        ("# expect: ALC201 safe\n# versions: 1.3\n", 2, "'versions' names 1.3; the bench has 1.4, 2.0, 2.1"),
        (
            "# expect: ALC201 safe\n# statements: less\n",
            2,
            "'statements' stands at most once and is equal|fewer",
        ),
        ("# expect: ALC201 safe\n# run: no\n", 2, "'run' is 'no, why', not 'no'"),
        ("# expect: ALC201 safe\n# sql: SELECT\nx = 1\n", 2, "'sql' speaks of running the case"),
        (
            "# expect: ALC201 safe\n# prints after: 1\nprint()\n",
            1,
            "needs a 'prints before' or 'raises before'",
        ),
        ("# expect: ALC201 safe\n# expect: nothing\n", 2, "'expect' is 'CODE safe|unsafe|report [number]'"),
        ("# expect: nothing\n", 1, "name it keep_..."),
        ("# expect: ALC201 safe\nprint 1\n", 2, "the case is not Python"),
    ],
)
def test_a_wrong_head_is_named_with_file_and_line(tmp_path: Path, text: str, line: int, message: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(CaseError) as raised:
        read_case(path)
    assert str(raised.value).startswith(f"{path}:{line}: ")
    assert message in str(raised.value)


def test_a_look_alike_expects_no_fix(tmp_path: Path) -> None:
    path = write(tmp_path, "# expect: ALC201 safe\n", "keep_it.py")
    with pytest.raises(CaseError, match="a keep_ case must stay as it is"):
        read_case(path)


def test_a_look_alike_need_not_say_that_it_expects_nothing(tmp_path: Path) -> None:
    case = read_case(write(tmp_path, "# note: a Django manager\nx = 1\n", "keep_manager.py"))
    assert not case.expected


def test_a_folder_without_main(tmp_path: Path) -> None:
    write(tmp_path, "x = 1\n", "shop/models.py")
    with pytest.raises(CaseError, match=r"needs a main\.py with the head comment"):
        read_case(tmp_path / "querying" / "some_rule" / "shop")
