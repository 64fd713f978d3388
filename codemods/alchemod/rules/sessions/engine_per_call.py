"""ALC106: an engine or a session factory that is made anew on each call."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from alchemod.edits.verbs import Code, Verb, drop, insert, rename, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.inference.ownership.hoisting import Anew, Hoisting


class EnginePerCall(Rule):
    """Makes an engine or session factory once for the module, instead of on each call of a function.

    What it does:
        Moves `sessionmaker(...)` out of a function to the module when its arguments are constants of the module, and
        `create_engine(...)` out of routes and tasks. Elsewhere it reports the function that makes it.

    Why:
        An engine is a pool of connections: one for each call means a new connection each time, and idle ones that pile
        up until the database refuses more. A factory is meant to be configured once, next to its engine.

    Example:
        ```python
        reports = create_engine("sqlite:///reports.db")


        def count_books():
            make_session = sessionmaker(bind=reports)
            with make_session() as session:
                return session.query(Book).count()
        ```

    Use instead:
        ```python
        reports = create_engine("sqlite:///reports.db")
        make_session = sessionmaker(bind=reports)


        def count_books():
            with make_session() as session:
                return session.query(Book).count()
        ```

    Fix safety:
        Safe for a factory whose arguments are constants and names that the module binds once and no test replaces,
        and which is only called. Unsafe for engines in routes and tasks, and where an argument asks an object of the
        module. A report when the arguments come from the function. Engines that are cached, returned or stored,
        functions that a program calls once (`main`, `create_app`), and those whose arguments decide about the engine
        are left alone.

    References:
        - https://docs.sqlalchemy.org/en/20/core/connections.html#basic-usage
        - https://docs.sqlalchemy.org/en/20/orm/session_basics.html#using-a-sessionmaker
    """

    code = "ALC106"
    names = (
        "sessionmaker", "async_sessionmaker", "create_engine", "create_async_engine", "engine_from_config",
        "async_engine_from_config",
    )  # fmt: skip

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterable[Finding]:
        """Looks at one call that may make an engine or a session factory."""
        anew = ctx.ask(Hoisting).of_call(ctx.path, call)
        if anew is None:
            return
        message = _message(anew)
        if not anew.name or anew.before is None:
            yield self.report(call, message, missing=_obstacle(anew))
        elif anew.made == "engine" and not anew.on_request:
            yield self.report(call, message, missing="it is not seen how often the function is called")
        else:
            yield self.fix(call, message, *_edits(anew), unsafe=_doubt(anew, ctx))


def _message(anew: Anew) -> str:
    what = "an engine, with a pool of connections," if anew.made == "engine" else "a session factory"
    more = f" (and in {len(anew.calls) - 1} more places)" if len(anew.calls) > 1 else ""
    return f"{what} is made on each call of {anew.owner}(){more}"


def _obstacle(anew: Anew) -> str:
    if anew.depends == "local":
        return "its arguments are made in the function; make them once for the module, too"
    return "it is not only called, or the module has no place or name for it"


def _doubt(anew: Anew, ctx: Context) -> str | None:
    replaced = ctx.inference.pinning.replaced(ast.unparse(anew.calls[0].func).rpartition(".")[2], _module(ctx))
    if replaced is not None:
        return replaced
    if anew.made == "engine":
        return "the engine is made when the module is imported"
    return None if anew.depends == "constants" else "its arguments are asked for when the module is imported"


def _module(ctx: Context) -> str:
    facts = ctx.project.facts(ctx.path)
    return facts.name if facts is not None else ""


def _edits(anew: Anew) -> Iterator[Verb]:
    assert anew.before is not None
    made = Code(ast.unparse(anew.calls[0]))
    if anew.after is not None:
        yield insert("{name} = {made}", after=anew.after, name=anew.name, made=made)
    else:
        yield insert("{name} = {made}\n\n", before=anew.before, name=anew.name, made=made)
    for statement in anew.statements:
        yield drop(statement)
    for use in anew.uses:
        if use.id != anew.name:
            yield rename(use, anew.name)
    assigned = [statement.value for statement in anew.statements if isinstance(statement, ast.Assign)]
    for call in anew.calls:
        if call not in assigned:
            yield swap(call, "{name}", name=anew.name)
