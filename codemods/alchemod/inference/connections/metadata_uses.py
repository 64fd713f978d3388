"""What relies on the engine that metadata is bound to: statements, sessions, functions that are given the metadata."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from alchemod.facts.module import last_name
from alchemod.facts.nodes import walk
from alchemod.inference.area import Area
from alchemod.inference.connections.bound_engines import BoundEngines, consumers
from alchemod.inference.connections.connectionless import Connectionless
from alchemod.inference.values import Answer, Engine, FunctionObject, LibraryObject, Outside, Statement


class MetadataUses(Area):
    """Answers about one file each."""

    def is_metadata(self, path: Path, node: ast.expr) -> bool:
        """Whether an expression is a MetaData."""
        answer = self.inference.value(path, node)
        return answer is not None and answer.value == LibraryObject("MetaData")

    def told(self, path: Path, node: ast.expr) -> Answer | None:
        """That something is metadata: it is known to be, or an engine is set as its `bind`."""
        if self.is_metadata(path, node):
            return self.inference.value(path, node)
        assigned = self.inference.ask(BoundEngines).assigned(path, node)
        engine = self.inference.value(path, assigned) if assigned is not None else None
        if engine is None or not isinstance(engine.value, Engine):
            return None
        return engine.weakened(f"what {ast.unparse(node)} is, is told by its use only")

    def bound_by(self, path: Path, node: ast.Assign) -> ast.expr | None:
        """The metadata whose `bind` an assignment sets: known as such, or asked to create or drop all tables."""
        match node.targets:
            case [ast.Attribute(value=owner, attr="bind")]:
                if self.is_metadata(path, owner) or (self._is_engine(path, node.value) and self._creates(path, owner)):
                    return owner
        return None

    def executed(self, path: Path, receiver: ast.expr) -> Statement | None:
        """The statement that `receiver.execute()` executes; None for connections, sessions and queries."""
        match self.inference.value(path, receiver):
            case Answer(value=Statement(style=style) as statement) if style != "query":
                return statement
        return None

    def engine(self, path: Path, call: ast.Call, statement: Statement) -> str | None:
        """The engine of a statement that executes itself, when a connection of it can be opened there."""
        if any(keyword.arg is None for keyword in call.keywords):
            return None
        if self.inference.ask(Connectionless).of(path, call).obstacle:
            return None
        return self.inference.ask(BoundEngines).of_statement(path, statement, call)

    def unresolved(self, path: Path) -> ast.Call | None:
        """A call that executes a statement without a connection, and for which none can be opened."""
        for node in walk(self.inference.project.tree(path)):
            match node:
                case ast.Call(func=ast.Attribute(value=receiver, attr="execute" | "scalar")):
                    statement = self.executed(path, receiver)
                    if statement is not None and self.engine(path, node, statement) is None:
                        return node
        return None

    def taker(self, path: Path, held: ast.expr) -> str | None:
        """The function, not one of SQLAlchemy's, that gets some metadata and may rely on its engine."""
        name = ast.unparse(held)
        for node in walk(self.inference.project.tree(path)):
            if not isinstance(node, ast.Call):
                continue
            given = [*node.args, *(keyword.value for keyword in node.keywords)]
            if any(isinstance(one, type(held)) and ast.unparse(one) == name for one in given):
                match self.inference.value(path, node.func):
                    case Answer(value=Outside()):
                        continue
                    case Answer(value=FunctionObject(facts=facts)):
                        if self.inference.ask(BoundEngines).gets_engine(facts, node, held):
                            continue
                return f"{ast.unparse(node.func)}()"
        return None

    def sessions(self, path: Path) -> Iterator[ast.Call]:
        """The calls that make sessions, or makers of them, which are told no engine."""
        for node in walk(self.inference.project.tree(path)):
            match node:
                case ast.Call(args=[], keywords=keywords) if last_name(node) in {"Session", "sessionmaker"}:
                    is_told = not {keyword.arg for keyword in keywords}.isdisjoint({"bind", "binds", None})
                    match self.inference.value(path, node.func):
                        case Answer(value=Outside(definition=definition)) if not is_told:
                            if definition.canonical in {"Session", "sessionmaker"}:
                                yield node

    def _is_engine(self, path: Path, node: ast.expr) -> bool:
        answer = self.inference.value(path, node)
        return answer is not None and isinstance(answer.value, Engine)

    def _creates(self, path: Path, held: ast.expr) -> bool:
        """Whether what is written so is asked to create or to drop all tables."""
        code = ast.unparse(held)
        return any(ast.unparse(owner) == code for _, owner in consumers(self.inference.project.tree(path), held))
