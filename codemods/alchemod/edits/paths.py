"""Paths in a LibCST tree: following one, and copying the nodes on it.

A path is a tuple of steps, each an attribute or an item of one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from alchemod.edits.refusal import Refusal

Step: TypeAlias = tuple[str, int | None]
Path: TypeAlias = tuple[Step, ...]


def follow(node: Any, path: Path) -> Any:
    """The node at the end of a path. Raises Refusal when the path leads nowhere."""
    try:
        for name, index in path:
            node = getattr(node, name)
            if index is not None:
                node = node[index]
    except (AttributeError, IndexError, TypeError):
        raise Refusal("the statement could not be matched with its LibCST tree") from None
    return node


def put(node: Any, path: Path, new: Any) -> Any:
    """A copy of ``node`` with ``new`` at the end of the path; nothing off the path is copied.

    A list as ``new`` takes the place of one item of a sequence.
    """
    return put_all(node, [(path, new)])


def put_all(node: Any, edits: Sequence[tuple[Path, Any]]) -> Any:
    """A copy of ``node`` with something new at the end of each path, the shorter paths first."""
    below: dict[str, dict[int | None, list[tuple[Path, Any]]]] = {}
    for path, new in edits:
        if path:
            name, index = path[0]
            below.setdefault(name, {}).setdefault(index, []).append((path[1:], new))
        else:
            node = new
    if not below:
        return node
    return node.with_changes(**{name: _with_items(getattr(node, name), by_index) for name, by_index in below.items()})


def _with_items(value: Any, edits: dict[int | None, list[tuple[Path, Any]]]) -> Any:
    if None in edits:
        return put_all(value, edits[None])
    items: list[Any] = []
    for index, item in enumerate(value):
        new = put_all(item, edits[index]) if index in edits else item
        items += new if isinstance(new, list) else [new]
    return items
