"""Objects that get into a session only because they were attached to one that is in it.

Up to SQLAlchemy 1.4 `child.parent = parent` puts the child into the session of the parent, along the backref; 2.0 does
not ("cascade_backrefs behavior deprecated for removal in 2.0", changelog of 1.4; verified by execution).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from alchemod.facts.attributes import Attribute
from alchemod.facts.module import last_name
from alchemod.facts.nodes import statements
from alchemod.facts.relationships import backref_name
from alchemod.inference.area import Area
from alchemod.inference.control.reaching import definitions
from alchemod.inference.resolving.functions import own_nodes
from alchemod.inference.scoping.scopes import Body
from alchemod.inference.transactions.evidence import told_by_use
from alchemod.inference.uses.parents import Parents, parents_of
from alchemod.inference.values import Answer, ModelClass, Object, Rows, Session, Statement, resting_on

_SETTLING = frozenset({"commit", "flush"})
_ADDING = frozenset({"add", "add_all", "merge", "bulk_save_objects"})
_OF_ADDED = frozenset({"delete", "refresh", "expire", "expunge"})
"""Methods of a session that take an object which is in it."""
_WITHOUT = ("viewonly", "cascade_backrefs")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A new object that is attached to another one, and never added to a session.

    `made` is the call that makes it, `statement` the one that attaches it, `name` the variable that holds it, "" where
    none does. `session` is the code of the session that is committed or flushed afterwards. `missing` says what is not
    known, "" when the parent is seen to be in that session.
    """

    made: ast.Call
    statement: ast.stmt
    name: str
    relationship: str
    parent: ast.expr
    session: str
    answer: Answer
    missing: str = ""


