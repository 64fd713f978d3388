"""Settings from pyproject.toml and the command line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from alchemod.settings.options import Selectors, Settings, SettingsError
from alchemod.settings.pyproject import load


def loaded(root: Path, text: str | None = None, **overrides: object) -> Settings:
    if text is not None:
        (root / "pyproject.toml").write_text(text, encoding="utf-8")
    return load(root, None, overrides)


def failure(root: Path, text: str, **overrides: object) -> str:
    with pytest.raises(SettingsError) as caught:
        loaded(root, text, **overrides)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_defaults(tmp_path: Path) -> None:
    for text in (None, "", "[project]\nname = 'x'\n", "[tool.ruff]\nselect = ['E']\n", "[tool.alchemod]\n"):
        settings = loaded(tmp_path, text)
        assert settings == Settings(layers=(Selectors(), Selectors()))


def test_every_option_can_be_configured(tmp_path: Path) -> None:
    settings = loaded(
        tmp_path,
        """\
[project]
name = "select"

[tool.alchemod]
select = ["ALC2", "filter-by-keywords"]
extend-select = ["MIG5"]
ignore = ["ALC202"]
unsafe-fixes = true
target = "1.4"
format = "json"
exclude = ["tests/"]
exit-zero = true
debug = true
quiet = true
verbose = true
""",
    )
    assert settings.select == ("ALC2", "filter-by-keywords")
    assert settings.extend_select == ("MIG5",)
    assert settings.ignore == ("ALC202",)
    assert settings.exclude == ("tests/",)
    assert (settings.target, settings.format) == ("1.4", "json")
    assert (settings.unsafe_fixes, settings.exit_zero, settings.debug) == (True, True, True)
    assert (settings.quiet, settings.verbose) == (True, True)
    assert settings.origin["select"] == "pyproject.toml:5"
    assert settings.origin["verbose"] == "pyproject.toml:15"


def test_the_command_line_goes_over_the_configuration(tmp_path: Path) -> None:
    settings = loaded(
        tmp_path,
        '[tool.alchemod]\ntarget = "1.4"\nselect = ["ALC1"]\nexclude = ["a"]\nexit-zero = true\n',
        target="2.0",
        select=["ALC201, ALC202", "MIG"],
        exclude=["b,c"],
        unsafe_fixes=True,
        exit_zero=False,
        format=None,
        ignore=[],
    )
    assert settings.target == "2.0"
    assert settings.exclude == ("b,c",)
    assert settings.select == ("ALC1", "ALC201", "ALC202", "MIG")
    assert settings.layers == (Selectors(select=("ALC1",)), Selectors(select=("ALC201", "ALC202", "MIG")))
    assert (settings.unsafe_fixes, settings.exit_zero, settings.format) == (True, True, "text")
    assert settings.origin["target"] == "--target"
    assert settings.origin["exit_zero"] == "pyproject.toml:5"
    assert settings.origin["unsafe_fixes"] == "--unsafe-fixes"


def test_selecting_nothing_is_not_the_same_as_not_selecting(tmp_path: Path) -> None:
    assert loaded(tmp_path, "[tool.alchemod]\nselect = []\n").layers[0].select == ()
    assert loaded(tmp_path, "[tool.alchemod]\n").layers[0].select is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[tool.alchemod]\nselct = []",
            "pyproject.toml:2: unknown key 'selct'; did you mean 'select'?",
        ),
        (
            "[tool.alchemod]\nunsafe_fixes = true",
            "pyproject.toml:2: unknown key 'unsafe_fixes'; did you mean 'unsafe-fixes'?",
        ),
        ("[tool.alchemod]\n\nzzz = 1", "pyproject.toml:3: unknown key 'zzz'"),
        ("[tool.alchemod]\nselect = 'ALC'", "pyproject.toml:2: 'select' must be a list of strings"),
        ("[tool.alchemod]\nignore = [1]", "pyproject.toml:2: 'ignore' must be a list of strings"),
        ("[tool.alchemod]\n# x\nunsafe-fixes = 1", "pyproject.toml:3: 'unsafe-fixes' must be true or false"),
        (
            "[tool.alchemod]\ntarget = 2.0",
            "pyproject.toml:2: 'target' must be one of '1.3', '1.4', '2.0', '2.1', not 2.0",
        ),
        (
            "[tool.alchemod]\ntarget = ['2.0']",
            "pyproject.toml:2: 'target' must be one of '1.3', '1.4', '2.0', '2.1', not ['2.0']",
        ),
        ('[tool.alchemod]\nformat = "xml"', "pyproject.toml:2: 'format' must be one of 'text', 'json', not 'xml'"),
        ("[tool]\nalchemod = 3", "pyproject.toml:2: [tool.alchemod] must be a table"),
        (
            "[x]\nzzz = 1\n[tool.alchemod]\nzzz = 1",
            "pyproject.toml:4: unknown key 'zzz'",
        ),
        (
            "[x]\nzzz = 1\n[tool]\nalchemod.zzz = 1",
            "pyproject.toml:4: unknown key 'zzz'",
        ),
        (
            "[x]\nzzz = 1\n[tool.alchemod.zzz]\na = 1",
            "pyproject.toml:3: unknown key 'zzz'",
        ),
        ("tool.alchemod.zzz = 1\n[x]\nzzz = 1", "pyproject.toml:1: unknown key 'zzz'"),
        ('["tool" . alchemod]\n"zzz" = 1', "pyproject.toml:2: unknown key 'zzz'"),
    ],
)
def test_wrong_configuration_is_one_sentence_with_a_line(tmp_path: Path, text: str, message: str) -> None:
    assert failure(tmp_path, text) == message


def test_what_is_not_toml(tmp_path: Path) -> None:
    message = failure(tmp_path, "[tool.alchemod]\nselect = [\nx y\n")
    assert message.startswith("pyproject.toml:3: is not TOML: ")
    (tmp_path / "pyproject.toml").write_bytes(b"# alchemod \xff\n")
    with pytest.raises(SettingsError, match=r"^pyproject.toml: is not UTF-8"):
        load(tmp_path, None, {})


def test_a_pyproject_of_others_is_none_of_our_business(tmp_path: Path) -> None:
    assert loaded(tmp_path, "this is [not TOML\n").select == ()


def test_a_given_configuration_file(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.alchemod]\nselect = ['ALC1']\n")
    bare = tmp_path / "alchemod.toml"
    bare.write_text("select = ['ALC2']\n")
    assert load(tmp_path, bare, {}).select == ("ALC2",)
    assert load(tmp_path, bare, {}).origin["select"] == f"{bare}:1"
    bare.write_text("[tool.alchemod]\nselect = ['ALC3']\n")
    assert load(tmp_path, bare, {}).select == ("ALC3",)
    bare.write_text("selekt = ['ALC3']\n")
    with pytest.raises(
        SettingsError,
        match=r"alchemod.toml:1: unknown key 'selekt'; did you mean 'select'",
    ):
        load(tmp_path, bare, {})
    (tmp_path / "sub").mkdir()
    other = tmp_path / "sub" / "pyproject.toml"
    other.write_text("[project]\nname = 'x'\n")
    assert load(tmp_path, other, {}).select == ()


def test_a_configuration_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"gone.toml: no such configuration file"):
        load(tmp_path, tmp_path / "gone.toml", {})
    with pytest.raises(SettingsError, match="cannot be read: is a directory"):
        load(tmp_path, tmp_path, {})
    (tmp_path / "pyproject.toml").mkdir()
    with pytest.raises(SettingsError, match=r"pyproject.toml: cannot be read: is a directory"):
        load(tmp_path, None, {})


def test_wrong_values_on_the_command_line(tmp_path: Path) -> None:
    assert failure(tmp_path, "", target="3.0") == "--target must be one of '1.3', '1.4', '2.0', '2.1', not '3.0'"
    assert failure(tmp_path, "", colour=True).startswith("unknown option --colour")


def test_reading_no_table_imports_no_toml_reader(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    program = (
        "import sys; from pathlib import Path; from alchemod.settings.pyproject import load\n"
        f"load(Path({str(tmp_path)!r}), None, {{}}); print('tomllib' in sys.modules, 'difflib' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert result.stdout.split() == ["False", "False"]
