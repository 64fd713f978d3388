"""The decision table: a function that opens a session, and what may be done about it.

The source is the body of a function; its first line is line 2. Expected values follow from how a Session behaves.
"""

import textwrap

import pytest

from alchemod.inference.ownership.verdict import verdict

from .known import life

SAFE = {
    "S2 close at the end": """
        s = Maker()
        s.add(User(name=1))
        s.commit()
        s.close()
    """,
    "S3 early return leaks": """
        s = Maker()
        o = s.get(User, oid)
        if o is None:
            return None
        text = render(s, o)
        s.close()
        return text
    """,
    "S4 finally": """
        s = Maker()
        try:
            work(s)
        finally:
            s.close()
    """,
    "S5 commit, rollback, close": """
        s = Maker()
        try:
            work(s)
            s.commit()
        except Exception:
            s.rollback()
            raise
        finally:
            s.close()
    """,
    "S6 gap between opener and try": """
        s = Maker()
        slow()
        try:
            work(s)
        finally:
            s.close()
    """,
    "S9 provider with finally": """
        s = Maker()
        try:
            yield s
        finally:
            s.close()
    """,
    "functions inside that are only called": """
        s = Maker()
        def count():
            return s.query(User).count()
        def save():
            s.commit()
        n = count()
        save()
        s.close()
        return n
    """,
    "S25 helper gets the session": """
        s = Maker()
        work(s)
        s.close()
    """,
    "closed by the callee": """
        s = Maker()
        work(s)
        close_it(s)
    """,
    "callee may close": """
        s = Maker()
        maybe_close(s)
    """,
    "S1 never closed, nothing escapes": """
        s = Maker()
        s.add(User(name=1))
        s.commit()
    """,
    "objects leave where it was closed before": """
        s = Maker()
        try:
            return s.query(User).all()
        finally:
            s.close()
    """,
    "trap 4: query returned behind the close": """
        s = Maker()
        q = s.query(User)
        s.close()
        return q
    """,
    "plain values of rows leave": """
        s = Maker()
        names = [u.name for u in s.query(User)]
        return names
    """,
    "guard around close": """
        s = None
        s = Maker()
        try:
            work(s)
        finally:
            if s is not None:
                s.close()
    """,
    "close in each branch": """
        s = Maker()
        if x:
            work(s)
            s.close()
            return 1
        s.close()
        return 2
    """,
    "read behind the close stays as it was": """
        s = Maker()
        o = s.get(User, 1)
        s.close()
        return o.name
    """,
    "loaded column read in a handler outside the block": """
        o = None
        try:
            s = Maker()
            o = s.get(User, 1)
            work(s)
            s.close()
        except ValueError:
            log(o.name)
    """,
    "row objects yielded, closed in finally": """
        s = Maker()
        try:
            for u in s.query(User):
                yield u
        finally:
            s.close()
    """,
    "new object that refers to no parameter": """
        s = Maker()
        s.add(User(name=p))
        s.commit()
        s.close()
    """,
}

