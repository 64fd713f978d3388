"""What becomes of statements and suites: gone, dissolved, emptied, wrapped in a block."""

from __future__ import annotations

import ast
from collections.abc import Container, Sequence

from alchemod.edits.plan import Plan
from alchemod.edits.refusal import Refusal
from alchemod.edits.verbs import Append, Block, Dissolve, Drop, Insert, Swap


class Structure:
    """Answers about the statements of one file under a plan."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._blocks: dict[int, Block] = {}
        self._replaced: set[int] = set()
        for _, verb in plan.verbs():
            if isinstance(verb, Block):
                self._blocks[id(verb.node)] = verb
                self._replaced.update(id(statement) for statement in verb.replaces)

    def index(self, statement: ast.AST) -> int:
        """The index of a statement in its suite."""
        index = self._plan.ancestry.place(statement).item
        assert index is not None
        return index

    def block_at(self, statement: ast.stmt, done: Container[int]) -> Block | None:
        """The block that begins with a statement, unless its id is in ``done``."""
        found = self._blocks.get(id(statement))
        return None if found is None or id(found) in done else found

    def is_gone(self, statement: ast.AST) -> bool:
        """Whether the statement or handler disappears."""
        return id(statement) in self._replaced or bool(self._plan.on(statement, Drop))

    def is_emptied(self, statements: Sequence[ast.stmt]) -> bool:
        """Whether all statements of a suite disappear and none comes."""
        return bool(statements) and all(
            self.is_gone(statement) and not self._plan.on(statement, Insert) and id(statement) not in self._blocks
            for statement in statements
        )

    def is_emptied_block(self, statements: Sequence[ast.stmt]) -> bool:
        """Whether nothing is left of the statements of a block."""
        return all(
            self.is_gone(statement)
            and (statement is statements[0] or not self._has_insertion(statement, after=False))
            and (statement is statements[-1] or not self._has_insertion(statement, after=True))
            and (statement is statements[0] or id(statement) not in self._blocks)
            for statement in statements
        )

    def _has_insertion(self, statement: ast.stmt, *, after: bool) -> bool:
        return any(verb.after is after for verb in self._plan.on(statement, Insert))

    def is_dissolved(self, statement: ast.stmt) -> bool:
        """Whether the body of a compound statement takes its place: a ``try`` that has nothing left to do.

        Raises Refusal when an ``else`` stands in the way.
        """
        if self._plan.on(statement, Dissolve):
            self._check_dissolvable(statement)
            return True
        if not isinstance(statement, ast.Try | ast.TryStar) or not self._plan.touches(statement):
            return False
        if not all(self.is_gone(handler) for handler in statement.handlers):
            return False
        if statement.finalbody and not self.is_emptied(statement.finalbody):
            return False
        if statement.orelse and not self.is_emptied(statement.orelse):
            raise Refusal("the try statement would lose its handlers but keep its else")
        return True

    def is_consumed(self, owner: ast.AST) -> bool:
        """Whether the text of a statement, handler or decorator disappears, so that no edit is seen in it."""
        if self._plan.on(owner, Dissolve):
            return True
        return self.disappears(owner) or bool(self._plan.on(self._plan.ancestry.statement(owner), Swap))

    def disappears(self, node: ast.AST) -> bool:
        """Whether the node lies in a statement, handler or decorator that is taken out."""
        return any(self.is_gone(ancestor) for ancestor in self._plan.ancestry.ancestors(node))

    @staticmethod
    def _check_dissolvable(statement: ast.stmt) -> None:
        parts = ("orelse", "handlers", "finalbody", "cases", "args")
        if not hasattr(statement, "body") or any(getattr(statement, part, None) for part in parts):
            raise Refusal("only a compound statement that is nothing but a header and a body can be dissolved")

    def changes(self, statements: Sequence[ast.stmt], owner: ast.AST) -> bool:
        """Whether statements of a suite come, go or move: not only change inside."""
        return bool(self._plan.on(owner, Append)) or any(
            self.is_gone(statement)
            or id(statement) in self._blocks
            or self._plan.on(statement, Insert)
            or self.is_dissolved(statement)
            for statement in statements
        )
