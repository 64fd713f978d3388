"""Where the modules of a project live: source roots, and the file behind an absolute module name."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from alchemod.facts.vocabulary import KNOWN_LIBRARIES


class Layout:
    """The source roots of a project, found from its files.

    A root is the project folder, its `src` folder, or the parent of a top-level package. The folder of a file that is
    in no package is a root for the files of that folder alone (Python puts it on the path when it runs one of them).
    """

    def __init__(self, root: Path, files: Iterable[Path]) -> None:
        self._files = {str(path): path for path in files}
        names_in: dict[str, list[str]] = {}
        for folder, name in map(os.path.split, self._files):
            names_in.setdefault(folder, []).append(name)
        self._names_in = {Path(folder): names for folder, names in names_in.items()}
        self._packages = {folder for folder, names in self._names_in.items() if "__init__.py" in names}
        self._folders = self._folders_below(root)
        self._roots = {root, root / "src"}
        self._roots.update(folder.parent for folder in self._packages if folder.parent not in self._packages)
        self._root_of_folder: dict[Path, Path] = {}
        self._package_of: dict[Path, str] = {}
        self._roots_by_top = self._tops()

    def _folders_below(self, root: Path) -> set[Path]:
        """The folders below `root` that files lie in, at any depth."""
        found: set[Path] = set()
        for folder in self._names_in:
            while folder not in found and root in folder.parents:
                found.add(folder)
                folder = folder.parent
        return found

    def _tops(self) -> dict[str, list[Path]]:
        """The roots that have something of each top-level name."""
        found: dict[str, set[Path]] = {}
        for folder, names in self._names_in.items():
            for root in (folder, *folder.parents):
                if root in self._roots:
                    tops = names if root == folder else [folder.parts[len(root.parts)]]
                    for top in tops:
                        found.setdefault(top.removesuffix(".py"), set()).add(root)
        return {top: sorted(roots) for top, roots in found.items()}

    def root_of(self, path: Path) -> Path:
        """The source root that a file is imported from: the nearest one above its top-level package."""
        folder = path.parent
        if folder not in self._root_of_folder:
            top = folder
            while top in self._packages:
                top = top.parent
            root = next((above for above in (top, *top.parents) if above in self._roots), top)
            self._root_of_folder[folder] = root
        return self._root_of_folder[folder]

    def name_of(self, path: Path) -> str:
        """The dotted name of the module in `path`."""
        folder = path.parent
        if folder not in self._package_of:
            self._package_of[folder] = ".".join(folder.parts[len(self.root_of(path).parts) :])
        package = self._package_of[folder]
        if path.stem == "__init__":
            return package
        return f"{package}.{path.stem}" if package else path.stem

    def find(self, module: str, near: Path) -> Path | None:
        """The file of the absolute module name `module`, as imported by the file `near`.

        Returns None for a module that is not the project's, and for one that several roots claim equally.
        """
        parts = module.split(".")
        if near.parent not in self._packages and (beside := self._under(near.parent, parts)) is not None:
            return beside
        found: dict[Path, Path] = {}
        for root in self._roots_by_top.get(parts[0], ()):
            if (path := self._under(root, parts)) is not None:
                found[root] = path
        if len(found) > 1:
            above = [root for root in found if root in near.parents]
            return found[max(above, key=lambda root: len(root.parts))] if above else None
        return next(iter(found.values()), None) or self._inside(parts, near)

    def _inside(self, parts: list[str], near: Path) -> Path | None:
        """The module of a package that lies in a package above `near`: a program that is run from there imports it so.

        A single name is not looked for: a module of a package may be called like a library.
        """
        if len(parts) < 2 or parts[0] in sys.stdlib_module_names or parts[0] in KNOWN_LIBRARIES:
            return None
        above = (folder for folder in near.parents if folder in self._packages and folder / parts[0] in self._packages)
        return next((path for folder in above if (path := self._under(folder, parts)) is not None), None)

    def folder_of(self, module: str, near: Path) -> Path | None:
        """A folder of the namespace package `module`: one without `__init__.py` that holds files of the project."""
        parts = module.split(".")
        roots = sorted(self._roots_by_top.get(parts[0], ()), key=lambda root: root in near.parents, reverse=True)
        return next((folder for root in roots if (folder := root.joinpath(*parts)) in self._folders), None)

    def hides(self, library: str, near: Path) -> bool:
        """Whether the file `near`, importing the library of that name, gets a module or package beside or above it.

        What lies beside it hides nothing where both belong to a package: Python imports by absolute names.
        """
        in_package = os.path.join(str(near.parent), "__init__.py") in self._files
        roots = {*([] if in_package else [near.parent]), *self._roots_by_top.get(library, ())}
        return any(root in near.parents and self._under(root, [library]) is not None for root in roots)

    def is_project_name(self, module: str, near: Path) -> bool:
        """Whether the first part of `module` names something of the project, so that it is no outside library."""
        top = module.partition(".")[0]
        return top in self._roots_by_top or self._under(near.parent, [top]) is not None

    def _under(self, root: Path, parts: list[str]) -> Path | None:
        base = os.path.join(str(root), *parts)
        return self._files.get(f"{base}.py") or self._files.get(os.path.join(base, "__init__.py"))