# reason, line the verdict speaks of (0: any)
UNSAFE = {
    "trap 3: object leaves before the close": (
        """
        s = Maker()
        o = s.get(User, 1)
        if o.done:
            return o
        s.close()
        """,
        "objects get out",
        5,
    ),
    "trap 11: a parameter is added, then a leak": (
        """
        s = Maker()
        s.add(p)
        s.commit()
        s.close()
        """,
        "objects get out",
        3,
    ),
    "new object refers to a parameter": (
        """
        s = Maker()
        s.add(Add(parent=p))
        s.commit()
        s.close()
        """,
        "objects get out",
        3,
    ),
    "trap 12: object leaves in the exception": (
        """
        s = Maker()
        o = s.get(User, 1)
        if o.done:
            raise Bad(o)
        s.close()
        """,
        "objects get out",
        5,
    ),
    "trap 17: rows are yielded": (
        """
        s = Maker()
        for u in s.query(User):
            yield u
        s.close()
        """,
        "yields",
        4,
    ),
    "trap 18: a session that cannot be used again outlives its generator": (
        """
        s = OnceMaker()
        yield s
        s.close()
        """,
        "yields",
        3,
    ),
    "S10 provider without finally": (
        """
        s = Maker()
        yield s
        s.close()
        """,
        "yields",
        3,
    ),
    "what is yielded is never closed": (
        """
        s = Maker()
        yield s
        s.commit()
        """,
        "yields",
        3,
    ),
    "S1 objects returned": (
        """
        s = Maker()
        return s.query(User).all()
        """,
        "objects get out",
        3,
    ),
    "object stored": (
        """
        s = Maker()
        self.user = s.get(User, 1)
        s.commit()
        s.close()
        """,
        "objects get out",
        3,
    ),
    "object put into a parameter": (
        """
        s = Maker()
        p.append(s.get(User, 1))
        work(s)
        s.close()
        """,
        "objects get out",
        3,
    ),
    "S7 opened in try": (
        """
        s = None
        try:
            s = Maker()
            work(s)
        finally:
            if s:
                s.close()
        """,
        "opened in try",
        0,
    ),
    "S22 per turn": (
        """
        for i in r:
            s = Maker()
            work(s)
            s.close()
        """,
        "opened per turn",
        0,
    ),
    "S23 reused": (
        """
        s = Maker()
        work(s)
        s.close()
        s.execute(x)
        """,
        "reused",
        5,
    ),
    "inferred": (
        """
        s = MaybeMaker()
        work(s)
        s.close()
        """,
        "inferred",
        0,
    ),
    "a failing close is caught": (
        """
        s = Maker()
        try:
            work(s)
        finally:
            try:
                s.close()
            except Exception:
                log(1)
        """,
        "close is caught",
        6,
    ),
    "a failing close is suppressed": (
        """
        s = Maker()
        with suppress(Exception):
            work(s)
            s.close()
        """,
        "close is caught",
        3,
    ),
    "session yielded after use": (
        """
        s = Maker()
        s.execute(x)
        yield s
        s.close()
        """,
        "yields",
        4,
    ),
    "object in a global": (
        """
        global last
        s = Maker()
        last = s.get(User, 1)
        work(s)
        s.close()
        """,
        "objects get out",
        4,
    ),
    "object captured": (
        """
        s = Maker()
        o = s.get(User, 1)
        p.append(lambda: o.team)
        s.close()
        """,
        "objects get out",
        4,
    ),
    "handler passes an object on": (
        """
        o = None
        try:
            s = Maker()
            o = s.get(User, 1)
            work(s)
            s.close()
        except ValueError:
            mystery(o)
        """,
        "objects get out",
        9,
    ),
}

REPORT = {
    "trap 5: generator leaves before the close": (
        """
        s = Maker()
        q = s.query(User)
        if bad:
            return (u for u in q)
        s.close()
        """,
        "fails when closed",
        5,
    ),
    "trap 6: handler outside the block reads a relationship": (
        """
        u = None
        try:
            s = Maker()
            u = s.get(User, 1)
            work(s)
            s.close()
        except ValueError:
            log(u.team)
        """,
        "fails when closed",
        9,
    ),
    "handler outside the block reads after commit": (
        """
        u = None
        try:
            s = Maker()
            u = s.get(User, 1)
            s.commit()
            work(s)
            s.close()
        except ValueError:
            log(u.name)
        """,
        "fails when closed",
        10,
    ),
    "trap 7: rollback expires whatever the setting": (
        """
        u = None
        try:
            s = KeepingMaker()
            u = s.get(User, 1)
            s.rollback()
            work(s)
            s.close()
        except ValueError:
            log(u.name)
        """,
        "fails when closed",
        10,
    ),
    "trap 15: ownership flag": (
        """
        own = s is None
        if own:
            s = Maker()
        work(s)
        if own:
            s.close()
        """,
        "ownership flag",
        0,
    ),
    "S32 entered by hand": (
        """
        cm = Maker()
        s = cm.__enter__()
        work(s)
        """,
        "entered by hand",
        3,
    ),
    "keeping callee": (
        """
        s = Maker()
        keep(s)
        s.close()
        """,
        "may be kept",
        3,
    ),
    "unknown callee": (
        """
        s = Maker()
        mystery(s)
        s.close()
        """,
        "may be kept",
        3,
    ),
    "too old": (
        """
        s = OldMaker()
        s.close()
        """,
        "version",
        0,
    ),
    "object added to another session in a handler": (
        """
        u = None
        try:
            s = Maker()
            u = s.get(User, 1)
            work(s)
            s.close()
        except ValueError:
            other.add(u)
        """,
        "fails when closed",
        9,
    ),
    "opened inside an expression": (
        """
        return Maker().query(User).count()
        """,
        "no block",
        0,
    ),
}

