"""Sessions and mapped objects that go to another thread, task or process while the one that has them goes on.

SQLAlchemy 2.0, "Session Basics": "Is the Session thread-safe? Is AsyncSession safe to share in concurrent tasks?"
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from alchemod.facts.module import last_name
from alchemod.inference.area import Area
from alchemod.inference.scoping.scopes import FUNCTIONS
from alchemod.inference.values import (
    Answer,
    Collection,
    FunctionObject,
    LocalFunction,
    ModelClass,
    Object,
    Outside,
    Place,
    Session,
)

Way: TypeAlias = Literal["thread", "task", "queue"]
"""Another thread, a concurrent task of the event loop, a queue whose workers are other processes."""

What: TypeAlias = Literal["session", "object"]

_THREADS: Final = frozenset({"Thread", "Timer", "start_new_thread"})
_POOLS: Final = frozenset({"ThreadPoolExecutor", "ProcessPoolExecutor", "ThreadPool", "Pool"})
_ON_POOL: Final = frozenset({"submit", "map", "starmap", "apply_async", "map_async", "imap", "imap_unordered"})
_TASKS: Final = frozenset({"create_task", "ensure_future", "gather"})
_ON_TASK: Final = frozenset({"delay", "apply_async", "send", "s", "si"})
_TASK_DECORATORS: Final = frozenset({"task", "shared_task", "actor", "job", "periodic_task"})
NAMES: Final = _THREADS | _ON_POOL | _TASKS | _ON_TASK
"""The names of calls that hand something over."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """What goes over at `node`, an argument or a function that uses it, and to which function (as it is written)."""

    node: ast.expr
    what: What
    way: Way
    name: str
    callee: str


class Crossings(Area):
    """Answers about the calls of one project."""

    def of_call(self, path: Path, call: ast.Call) -> list[Crossing]:
        """What a call hands to another thread, task or process."""
        place = self.inference.place(path, call)
        way = self._way(call, place) if place is not None else None
        if place is None or way is None:
            return []
        handed = list(_handed(call, way))
        if way == "task" and not _is_concurrent(call, place):
            return []
        found = [crossing for part in handed if (crossing := self._crossing(part, way, call, place)) is not None]
        if way == "queue" and self._serialises_by_key():
            return []
        return [crossing for crossing in found if not (way == "task" and crossing.what == "object")]

    def _way(self, call: ast.Call, place: Place) -> Way | None:
        match call.func:
            case ast.Attribute(value=receiver, attr=name) if name in _ON_POOL and self._is_pool(receiver, place):
                return "thread"
            case ast.Attribute(value=receiver, attr=name) if name in _ON_TASK and self._is_task(receiver, place):
                return "queue"
        callee = self._value(call.func, place)
        match callee:
            case Answer(value=Outside(definition=definition)):
                library, _, name = definition.name.rpartition(".")
                if library in {"threading", "_thread"} and name in _THREADS:
                    return "thread"
                if library.startswith("asyncio") and name in _TASKS:
                    return "task"
        return None

    def _is_pool(self, receiver: ast.expr, place: Place) -> bool:
        """Whether a variable holds a pool of threads or processes."""
        bindings = []
        if isinstance(receiver, ast.Name):
            owner = place.scope.owner(receiver.id)
            bindings = owner.bindings.get(receiver.id, []) if owner is not None else []
        made = [binding.value for binding in bindings if isinstance(binding.value, ast.Call)]
        makers = [self._value(call.func, place) for call in (*made, receiver) if isinstance(call, ast.Call)]
        return any(
            maker is not None
            and isinstance(maker.value, Outside)
            and maker.value.definition.name.rpartition(".")[2] in _POOLS
            for maker in makers
        )

    def _is_task(self, receiver: ast.expr, place: Place) -> bool:
        """Whether a function of the project is a task of a queue, by its decorator."""
        match self._value(receiver, place):
            case Answer(value=FunctionObject(facts=facts)):
                top = self.inference.local.module_place(facts.module)
                return top is not None and any(self._registers(decorator, top) for decorator in facts.decorators)
        return False

    def _registers(self, decorator: ast.expr, top: Place) -> bool:
        """Whether a decorator is one of a queue's: of a library, or of an object that is not known."""
        function = decorator.func if isinstance(decorator, ast.Call) else decorator
        answer = self.inference.local.value(function, top)
        match answer:
            case Answer(value=Outside(definition=definition)):
                return definition.name.rpartition(".")[2] in _TASK_DECORATORS
            case None:
                return last_name(function) in _TASK_DECORATORS
        return False

    def _crossing(self, part: ast.expr, way: Way, call: ast.Call, place: Place) -> Crossing | None:
        callee = _callee(call)
        answer = self._value(part, place)
        match answer:
            case Answer(value=Session(scoped=False)):
                return Crossing(part, "session", way, ast.unparse(part), callee)
            case Answer(value=Object(of=ModelClass()) | Collection(element=Object(of=ModelClass()))):
                return Crossing(part, "object", way, ast.unparse(part), callee)
            case Answer(value=LocalFunction(node=node, place=outer)):
                scope = outer.scope.find(node)
                free = scope.free_names() if scope is not None else set()
                for use in ast.walk(node):
                    if isinstance(use, ast.Name) and use.id in free and isinstance(use.ctx, ast.Load):
                        found = self._value(use, Place(outer.module, outer.scope.root))
                        if found is not None and isinstance(found.value, Session) and not found.value.scoped:
                            name = node.name if isinstance(node, FUNCTIONS) else callee
                            return Crossing(part, "session", way, use.id, name)
        return None

    def _serialises_by_key(self) -> bool:
        """Whether the project brings tasks or a serialiser of its own, which may send the key instead of an object."""
        project = self.inference.project
        wraps = any(project.methods_named(name) for name in ("apply_async", "delay", "send"))
        return wraps or any(True for _ in project.files_mentioning("kombu"))

    def _value(self, node: ast.expr, place: Place) -> Answer | None:
        return self.inference.local.value(node, Place(place.module, place.scope.root.innermost(node)))