class BackrefCascades(Area):
    """Answers about the cascade along backrefs."""

    def attached(self, path: Path, function: Body) -> Iterator[Attachment]:
        """The new objects of a function that a session of it gets along a backref only."""
        nodes = list(own_nodes(function))
        calls = [node for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
        settled = [call for call in calls if last_name(call) in _SETTLING and self._session(path, call) is not None]
        if not settled:
            return
        parents = parents_of(self.inference.project.tree(path))
        for statement in statements(function.body):
            made, name = _made(statement)
            after = [call for call in settled if call.lineno > statement.lineno]
            if made is None or not after or (name and not _stays(name, statement, nodes, parents)):
                continue
            answer = self.inference.value(path, made.func)
            if answer is None or not isinstance(answer.value, ModelClass) or answer.value.alias is not None:
                continue
            for relationship, parent in self._parents(answer.value, made, name, nodes):
                found = self._judged(path, parent, calls, after)
                if found is None:
                    break
                session, known, missing = found
                resting = resting_on(answer.value, [answer, *([known] if known is not None else [])])
                at = parents.statement(parent)
                yield Attachment(made, at, name, relationship, parent, session, resting, missing)
                break

    def _parents(
        self, cls: ModelClass, made: ast.Call, name: str, nodes: Sequence[ast.AST]
    ) -> Iterator[tuple[str, ast.expr]]:
        """The relationships with a backref that a new object gets a value for, and these values."""
        given = [(keyword.arg, keyword.value) for keyword in made.keywords if keyword.arg is not None]
        for node in nodes:
            match node:
                case ast.Assign(targets=[ast.Attribute(value=ast.Name(id=owner), attr=key)], value=value):
                    if name and owner == name:
                        given.append((key, value))
        for key, value in given:
            attribute = self.inference.project.models.attribute(cls.model, key)
            if attribute is not None and attribute.kind == "relationship" and self._cascades(attribute, cls):
                yield key, value

    def _cascades(self, attribute: Attribute, cls: ModelClass) -> bool:
        """Whether what a relationship leads to has one back, along which 1.4 cascades."""
        models = self.inference.project.models
        back = attribute.reverse_of
        named = attribute.keyword("back_populates")
        if back is None and isinstance(named, ast.Constant):
            target = models.target(attribute, cls.model)
            back = models.attribute(target, str(named.value)) if target is not None else None
            if back is None or back.kind != "relationship":
                return False
        elif back is None and backref_name(attribute) is None:
            return False
        sides = [side for side in (attribute, back) if side is not None]
        if any(side.has_unpacked_keywords or any(side.keyword(word) for word in _WITHOUT) for side in sides):
            return False
        cascade = back.keyword("cascade") if back is not None else _of_backref(attribute)
        return cascade is None or (
            isinstance(cascade, ast.Constant) and any(word in str(cascade.value) for word in ("save-update", "all"))
        )

    def _judged(
        self, path: Path, parent: ast.expr, calls: Sequence[ast.Call], after: Sequence[ast.Call]
    ) -> tuple[str, Answer | None, str] | None:
        """The session of a parent, and what is not known of it; None when the parent is not in one, or added later."""
        value = self.inference.value(path, parent)
        if value is None or not isinstance(value.value, Object) or not isinstance(value.value.of, ModelClass):
            return None
        session = after[-1].func
        assert isinstance(session, ast.Attribute)
        code, known = ast.unparse(session.value), self._session(path, after[-1])
        added = [call for call in calls if last_name(call) in _ADDING and _mentions(call, ast.unparse(parent))]
        if any(call.lineno >= parent.lineno for call in added):
            return None
        if any(isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) == code for call in added):
            return code, known, ""
        source = self._source(path, parent)
        if isinstance(source, ast.Call) and self._comes_from(path, source, code):
            return code, known, ""
        if isinstance(source, ast.Call) and self._makes(path, source):
            return None
        return (
            code,
            known,
            f"whether {ast.unparse(parent)} is in the session; then write {code}.add() for the new object",
        )

    def _source(self, path: Path, parent: ast.expr) -> ast.expr | None:
        if not isinstance(parent, ast.Name):
            return parent
        single = definitions(self.inference.project.tree(path), parent).single
        return single.value if single is not None and single.position == () else None

    def _comes_from(self, path: Path, source: ast.expr, code: str) -> bool:
        """Whether an object is what a query of the session gives."""
        node = source
        while isinstance(node, ast.Call | ast.Attribute | ast.Await | ast.Subscript):
            inner = node.func if isinstance(node, ast.Call) else node.value
            if ast.unparse(inner) == code:
                return True
            node = inner
        answer = self.inference.value(path, node)
        return answer is not None and isinstance(answer.value, Statement | Rows)

    def _makes(self, path: Path, source: ast.Call) -> bool:
        answer = self.inference.value(path, source.func)
        return answer is not None and isinstance(answer.value, ModelClass)

    def _session(self, path: Path, call: ast.Call) -> Answer | None:
        assert isinstance(call.func, ast.Attribute)
        answer = self.inference.value(path, call.func.value)
        if answer is None and (place := self.inference.place(path, call)) is not None:
            answer = told_by_use(call.func.value, place, self.inference.resolver)
        return answer if answer is not None and isinstance(answer.value, Session) else None


def _made(statement: ast.stmt) -> tuple[ast.Call | None, str]:
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as call):
            return call, name
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.Call() as call):
            return call, name
        case ast.Expr(value=ast.Call() as call):
            return call, ""
    return None, ""


def _stays(name: str, statement: ast.stmt, nodes: Sequence[ast.AST], parents: Parents) -> bool:
    """Whether a variable is bound once, and used for its attributes or as a result only."""
    for node in nodes:
        if not isinstance(node, ast.Name) or node.id != name:
            continue
        around = parents.of(node)
        if isinstance(node.ctx, ast.Store):
            if around is not statement:
                return False
            continue
        above = parents.of(around)
        is_read = isinstance(around, ast.Attribute) and not (isinstance(above, ast.Call) and above.func is around)
        is_known = isinstance(around, ast.Call) and last_name(around) in _OF_ADDED and around.args[:1] == [node]
        if not (is_read or is_known or isinstance(around, ast.Return)):
            return False
    return True


def _mentions(call: ast.Call, code: str) -> bool:
    return any(ast.unparse(node) == code for argument in call.args for node in ast.walk(argument))


def _of_backref(attribute: Attribute) -> ast.expr | None:
    """The `cascade=` of the relationship that a `backref` makes."""
    given = attribute.keyword("backref")
    keywords = given.keywords if isinstance(given, ast.Call) else []
    return next((keyword.value for keyword in keywords if keyword.arg == "cascade"), None)
