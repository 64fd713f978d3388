"""Several commits in one unit of work: one that only fetches a key, two on the same way, one in a helper of both.

Work that belongs together is committed together (SQLAlchemy 2.0, "Managing Transactions"); a flush gives keys and
defaults without ending the transaction ("Flushing").
"""

from __future__ import annotations

import ast
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from alchemod.inference.resolving.callers import passed
from alchemod.inference.resolving.functions import enclosing_function
from alchemod.inference.scoping.scopes import FUNCTIONS
from alchemod.inference.transactions.events import Event
from alchemod.inference.transactions.frames import TRIES
from alchemod.inference.transactions.objects import changes_collection, is_made_by_database, sets_column
from alchemod.inference.transactions.order import Left, Mark, in_source_order
from alchemod.inference.transactions.work import Transactions, Work
from alchemod.inference.values import Place

if TYPE_CHECKING:
    from alchemod.inference.resolving.callers import Site

_WORK: Final = frozenset({"add", "write", "execute"})


@dataclass(frozen=True, slots=True)
class PartialCommit:
    """A commit that another one follows on every way. `reads` are keys and defaults of objects read in between."""

    event: Event
    statement: ast.Expr
    later: Event
    reads: tuple[ast.Attribute, ...] = ()
    only_keys: bool = False
    """Whether the work in between needs the commit for these reads only, so that a flush would do."""


def partial_commit(call: ast.Call, work: Work) -> PartialCommit | None:
    """The commit that `call` is, if more work and another commit follow it on every way and nothing but the database
    learns of it in between."""
    event, statement = work.event(call), work.statement_of(call)
    if event is None or statement is None or event.kind != "commit" or event.session.owner == "transaction":
        return None
    same = work.of(event.session)
    others = [one for one in same if one.kind == "commit" and one is not event and not isinstance(one.mark, Left)]
    if not others or not work.order.always_followed(event.mark, [one.mark for one in others]):
        return None
    between = _between(event, others, work)
    if (
        between is None
        or not _has_work(work.order.before(event.mark), work, event)
        or not _has_work(between, work, event)
    ):
        return None
    if any(one.may("rollback", "close", "commit") for one in same if one.mark in between) or _reaches_out(
        between, work
    ):
        return None
    after = work.order.after(event.mark)
    later = min((one for one in others if one.mark in after), key=_line)
    reads = tuple(
        mark
        for mark in in_source_order(between)
        if isinstance(mark, ast.Attribute) and isinstance(mark.ctx, ast.Load) and is_made_by_database(mark, work)
    )
    return PartialCommit(event, statement, later, reads, bool(reads) and _are_alike(event, later, work))


def _between(event: Event, others: Sequence[Event], work: Work) -> set[Mark] | None:
    """What happens between the commit and the next ones; None where the way leads out of a loop turn or function."""
    ends = [one.mark for one in others]
    reached = work.order.after(event.mark, until=ends)
    if event.mark in reached or not reached.isdisjoint(["next", "return"]):
        return None
    ends = [end for end in ends if end in reached]
    leading = {mark for end in ends for mark in work.order.before(end, until=ends)}
    return (reached & leading) - {*ends}


def _has_work(marks: set[Mark], work: Work, event: Event) -> bool:
    """Whether something to commit is among the marks."""
    for mark in marks:
        if isinstance(mark, ast.Attribute) and sets_column(mark, work):
            return True
        if isinstance(mark, ast.Call) and changes_collection(mark, work):
            return True
        events = [one for one in work.at(mark) if one.session.origin.key == event.session.origin.key]
        if any(one.kind in _WORK or one.writes for one in events):
            return True
    return False


def _reaches_out(marks: set[Mark], work: Work) -> bool:
    """Whether something but the database may learn of the commit: then it has to stand before."""
    for mark in marks:
        if isinstance(mark, (ast.Yield, ast.YieldFrom)):
            return True
        if isinstance(mark, ast.Call) and all(one.kind == "lent" for one in work.at(mark)):
            receiver = mark.func.value if isinstance(mark.func, ast.Attribute) else None
            if (receiver is None or work.session(receiver) is None) and work.reach(mark) != "inside":
                return True
    return False


def _are_alike(event: Event, later: Event, work: Work) -> bool:
    """Whether both commits stand in the same loop and meet the same handlers."""
    assert isinstance(event.node, ast.expr)
    first = work.position(event.node)
    last = work.position(later.node) if isinstance(later.node, ast.expr) else None
    if first is None or last is None or first.loop is not last.loop:
        return False
    return [frame.statement for frame in first.frames if isinstance(frame.statement, TRIES)] == [
        frame.statement for frame in last.frames if isinstance(frame.statement, TRIES)
    ]