def _is_concurrent(call: ast.Call, place: Place) -> bool:
    """Whether several tasks run at once, or one beside the code that starts it: not one that is awaited at once."""
    if last_name(call) == "gather":
        return len(call.args) > 1 or any(isinstance(part, ast.Starred) for part in call.args)
    awaits = (part for part in ast.walk(place.scope.node) if isinstance(part, ast.Await))
    return all(part.value is not call for part in awaits)


def _handed(call: ast.Call, way: Way) -> Iterator[ast.expr]:
    """The expressions that go over: arguments, those in `args=` and `kwargs=`, those of coroutines that are started."""
    stack: list[ast.expr] = [*call.args, *(keyword.value for keyword in call.keywords)]
    while stack:
        part = stack.pop(0)
        match part:
            case ast.Starred(value=inner):
                stack.append(inner)
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                stack += parts
            case ast.Dict(values=parts):
                stack += parts
            case ast.Call(args=parts, keywords=keywords) if way == "task":
                stack += [*parts, *(keyword.value for keyword in keywords)]
            case ast.ListComp(elt=element) | ast.GeneratorExp(elt=element) if way == "task":
                stack.append(element)
            case _:
                yield part


def _callee(call: ast.Call) -> str:
    """The function that runs elsewhere, as the call names it."""
    if isinstance(call.func, ast.Attribute) and call.func.attr in _ON_TASK:
        return ast.unparse(call.func.value)
    target = next((keyword.value for keyword in call.keywords if keyword.arg in {"target", "function"}), None)
    first = target or (call.args[0] if call.args else None)
    if isinstance(first, ast.Starred):
        first = first.value
    if isinstance(first, ast.ListComp | ast.GeneratorExp):
        first = first.elt
    if isinstance(first, ast.Call):
        first = first.func
    return ast.unparse(first) if isinstance(first, ast.Name | ast.Attribute) else "what runs there"