UNTOUCHED = {
    "scoped": ("s = Scoped()\nwork(s)\ns.close()", "never", "factory is not plain"),
    "foreign": ("s = Foreign()\nwork(s)\ns.close()", "silent", "not a session"),
    "stored": ("s = Maker()\nself.s = s", "silent", "escapes"),
    "stored at once": ("self.s = Maker()", "silent", "escapes"),
    "returned": ("s = Maker()\nwork(s)\nreturn s", "silent", "escapes"),
    "captured": ("s = Maker()\nreturn lambda: s.query(User)", "silent", "escapes"),
    "None on one way only": (
        "s = Maker()\nx = slow()\nif c:\n    x = None\nif x:\n    self.s = s\ns.close()",
        "silent",
        "escapes",
    ),
    "captured by def": ("s = Maker()\ndef inner():\n    s.query(User)\nreturn inner", "silent", "escapes"),
    "captured by a decorated def": ("s = Maker()\n@work\ndef inner():\n    s.query(User)", "silent", "escapes"),
    "captured by a def above": ("def inner():\n    s.query(User)\ns = Maker()\ninner()", "silent", "escapes"),
    "bound method kept": ("s = Maker()\nregister(s.close)", "silent", "escapes"),
    "in a list of the object": ("s = Maker()\nself.all.append(s)", "silent", "escapes"),
    "with already": ("with Maker() as s:\n    work(s)", "silent", "managed"),
    "with later": ("s = Maker()\nwith s:\n    work(s)", "silent", "managed"),
    "closing": ("s = Maker()\nwith closing(s):\n    work(s)", "silent", "managed"),
    "exit stack": ("s = stack.enter_context(Maker())\nwork(s)", "silent", "managed"),
    "frame": ("s = Maker()\nwork(s)\nmystery(locals())\ns.close()", "silent", "escapes"),
    "global": ("global s\ns = Maker()\nwork(s)", "silent", "escapes"),
}


def _function(body: str) -> str:
    return "def f(p, self, s=None):\n" + textwrap.indent(textwrap.dedent(body).strip("\n"), "    ")


def _own(body: str) -> str:
    """Without the parameter `s`."""
    return _function(body).replace(", s=None", "")


@pytest.mark.parametrize("body", SAFE.values(), ids=SAFE.keys())
def test_safe(body: str) -> None:
    found = verdict(life(_own(body)))
    assert (found.kind, found.missing) == ("safe", "")


@pytest.mark.parametrize(("body", "reason", "line"), UNSAFE.values(), ids=UNSAFE.keys())
def test_unsafe(body: str, reason: str, line: int) -> None:
    found = verdict(life(_own(body)))
    assert (found.kind, found.reason) == ("unsafe", reason)
    assert found.missing
    assert not line or found.line == line


@pytest.mark.parametrize(("body", "reason", "line"), REPORT.values(), ids=REPORT.keys())
def test_report(body: str, reason: str, line: int) -> None:
    found = verdict(life(_function(body) if "own" in body else _own(body)))
    assert (found.kind, found.reason) == ("report", reason)
    assert not line or found.line == line


@pytest.mark.parametrize(("body", "kind", "reason"), UNTOUCHED.values(), ids=UNTOUCHED.keys())
def test_untouched(body: str, kind: str, reason: str) -> None:
    found = verdict(life(_own(body)))
    assert (found.kind, found.reason) == (kind, reason)


ASYNC = {
    "S34 close at the end": ("s = AsyncMaker()\nawait s.execute(x)\nawait s.close()", "safe"),
    "S34 finally": ("s = AsyncMaker()\ntry:\n    await s.execute(x)\nfinally:\n    await s.close()", "safe"),
    "shielded close stays": (
        "s = AsyncMaker()\ntry:\n    await s.execute(x)\nfinally:\n    await shield(s.close())",
        "safe",
    ),
    "task": ("s = AsyncMaker()\ncreate_task(s.execute(x))\nawait s.close()", "silent"),
    "trap 2: object visible on cancellation": (
        "s = AsyncMaker()\np.o = await s.get(User, 1)\ntry:\n    await s.execute(x)\nexcept Exception:\n"
        "    await s.close()\n    raise\nawait s.close()",
        "unsafe",
    ),
}


@pytest.mark.parametrize(("body", "kind"), ASYNC.values(), ids=ASYNC.keys())
def test_async(body: str, kind: str) -> None:
    assert verdict(life("async " + _own(body))).kind == kind