@dataclass(frozen=True, slots=True)
class CommittingHelper:
    """A function that commits a session which is not its own, and a caller that commits once more."""

    event: Event
    caller: str
    site: Site
    times: int
    """How often the caller calls it on one way; 1 where the caller has a commit of its own."""


def committing_helper(call: ast.Call, work: Work, known: Transactions) -> CommittingHelper | None:
    """The helper whose commit `call` is, if a caller in sight needs its work together with other work."""
    event = work.event(call)
    if event is None or event.kind != "commit" or event.session.owner not in {"parameter", "attribute", "registry"}:
        return None
    if len(work.of(event.session, ["commit"])) > 1 or _works_on(work, event):
        return None
    asked = _asked_by(event, work)
    by_caller: dict[Work, list[Site]] = {}
    for site in known.calls_of(work.place):
        around = known.around(site.place)
        if known.is_test(site.place) or around is None or around is work:
            continue
        if site.call in around.order and _asks_for(site, asked, work):
            by_caller.setdefault(around, []).append(site)
    works_later = _has_work(work.order.after(event.mark), work, event)
    for caller, sites in by_caller.items():
        found = _needs_both(caller, sites, event, works_later)
        if found is not None:
            return found
    return None


def _works_on(work: Work, event: Event) -> bool:
    """Whether the function goes on with the session behind its commit: then it is a unit of work of its own."""
    after = work.order.after(event.mark)
    return any(one.mark in after for one in work.of(event.session, ["add", "write", "flush"]))


def _needs_both(caller: Work, sites: list[Site], event: Event, works_later: bool) -> CommittingHelper | None:
    """The helper for a caller that calls it twice, or commits more than it. `works_later`: the helper itself leaves
    work for the caller to commit."""
    name = _name_of(caller.place)
    sites.sort(key=lambda site: (site.call.lineno, site.call.col_offset))
    first = sites[0]
    again = next((site for site in sites[1:] if caller.order.may_follow(first.call, site.call)), None)
    shared = _shared(caller, first, event) if again is None else frozenset()
    commits = [one for one in caller.method_events("commit") if _where(one) in shared]
    following = [one for one in commits if caller.order.may_follow(first.call, one.mark)]
    own = next((one for one in following if works_later or _has_own_work(caller, sites, one)), None)
    last = again.call if again is not None else own.mark if own is not None else None
    if last is None or _is_in_loop(caller, first.call):
        return None
    if _reaches_out(caller.order.between(first.call, last) - {site.call for site in sites}, caller):
        return None
    return CommittingHelper(event, name, first, 2 if again is not None else 1)


def _has_own_work(caller: Work, sites: list[Site], commit: Event) -> bool:
    """Whether a commit of the caller commits more than the helper has done."""
    others = caller.order.before(commit.mark) - {site.call for site in sites}
    if _has_work(others, caller, commit):
        return True
    calls = [mark for mark in others if isinstance(mark, ast.Call) and not caller.at(mark)]
    return any(deed.kind == "write" and not deed.own for call in calls for deed in caller.deeds(call))


def _asked_by(event: Event, work: Work) -> str | None:
    """The parameter whose truth decides whether the helper commits; None where it always does."""
    assert isinstance(event.node, ast.expr)
    position = work.position(event.node)
    parameters = {parameter.arg for parameter in work.place.scope.parameters}
    for frame in position.frames if position is not None else ():
        match frame.statement:
            case ast.If(test=ast.Name(id=name)) if name in parameters and frame.part == "body":
                return name
    return None


def _asks_for(site: Site, asked: str | None, helper: Work) -> bool:
    """Whether a call surely lets the helper commit, as far as a constant tells."""
    function = helper.place.scope.node
    if asked is None or not isinstance(function, FUNCTIONS):
        return asked is None
    given = passed(site, function, asked)
    return isinstance(given, ast.Constant) and bool(given.value)


def _shared(caller: Work, site: Site, event: Event) -> frozenset[Hashable]:
    """Which sessions of the caller the helper commits."""
    if event.session.owner != "parameter":
        return frozenset([_where(event)])
    return frozenset(_where(one) for one in caller.at(site.call) if one.kind == "lent")


def _where(event: Event) -> Hashable:
    """What tells the sessions of two functions to be one: the path of an attribute, the registry."""
    key = event.session.origin.key
    return key[2:] if event.session.owner == "attribute" else key


def _is_in_loop(work: Work, call: ast.Call) -> bool:
    position = work.position(call)
    return position is None or position.loop is not None


def _name_of(place: Place) -> str:
    around = enclosing_function(place.scope)
    return f"{getattr(around.node, 'name', 'a lambda')}()" if around is not None else "the module"


def _line(event: Event) -> int:
    return getattr(event.node, "lineno", 0)
