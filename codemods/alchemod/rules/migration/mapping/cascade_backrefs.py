"""MIG304: objects that a session gets only because they are attached to one of its own."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from alchemod.edits.verbs import Verb, drop, insert, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.inference.scoping.scopes import Body
from alchemod.inference.transactions.backref_cascades import BackrefCascades
from alchemod.inference.values import Answer, Outside


class CascadeBackrefs(Rule):
    """Adds objects to the session that SQLAlchemy 2.0 does not add by itself.

    What it does:
        Adds `session.add(child)` where a new object is only attached to one that is in the session, and takes
        `cascade_backrefs=False` from relationships.

    Why:
        SQLAlchemy 1.4 puts `child` into the session with `child.parent = parent`; 2.0 does not: nothing is inserted.

    Example:
        ```python
        def note(session, name):
            author = session.query(Author).filter(Author.name == name).one()
            book = Book(author=author)
            session.commit()
        ```

    Use instead:
        ```python
        def note(session, name):
            author = session.query(Author).filter(Author.name == name).one()
            book = Book(author=author)
            session.add(book)
            session.commit()
        ```

    Fix safety:
        Safe for `cascade_backrefs=False`, which is what 2.0 does anyway. `session.add()` is unsafe: the object may not
        be meant to be saved. A report where it is not known whether the parent is in the session. Objects that are
        handed to something else, and parents that are added later, are left alone.

    References:
        - https://docs.sqlalchemy.org/en/20/changelog/migration_20.html#cascade-backrefs-behavior-deprecated-for-removal-in-2-0
        - https://docs.sqlalchemy.org/en/20/orm/cascades.html#unitofwork-cascades
    """

    code = "MIG304"
    names = ("commit", "flush", "relationship", "backref")
    since = "2.0"

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at the keywords of one relationship."""
        for keyword in call.keywords:
            if keyword.arg != "cascade_backrefs":
                continue
            answer = ctx.value(call.func)
            match answer:
                case Answer(value=Outside(canonical="relationship" | "backref")):
                    message = "cascade_backrefs= is gone in SQLAlchemy 2.0"
                    if isinstance(keyword.value, ast.Constant) and keyword.value.value is False:
                        yield self.fix(keyword, message, drop(keyword), given=[answer], min_version="2.0")
                    else:
                        missing = "who adds the objects to the session; 2.0 does not"
                        yield self.report(keyword, message, missing=missing, given=[answer])

    def find_FunctionDef(self, node: Body, ctx: Context) -> Iterator[Finding]:
        """Looks at the new objects of one function, or of the code of a module outside of functions."""
        for found in ctx.ask(BackrefCascades).attached(ctx.path, node):
            message = (
                f"only {found.relationship}= puts the new object into the session, which SQLAlchemy 2.0 does not do"
            )
            if found.missing:
                yield self.report(found.made, message, missing=found.missing, given=[found.answer])
                continue
            edit: Verb = swap(found.made, f"{found.session}.add({{_}})")
            if found.name:
                edit = insert(f"{found.session}.add({found.name})", after=found.statement)
            yield self.fix(found.made, message, edit, given=[found.answer], unsafe="whether it is to be saved")

    find_AsyncFunctionDef = find_Module = find_FunctionDef
