"""The table of summaries: what calls do to sessions and objects, through all the functions they run."""

from __future__ import annotations

import ast
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from alchemod.inference.area import Area
from alchemod.inference.ownership.knowledge import Opening
from alchemod.inference.ownership.sources import SessionSources
from alchemod.inference.summaries.direct import Direct, DirectDeeds, Edge
from alchemod.inference.summaries.openers import Openers
from alchemod.inference.summaries.providers import Provider, Providers
from alchemod.inference.summaries.targets import Target, Targets
from alchemod.inference.summaries.treatments import Treatments
from alchemod.inference.summaries.vocabulary import (
    UNKNOWN_CODE,
    UNSEEN,
    Certain,
    Deeds,
    Given,
    Treatment,
    effects_of,
    either,
)
from alchemod.inference.values import Answer, FunctionObject, LocalFunction, Place

if TYPE_CHECKING:
    from alchemod.inference import Inference

_MAX_FUNCTIONS: Final = 400
"""Code that may run more functions of the project may do anything."""


class Summaries(Area):
    """What calls do, asked for by `ctx.ask(Summaries)`.

    Two questions, over the same functions:

    - `of_argument(call, argument, place)`: what becomes of *this* session, or of this object of one. The callee is
      walked with the parameter in its hands: whether it keeps it, closes it, returns it; which of its effects may
      happen, which surely do.
    - `deeds_of_call(call, place)` (`deeds_of_leaving` for the end of a `with` block, `deeds_of_assignment`,
      `deeds_of_function`): what may be done to *any* session, those that functions close over, hold on `self` or share
      through a module included. Each deed says where it is done, and by which calls; `own` deeds concern a session that
      a function further down opened for itself.

    A method stands for itself and for those that override it in known subclasses. What cannot be looked at is
    `UNSEEN`, or a deed of the kind `unseen`.
    """

    def __init__(self, inference: Inference) -> None:
        super().__init__(inference)
        resolver = inference.local
        self._targets: Final = Targets(resolver)
        self._direct: Final = DirectDeeds(resolver, self._targets)
        self._resolver: Final = resolver
        self._treatments: Final = Treatments(self._targets, self.sources)
        self._openers: Final = Openers(self._targets, self.sources)
        self._providers: Final = Providers(self._targets, self.sources)
        self._reached: Final[dict[ast.AST, Deeds]] = {}

    def of_argument(self, call: ast.Call, argument: ast.expr, place: Place, given: Given = "session") -> Treatment:
        """What the callee of `call` does with `argument`, one of its arguments, which is of the kind `given`."""
        return self._treatments.of_argument(call, argument, place, given)

    def through(self, call: ast.Call, place: Place, used: str | None) -> Treatment:
        """What a call of something that holds a session does with it: a method of an object, by the deeds of everything
        it runs, or with `used` a function of the code around, which uses the session under that name."""
        callee = self._targets.callee(call, place)
        targets = self._targets.of(callee)
        if callee is None or targets is None:
            return UNSEEN
        if used is not None:
            return either(self._treatments.of_capture(target, used, call, place) for target in targets)
        deeds = [deed for deed in self.deeds_of_call(call, place) if not deed.own]
        if any(deed.kind == "unseen" for deed in deeds):
            return UNSEEN
        closes: Certain = "may" if any(deed.kind == "close" for deed in deeds) else "no"
        effects = effects_of(deed for deed in deeds if deed.kind != "close")
        return Treatment("no", closes, effects, "nothing", at=tuple(deeds))

    def of_parameter(self, inside: Place, parameter: str, given: Given = "session") -> Treatment:
        """What the function whose inside is `inside` does with what it gets for a parameter."""
        return self._treatments.of_parameter(Target(inside), parameter, given)

    def sources(self, inside: Place) -> SessionSources:
        """What the life of a session in the function whose inside is `inside` asks for."""
        return SessionSources(inside, self._resolver, self)

    def opening(self, callee: Answer | None) -> Opening | None:
        """How a call of `callee`, a function of the project, opens a session and gives it to the caller; None if it
        does not."""
        return self._openers.of(callee)

    def provider(self, callee: Answer | None, *, managed: bool = False) -> Provider | None:
        """The generator function that `callee` is, if it yields a session once; None if it is none. With `managed`: one
        that is a context manager."""
        return self._providers.of(callee, managed)

    def deeds_of_call(self, call: ast.Call, place: Place) -> Deeds:
        """What `call`, in `place`, may do; callees of libraries that get no session are assumed to do nothing."""
        return self._all(self._direct.of_call(call, place))

    def deeds_of_leaving(self, manager: ast.expr, place: Place) -> Deeds:
        """What the end of `with manager:` may do."""
        return self._all(self._direct.of_leaving(manager, place))

    def deeds_of_assignment(self, target: ast.Attribute, place: Place) -> Deeds:
        """What assigning (or deleting) an attribute may do to what relationships hold."""
        return self._all(self._direct.of_assignment(target, place))

    def deeds_of_function(self, function: FunctionObject | LocalFunction) -> Deeds:
        """What running a function of the project may do; that of an override where the receiver may have one."""
        targets = self._targets.of(Answer(function))
        if targets is None:
            return UNKNOWN_CODE
        return frozenset(deed for target in targets for deed in self._of_function(target))

    def _of_function(self, target: Target) -> Deeds:
        if target.node not in self._reached:
            self._reached[target.node] = self._all(self._direct.of_function(target))
        return self._reached[target.node]

    def _all(self, start: Direct) -> Deeds:
        """The deeds of some code and of everything it runs, each by the shortest way."""
        found = dict.fromkeys(start.deeds)
        queue: deque[tuple[Edge, tuple[str, ...]]] = deque((edge, ()) for edge in start.edges)
        seen: set[ast.AST] = set()
        while queue:
            edge, calls = queue.popleft()
            path = (*calls, edge.name)
            for target in edge.targets:
                if target.node in seen:
                    continue
                seen.add(target.node)
                if len(seen) > _MAX_FUNCTIONS:
                    return frozenset([*found, *UNKNOWN_CODE])
                inner = self._direct.of_function(target)
                for deed in inner.deeds:
                    found.setdefault(replace(deed, own=deed.own and not edge.hands_out, calls=path))
                queue.extend((further, path) for further in inner.edges)
        return frozenset(found)
