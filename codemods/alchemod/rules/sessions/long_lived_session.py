"""ALC104: a session that outlives the work it was opened for."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from alchemod.edits.verbs import Code, Verb, block, drop, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding, Level
from alchemod.engine.rule import Rule
from alchemod.facts.project import Project
from alchemod.inference.ownership.homes import Home, SessionHomes
from alchemod.inference.ownership.lives import SessionLives

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)


class LongLivedSession(Rule):
    """Finds sessions that live as long as a module, a class, an object or a request's state.

    What it does:
        Reports a session that is opened at module level, in the body of a class, as a default argument, on `self` or on
        `request.state`, and says who should own it. A script that opens one session and uses it itself gets a `with`
        block; a default argument becomes None, and the session is opened inside.

    Why:
        A session is the workspace of one unit of work. One that lives longer holds its connection, keeps serving what
        it loaded long ago, and is shared by threads that it is not made for; once a flush has failed, every user of it
        fails.

    Example:
        ```python
        session = SessionLocal()
        for book in session.query(Book):
            print(book.title)
        ```

    Use instead:
        ```python
        with SessionLocal() as session:
            for book in session.query(Book):
                print(book.title)
        ```

    Fix safety:
        Never safe: the session is closed where it was left open, and calls that shared a default have sessions of their
        own. Fixed are scripts whose session is used by their top level alone, and default arguments that are not
        stored; everything else is a report. Registries, classes that are context managers, and fixtures of test cases
        are left alone. In an application object it is a note, for such a program may run one thread by design.

    References:
        - https://docs.sqlalchemy.org/en/20/orm/session_basics.html#when-do-i-construct-a-session-when-do-i-commit-it-and-when-do-i-close-it
        - https://docs.sqlalchemy.org/en/20/orm/session_basics.html#is-the-session-thread-safe-is-asyncsession-safe-to-share-in-concurrent-tasks
    """

    code = "ALC104"

    def names_from(self, project: Project) -> Iterable[str]:
        """The names of session factories and session classes."""
        return project.session_makers

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterable[Finding]:
        """Looks at one call that may open a session."""
        home = ctx.ask(SessionHomes).of_call(ctx.path, call)
        if home is None:
            return
        edits = list(_edits(home, ctx))
        if edits:
            unsafe = (
                "each call has a session of its own" if home.kind == "default" else "the session is closed at the end"
            )
            yield self.fix(call, _message(home), *edits, unsafe=unsafe)
        else:
            yield self.report(call, _message(home), missing=_advice(home), level=_level(home))


def _edits(home: Home, ctx: Context) -> Iterator[Verb]:
    match home.kind:
        case "module" if not home.users:
            judged = ctx.ask(SessionLives).of_call(ctx.path, home.site)
            plan = judged[0].plan if judged is not None else None
            if judged is None or plan is None or judged[1].kind not in {"safe", "unsafe"} or plan.is_async:
                return
            first, last = plan.suite[plan.first], plan.suite[plan.last]
            if any(isinstance(statement, _DEFINITIONS) for statement in plan.body):
                return
            yield block(
                first, last, "with {maker} as {name}:", replaces=(plan.opener,), maker=plan.maker, name=plan.name
            )
            yield from (drop(statement) for statement in plan.removals)
        case "default" if home.function is not None and not home.opening.is_async:
            function = home.function
            if not ctx.ask(SessionLives).is_only_lent(ctx.path, function, home.name):
                return
            body = function.body[1:] if ast.get_docstring(function) is not None else function.body
            if not body:
                return
            header = "with {contextlib.nullcontext}({name}) if {name} is not None else {maker} as {name}:"
            yield swap(home.site, "None")
            yield block(body[0], body[-1], header, maker=Code(ast.unparse(home.site)), name=home.name)


def _message(home: Home) -> str:
    match home.kind:
        case "module":
            return f"{home.name} is one session for as long as the module lives"
        case "class":
            return f"all objects of {home.owner} share one session, opened when the class is made"
        case "default":
            return f"all calls of {home.owner}() that give no {home.name} share one session"
        case "request":
            return f"{home.name} is a session that any code with the request may use"
        case "global":
            return f"{home.name} is one session for the whole process"
        case "registry":
            return f"{home.name} keeps the session of each thread as long as the thread lives"
    end = f"; line {home.closed} closes it" if home.closed else ", and nothing here closes it"
    return f"{home.name} is one session for as long as the object of {home.owner} lives{end}"


def _advice(home: Home) -> str:
    maker = ast.unparse(home.site)
    shown = ", ".join(home.users[:3]) + (" and others" if len(home.users) > 3 else "")
    match home.kind:
        case "default":
            return f"take None and open it inside: `with {maker} as {home.name}:`"
        case "request":
            return f"write a dependency that yields it: `with {maker} as db: yield db`"
        case "registry":
            return f"nothing calls {home.name}.remove(); call it where a unit of work ends, or open sessions in blocks"
        case "class":
            return f"open it in the methods that need it: `with {maker} as session:`"
    if shown:
        return f"used by {shown}; open one for each unit of work, `with {maker} as session:`, and pass it on"
    return f"open one for each unit of work: `with {maker} as session:`"


def _level(home: Home) -> Level | None:
    return "note" if home.kind == "instance" and home.owner.endswith(("App", "Application")) else None
