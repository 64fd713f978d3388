"""The open corpus: source distributions of four applications, fetched once into the user's cache.

pip would build their metadata, which fails for some; so the files are looked up in the package index that pip is
configured for, by its JSON API (PEP 691), checked against their hashes and unpacked. Nothing of them is ever run.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import urllib.parse
import urllib.request
from pathlib import Path

RELEASES = {
    "apache-airflow": "1.10.15",
    "apache-superset": "1.5.3",
    "buildbot": "3.5.0",
    "mlflow": "1.30.0",
}
_ACCEPTED = "application/vnd.pypi.simple.v1+json"


class CorpusError(Exception):
    """A source distribution is not to be had; the message says which and why."""


def cache_folder() -> Path:
    """Where the corpus is kept: `ALCHEMOD_BENCHMARK_CORPUS`, else `alchemod-benchmarks` in the user's cache folder."""
    named = os.environ.get("ALCHEMOD_BENCHMARK_CORPUS")
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(named) if named else base / "alchemod-benchmarks"


def projects() -> list[Path]:
    """The unpacked projects, fetched if they are not there yet.

    Raises:
        CorpusError: the index does not answer, does not have a file, or sends another one than it promises.
    """
    return [unpacked(name, release) for name, release in RELEASES.items()]


def unpacked(name: str, release: str) -> Path:
    """One unpacked project, fetched if it is not there yet.

    Raises:
        CorpusError: as for `projects`.
    """
    folder = cache_folder() / f"{name}-{release}"
    if not folder.is_dir():
        folder = cache_folder() / f"{name.replace('-', '_')}-{release}"
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        print(f"fetching {name} {release}", file=sys.stderr)
        with tarfile.open(fileobj=io.BytesIO(_fetch(name, release))) as archive:
            archive.extractall(folder.parent, filter="data")
    return folder


def _fetch(name: str, release: str) -> bytes:
    page = f"{_index().rstrip('/')}/{name}/"
    try:
        request = urllib.request.Request(page, headers={"Accept": _ACCEPTED})
        with urllib.request.urlopen(request, timeout=60) as answer:
            if answer.headers.get_content_type() != _ACCEPTED:
                raise CorpusError(f"{page} does not speak the JSON API of PEP 691")
            files = json.load(answer)["files"]
        wanted = {f"{stem}-{release}.tar.gz" for stem in (name, name.replace("-", "_"))}
        file = next((file for file in files if file["filename"] in wanted), None)
        if file is None:
            raise CorpusError(f"{page} has no source distribution of {name} {release}")
        with urllib.request.urlopen(urllib.parse.urljoin(page, file["url"]), timeout=300) as answer:
            content: bytes = answer.read()
    except OSError as error:
        raise CorpusError(f"cannot fetch {name} {release} from {page}: {error}") from error
    if hashlib.sha256(content).hexdigest() != file["hashes"]["sha256"]:
        raise CorpusError(f"{file['filename']} is not the file that {page} promises")
    return content


def _index() -> str:
    """The package index that pip uses."""
    named = os.environ.get("PIP_INDEX_URL")
    if named:
        return named
    command = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    configured = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return configured or "https://pypi.org/simple"
