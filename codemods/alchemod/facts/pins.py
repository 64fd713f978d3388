"""Places of the tests that rely on a chain of calls or on a patched name, and their look-up (fact F12)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Pin:
    """One place of a test that relies on a chain of attributes or on a patched name.

    `chain` holds attribute names without `return_value` and calls, in the order in which they are written:
    `("query", "filter_by")`. `target` is a dotted name, with a leading dot where its beginning is not known.
    `line` counts from 1.
    """

    path: str
    line: int
    chain: tuple[str, ...] = ()
    target: str = ""

    def __str__(self) -> str:
        """Return the pin for messages: `tests/test_x.py:12 pins query().filter_by()`."""
        if self.target:
            return f"{self.path}:{self.line} patches {self.target.lstrip('.')}"
        return f"{self.path}:{self.line} pins {'().'.join(self.chain)}()"


class Pins:
    """The pins of all tests of a project."""

    def __init__(self, pins: Iterable[Pin]) -> None:
        self._by_name: dict[str, list[Pin]] = {}
        self._by_target: dict[str, list[Pin]] = {}
        for pin in sorted(set(pins)):
            for name in dict.fromkeys(pin.chain):
                self._by_name.setdefault(name, []).append(pin)
            if pin.target:
                self._by_target.setdefault(pin.target.rpartition(".")[2], []).append(pin)

    def of(self, names: Sequence[str]) -> Pin | None:
        """Return the first pin that fixes the last of `names`, reached through those before it; else None.

        Chains are compared backwards, as far as both are known: `("query", "filter_by")` is fixed by
        `mock_query.filter_by.return_value` too, but not by `query.return_value.join.return_value.filter_by`.
        """
        *before, name = names
        for pin in self._by_name.get(name, ()):
            for place, pinned in enumerate(pin.chain):
                backwards = zip(reversed(before), reversed(pin.chain[:place]), strict=False)
                if pinned == name and all(mine == theirs for mine, theirs in backwards):
                    return pin
        return None

    def patched(self, *names: str) -> Pin | None:
        """Return the first pin that replaces one of the dotted `names`, or an object on the way; else None.

        Give the name where it is defined and where it is used (`app.db.SessionLocal`,
        `app.crud.SessionLocal`): a patch of either counts.
        """
        found = [pin for name in names for pin in self._replacing(name)]
        return min(found, default=None)

    def _replacing(self, name: str) -> Iterator[Pin]:
        parts = name.split(".")
        for end in range(1, len(parts) + 1):
            path = ".".join(parts[:end])
            for pin in self._by_target.get(parts[end - 1], ()):
                if _same_target(path, pin.target):
                    yield pin


def _same_target(name: str, target: str) -> bool:
    """Tell whether a patch target is the dotted name, where one of them may lack its first parts."""
    if target.startswith("."):
        return name == target[1:] or name.endswith(target)
    return (
        name == target
        or ("." in target and name.endswith(f".{target}"))
        or ("." in name and target.endswith(f".{name}"))
    )
