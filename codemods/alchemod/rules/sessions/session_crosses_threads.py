"""ALC107: a session or its objects given to another thread, task or queue."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.inference.ownership.crossing import NAMES, Crossing, Crossings


class SessionCrossesThreads(Rule):
    """Finds sessions and mapped objects that are handed to a thread, a concurrent task or a task queue.

    What it does:
        Reports a session that is an argument of a thread, of a pool or of one of several tasks that run at once, or
        that the function run there takes from around it; and mapped objects that go to a thread or into a task queue.

    Why:
        A session is one conversation with the database. Two threads or tasks that talk at the same time mix up their
        transactions, or raise; an object goes on belonging to its session, wherever it is used. What a queue stores of
        an object is a copy that is out of date when it is read.

    Example:
        ```python
        import threading

        with SessionLocal() as session:
            threading.Thread(target=print, args=(session,)).start()
        ```

    Use instead:
        ```python
        import threading

        with SessionLocal() as session:
            threading.Thread(target=print, args=(session.info,)).start()
        ```

    Fix safety:
        There is no fix: the function that runs elsewhere has to open a session of its own, and to get keys instead of
        objects. Registries, sessions that are opened by the function that runs there, and keys are left alone, and so
        are queues of projects that bring their own serialiser.

    References:
        - https://docs.sqlalchemy.org/en/20/orm/session_basics.html#is-the-session-thread-safe-is-asyncsession-safe-to-share-in-concurrent-tasks
    """

    code = "ALC107"
    names = tuple(sorted(NAMES))

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterable[Finding]:
        """Looks at one call that may start something elsewhere."""
        crossings = {crossing.name: crossing for crossing in reversed(ctx.ask(Crossings).of_call(ctx.path, call))}
        for crossing in crossings.values():
            yield self.report(crossing.node, _message(crossing), missing=_advice(crossing))


def _message(crossing: Crossing) -> str:
    where = {"thread": "another thread", "task": "a concurrent task", "queue": "a task queue"}[crossing.way]
    if crossing.what == "session":
        return f"the session {crossing.name} goes to {where}, and stays in use here"
    return f"{crossing.name} is an object of a session, and goes to {where}"


def _advice(crossing: Crossing) -> str:
    if crossing.what == "session":
        return f"open one of its own inside {crossing.callee}, in a `with` block"
    return f"pass its key, and get the object inside {crossing.callee} with a session of its own"
