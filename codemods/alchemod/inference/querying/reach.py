"""The session behind a Query as code that can be written where the Query stands."""

from __future__ import annotations

import ast

from alchemod.facts.nodes import is_dotted
from alchemod.inference.area import Area
from alchemod.inference.resolving.computed import computed
from alchemod.inference.resolving.sessions import as_session
from alchemod.inference.values import Answer, FlaskDatabase, ModelClass, Place, Session, Statement


class Reach(Area):
    """Which sessions can be named where."""

    def session_of(self, query: ast.expr, place: Place) -> str | None:
        """Code for the session of `query`, an expression that gives a Query and stands in `place`.

        That is what `query()` is called on, the `db.session` of a Flask-SQLAlchemy object in scope, or the `session` of
        a variable that holds the Query. None when the session would have to be made again, as by a property, and for
        dynamic relationships, whose session is that of an object.
        """
        node = query
        while True:
            answer = self.inference.resolver.value(node, place)
            if answer is None or not isinstance(answer.value, Statement) or answer.value.dynamic:
                return None
            match node:
                case ast.Call(func=ast.Attribute(value=receiver, attr=name)) if self._is_statement(receiver, place):
                    if name == "with_session":
                        return None
                    node = receiver
                case ast.Call(func=ast.Attribute(value=receiver, attr="query")):
                    is_same = is_dotted(receiver) and computed(receiver, place, self.inference.resolver) is None
                    return ast.unparse(receiver) if is_same else None
                case ast.Attribute(value=owner, attr="query") if self._is_model(owner, place):
                    return self._flask_session(place) or f"{ast.unparse(node)}.session"
                case ast.Name():
                    return f"{node.id}.session"
                case _:
                    return None

    def _flask_session(self, place: Place) -> str | None:
        for name in place.module.bindings:
            owner = place.scope.owner(name)
            if owner is not None and owner.parent is None:
                match self.inference.resolver.named(name, place):
                    case Answer(value=FlaskDatabase()):
                        return f"{name}.session"
        return None

    def _is_statement(self, node: ast.expr, place: Place) -> bool:
        answer = self.inference.resolver.value(node, place)
        return answer is not None and isinstance(answer.value, Statement)

    def _is_model(self, node: ast.expr, place: Place) -> bool:
        answer = self.inference.resolver.value(node, place)
        return answer is not None and isinstance(answer.value, ModelClass)

    def is_session(self, node: ast.expr, place: Place) -> bool:
        """Whether an expression that can be written twice is known to be a session."""
        answer = as_session(self.inference.resolver.value(node, place))
        is_known = answer is not None and isinstance(answer.value, Session)
        return is_known and is_dotted(node) and computed(node, place, self.inference.resolver) is None
