"""Installed copies of the pinned SQLAlchemy versions, in the cache of the user who runs the tests."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
from functools import cache
from pathlib import Path

PINS_FILE = Path(__file__).with_name("versions.toml")
CACHE_VARIABLE = "ALCHEMOD_TESTS_CACHE"


class InstallError(Exception):
    """A pinned SQLAlchemy could not be installed; the message says what pip said."""


@cache
def pins() -> dict[str, dict[str, str]]:
    """The tables of `versions.toml`: `sqlalchemy` and `alembic` map a series to a release, `beside` goes with each."""
    return tomllib.loads(PINS_FILE.read_text("utf-8"))


def series() -> tuple[str, ...]:
    """The SQLAlchemy series that cases may name, oldest first: `("1.4", "2.0", "2.1")`."""
    return tuple(pins()["sqlalchemy"])


def cache_folder() -> Path:
    """The folder that keeps what the tests install. It is outside the repository and ignores itself.

    `ALCHEMOD_TESTS_CACHE` names another one; the default is `alchemod-tests` in the user's cache folder.
    """
    named = os.environ.get(CACHE_VARIABLE)
    folder = Path(named) if named else _user_cache() / "alchemod-tests"
    folder.mkdir(parents=True, exist_ok=True)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", "utf-8")
    return folder


def _user_cache() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def installed(version: str) -> Path:
    """The folder with SQLAlchemy of series `version`, to be put on `sys.path`; installs it the first time.

    Two runs at the same moment are safe: each installs into a folder of its own, the first to rename it wins.

    Raises:
        InstallError: pip failed, or this Python has no pip.
    """
    requirements = [f"SQLAlchemy=={pins()['sqlalchemy'][version]}", f"alembic=={pins()['alembic'][version]}"]
    requirements += [f"{name}=={release}" for name, release in pins()["beside"].items()]
    abi = f"{sys.implementation.cache_tag}-{sysconfig.get_platform()}"
    digest = hashlib.sha256(" ".join(requirements).encode()).hexdigest()[:8]
    home = cache_folder() / f"sqlalchemy-{pins()['sqlalchemy'][version]}-{abi}-{digest}"
    if not home.exists():
        _install(requirements, home)
    return home


def _install(requirements: list[str], home: Path) -> None:
    staging = Path(tempfile.mkdtemp(prefix=".install-", dir=home.parent))
    try:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        command += ["--no-deps", "--target", str(staging / "packages"), *requirements]
        pip = subprocess.run(command, capture_output=True, text=True, check=False)
        if pip.returncode:
            raise InstallError(f"cannot install {' '.join(requirements)} for the tests:\n{pip.stderr.strip()}")
        try:
            (staging / "packages").rename(home)
        except OSError:
            if not home.exists():  # not a lost race
                raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)
