"""What an area of knowledge is: the questions of one field, asked by several rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alchemod.inference import Inference


class Area:
    """Questions about a project that belong together, with what they remember.

    A rule gets an area by `ctx.ask(TheArea)`. It is made once and forgotten when the content of a file changes.
    """

    def __init__(self, inference: Inference) -> None:
        self.inference = inference
