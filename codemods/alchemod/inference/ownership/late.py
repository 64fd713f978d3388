"""What is used of a session once it is closed on every way: the session, its queries, what is not loaded of its
objects.

SQLAlchemy 2.0, "Session Basics" (a closed session begins anew), "State Management" (Detached), and the
DetachedInstanceError of "Error Messages".
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from alchemod.facts.models import Models
from alchemod.facts.nodes import children
from alchemod.inference.ownership.comparison import line_of
from alchemod.inference.ownership.life import SessionLife
from alchemod.inference.ownership.methods import SESSION_METHODS
from alchemod.inference.ownership.record import Record, Use
from alchemod.inference.ownership.state import EXPIRED, Facts, Ref
from alchemod.inference.scoping.scopes import Body, contains
from alchemod.inference.values import Answer, Collection, Coroutine, ModelClass, Object, Rows, Statement

LateKind: TypeAlias = Literal["session", "consumed", "consumed by caller", "read", "expired"]
"""The session is used again; a query, result or generator is consumed, here or by the caller it is returned to; an
attribute is read that is not loaded; objects are returned of which everything is expired."""

Subject: TypeAlias = Literal["session", "query", "result", "generator", "objects", "column", "relationship"]

_CONSUMERS: Final = frozenset({"list", "sorted", "tuple", "set", "frozenset", "enumerate", "sum", "any", "all", "dict"})
_ASKING: Final = frozenset({"read", "write", "add", "merge", "flush", "refresh"})


@dataclass(frozen=True, slots=True)
class LateUse:
    """A use at `node` of a `subject`. `closed` is the line that closed the session.

    `in_place` is the query or result that could be consumed where it stands, because whoever gets it goes over it and
    does nothing else. `expired` is the line of the commit that expired what is read (0: a rollback did). `model` is the
    class whose relationship is read.
    """

    kind: LateKind
    subject: Subject
    node: ast.AST
    closed: int
    in_place: ast.Call | None = None
    expired: int = 0
    model: str = ""


class LateUses:
    """The late uses of the sessions of one function or module."""

    def __init__(self, unit: Body, value: Callable[[ast.expr], Answer | None], models: Models) -> None:
        self._unit: Final = unit
        self._value: Final = value
        self._models: Final = models

    def of(self, life: SessionLife) -> list[LateUse]:
        """The late uses of one session in source order. Only what is late on every way counts."""
        record = life.record
        if record is None:
            return []
        ends = list(self._ends(record))
        found = [late for use in record.uses.values() if (late := self._use(use, life, record, ends)) is not None]
        found += self._let_out(life, record, ends)
        places = {(late.kind, late.node): late for late in reversed(found) if not self._is_expected(late.node)}
        return sorted(places.values(), key=lambda late: line_of(late.node))

    def _use(self, use: Use, life: SessionLife, record: Record, ends: Sequence[int]) -> LateUse | None:
        if "C" not in use.lives or use.lives - {"C", "R"}:
            return None
        closed = max((end for end in ends if end <= line_of(use.node)), default=0)
        match use.kind:
            case "session" if use.node in record.reuses and not life.is_shared:  # its owner may close it to lend it out
                return LateUse("session", "session", use.node, closed) if _asks(use.node, record) else None
            case "lazy" if _is_made_late(use.source, record):
                return None if life.is_shared else LateUse("session", "session", use.node, closed)
            case "lazy":
                return self._consumed("consumed", use.node, use.source, closed, life)
            case "read" if use.surely_fails and isinstance(use.node, ast.Attribute):
                return self.reading(use.node, closed, record)
        return None

    def reading(self, node: ast.Attribute, closed: int, record: Record) -> LateUse:
        """The late read of an attribute that is not loaded."""
        match self._value(node.value):
            case Answer(value=Object(of=ModelClass(model=model))):
                found = self._models.attribute(model, node.attr)
                if found is not None and found.kind == "relationship":
                    return LateUse("read", "relationship", node, closed, model=model.name)
        return LateUse("read", "column", node, closed, expired=_expired(node, record))

    def _let_out(self, life: SessionLife, record: Record, ends: Sequence[int]) -> Iterator[LateUse]:
        """What the caller gets by `return` from a session that is closed by then."""
        state = record.exits.get("return", {})
        open_out = {pair for left, facts in state.items() if left not in ("C", "R") for pair in facts.returned}
        closed = state.get("C")
        for ref, node in closed.returned - open_out if closed is not None else ():
            line = min((end for end in ends if end >= line_of(node)), default=line_of(node))
            source = ref.site if isinstance(ref.site, ast.AST) else None
            if ref.kind == "lazy" and (late := self._consumed("consumed by caller", node, source, line, life)):
                yield late
            elif closed is not None and _is_expired(ref, closed) and self._subject(source) not in (None, "generator"):
                yield LateUse("expired", "objects", node, line, expired=_expired(node, record))

    def _consumed(
        self, kind: LateKind, node: ast.AST, source: ast.AST | None, closed: int, life: SessionLife
    ) -> LateUse | None:
        subject = self._subject(source)
        if subject not in ("query", "result", "generator") or (subject == "result" and life.opening.is_async):
            return None  # the results of an AsyncSession are fetched when they are given
        in_place = self._in_place(node, source) if subject != "generator" else None
        return LateUse(kind, subject, node, closed, in_place)

    def _subject(self, source: ast.AST | None) -> Subject | None:
        """What was made at `source`; None when it is not known to have to do with a session."""
        if isinstance(source, ast.GeneratorExp):
            over = self._value(source.generators[0].iter)
            return "generator" if over is not None and isinstance(over.value, Statement | Rows) else None
        answer = self._value(source) if isinstance(source, ast.expr) else None
        if answer is None:
            return None
        value = answer.value.inner if isinstance(answer.value, Coroutine) else answer.value
        match value:
            case Statement(style="query"):
                return "query"
            case Rows(lazy=lazy):
                return "result" if lazy else "objects"
            case Object(of=ModelClass()) | Collection(element=Object(of=ModelClass()), lazy=False):
                return "objects"
        return None

    def _in_place(self, node: ast.AST, source: ast.AST | None) -> ast.Call | None:
        if not isinstance(source, ast.Call):
            return None
        if isinstance(node, ast.Return) and node.value is source:
            return source
        assigning = (part for part in ast.walk(self._unit) if isinstance(part, ast.Assign) and part.value is source)
        match next(assigning, None):
            case ast.Assign(targets=[ast.Name(id=name)]):
                mentions = _mentions(name, self._unit)
                return source if all(_goes_over(parent, use) for parent, use in mentions) else None
        return None

    def _ends(self, record: Record) -> Iterator[int]:
        """The lines that close the session."""
        yield from map(line_of, record.closes)
        for node in ast.walk(self._unit):
            if isinstance(node, ast.With | ast.AsyncWith) and any(item in record.managed for item in node.items):
                yield node.end_lineno or node.lineno

    def _is_expected(self, node: ast.AST) -> bool:
        """Whether a test expects the failure: `with pytest.raises(DetachedInstanceError):`."""
        stack: list[ast.AST] = [self._unit] if isinstance(node, ast.expr | ast.stmt) else []
        while stack:
            current = stack.pop()
            if isinstance(current, ast.With | ast.AsyncWith) and contains(current, node):  # type: ignore[arg-type]
                heads = [item.context_expr for item in current.items]
                if any("raises" in ast.unparse(head.func).lower() for head in heads if isinstance(head, ast.Call)):
                    return True
            stack += [child for child in children(current) if not isinstance(child, ast.expr)]
        return False


def _is_made_late(source: ast.AST | None, record: Record) -> bool:
    """Whether the query at `source` is one of a session that was closed before it was made."""
    root = source
    while isinstance(root, ast.Call) and isinstance(root.func, ast.Attribute) and isinstance(root.func.value, ast.Call):
        root = root.func.value
    use = record.uses.get((root, "session")) if root is not None else None
    return use is not None and "C" in use.lives and not use.lives - {"C", "R"}


def _asks(node: ast.AST, record: Record) -> bool:
    """Whether a use of the session asks the database, or lets a callee do so."""
    method = node.func.attr if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else ""
    return node in record.lent or SESSION_METHODS.get(method) in _ASKING


def _expired(node: ast.AST, record: Record) -> int:
    """The commit that expired an object, as far as the order of lines tells."""
    return max((line for commit in record.commits if (line := line_of(commit)) <= line_of(node)), default=0)


def _is_expired(ref: Ref, facts: Facts) -> bool:
    data = facts.data.get(ref.site) if isinstance(ref.site, ast.AST) else None
    if ref.kind not in ("data", "rows") or data is None:
        return False
    return data.tied and data.elements == EXPIRED and ref.path in ((), ("[]",))


def _mentions(name: str, unit: ast.AST) -> Iterator[tuple[ast.AST, ast.Name]]:
    for parent in ast.walk(unit):
        for child in ast.iter_child_nodes(parent):
            if isinstance(child, ast.Name) and child.id == name:
                yield parent, child


def _goes_over(parent: ast.AST, use: ast.Name) -> bool:
    """Whether a mention of a query binds it, returns it, or goes over its rows."""
    match parent:
        case ast.Assign(targets=[target]):
            return target is use
        case ast.For(iter=iterated) | ast.comprehension(iter=iterated):
            return iterated is use
        case ast.Call(func=ast.Name(id=called), args=[first, *_]):
            return first is use and called in _CONSUMERS
    return isinstance(parent, ast.Return)
