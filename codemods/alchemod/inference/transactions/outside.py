"""Which calls have an effect outside the database, or may have one: mail, HTTP, tasks, files, code that is not seen.

A call is judged by what it calls. Names only ever make it suspicious: nothing is harmless by its name alone but the
methods of texts and containers.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable
from typing import Final, Literal, TypeAlias

from alchemod.facts.module import last_name
from alchemod.inference.ownership.methods import SESSION_METHODS
from alchemod.inference.resolving.functions import own_nodes
from alchemod.inference.resolving.resolver import Resolver
from alchemod.inference.summaries.direct import looks_like_session
from alchemod.inference.summaries.targets import Targets
from alchemod.inference.values import (
    Answer,
    ClassObject,
    Expression,
    FunctionObject,
    LocalFunction,
    Method,
    ModelClass,
    Outside,
    Place,
    Plain,
)

Reach: TypeAlias = Literal["inside", "outside", "unknown"]
"""`inside`: nothing but values, objects and logs. `outside`: it reaches something else. `unknown`: not seen."""

_OUTSIDE_NAMES: Final = frozenset(
    {
        *("delay", "apply_async", "apply", "enqueue", "enqueue_in", "send", "send_mail", "send_message", "send_email"),
        *("send_task", "publish", "produce", "emit", "notify", "post", "put", "patch", "request", "urlopen", "upload"),
        *("sleep", "run", "check_call", "check_output", "Popen", "submit", "submit_job", "set_result", "ack", "nack"),
        *("write", "writelines", "unlink", "remove_file", "rmtree", "connect", "acquire", "release"),
    }
)
_OUTSIDE_LIBRARIES: Final = frozenset(
    {
        *("requests", "httpx", "aiohttp", "urllib", "urllib3", "smtplib", "celery", "kombu", "kafka", "pika", "redis"),
        *("boto3", "botocore", "subprocess", "socket", "threading", "multiprocessing", "asyncio", "shutil", "paramiko"),
        *("rq", "dramatiq", "huey", "flask_mail", "time", "os", "stripe", "kubernetes", "docker", "grpc"),
    }
)
_INSIDE_LIBRARIES: Final = frozenset(
    {
        *(
            "builtins",
            "datetime",
            "uuid",
            "json",
            "random",
            "re",
            "math",
            "decimal",
            "itertools",
            "functools",
            "string",
        ),
        *(
            "collections",
            "hashlib",
            "secrets",
            "copy",
            "operator",
            "logging",
            "typing",
            "enum",
            "dataclasses",
            "base64",
        ),
        *(
            "statistics",
            "fractions",
            "html",
            "textwrap",
            "unicodedata",
            "sqlalchemy",
            "warnings",
            "traceback",
            "loguru",
        ),
    }
)
_OUTSIDE_BUILTINS: Final = frozenset({"open", "input", "exec", "eval", "compile", "__import__", "breakpoint"})
_OF_VALUES: Final = frozenset(
    {
        *(
            "append",
            "extend",
            "insert",
            "pop",
            "setdefault",
            "items",
            "keys",
            "values",
            "copy",
            "count",
            "index",
            "sort",
        ),
        *("reverse", "strip", "lstrip", "rstrip", "split", "rsplit", "splitlines", "lower", "upper", "title", "format"),
        *(
            "capitalize",
            "join",
            "replace",
            "startswith",
            "endswith",
            "encode",
            "decode",
            "isoformat",
            "strftime",
            "get",
        ),
        *(
            "partition",
            "rpartition",
            "isdigit",
            "isalpha",
            "zfill",
            "date",
            "time",
            "timestamp",
            "total_seconds",
            "hex",
        ),
        *("group", "groups", "groupdict", "most_common", "intersection", "union", "difference", "discard"),
    }
)
_LOGGING: Final = frozenset({"debug", "info", "warning", "warn", "error", "exception", "critical", "log"})
_MAX_DEPTH: Final = 3


class Reaches:
    """Answers for one project; remembered per function."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver: Final = resolver
        self._targets: Final = Targets(resolver)
        self._memo: Final[dict[ast.AST, Reach]] = {}

    def of(self, call: ast.Call, place: Place, depth: int = 0) -> Reach:
        """How far a call reaches; methods of sessions and queries are not asked about here."""
        callee = self._resolver.value(call.func, Place(place.module, place.scope.innermost(call.func)))
        match callee:
            case Answer(value=Outside(definition=definition)):
                return _of_library(definition.name)
            case Answer(value=Method() | Expression()):
                return "inside"
            case Answer(value=FunctionObject() | LocalFunction() | ClassObject()):
                return self._of_function(callee, depth)
            case Answer(value=ModelClass(model=model)):
                makers = (one.methods["__init__"] for one in model.family if "__init__" in one.methods)
                maker = next(makers, None)
                return "inside" if maker is None else self._of_function(Answer(FunctionObject(maker)), depth)
        return self._by_name(call, place)

    def _by_name(self, call: ast.Call, place: Place) -> Reach:
        name = last_name(call)
        if name in _OUTSIDE_NAMES:
            return "outside"
        match call.func:
            case ast.Name() if place.scope.owner(name) is None and hasattr(builtins, name):
                return "outside" if name in _OUTSIDE_BUILTINS else "inside"
            case ast.Attribute(value=ast.Call(func=ast.Name(id="super"))):
                return "inside"
            case ast.Attribute(value=receiver):
                answer = self._resolver.value(receiver, Place(place.module, place.scope.innermost(receiver)))
                if answer is not None and isinstance(answer.value, Plain):
                    return "inside"
                if name in SESSION_METHODS and looks_like_session(receiver):
                    return "inside"
                logs = name in _LOGGING and "log" in last_name(receiver).lower()
                return "inside" if answer is None and (name in _OF_VALUES or logs) else "unknown"
        return "unknown"

    def _of_function(self, callee: Answer, depth: int) -> Reach:
        targets = self._targets.of(callee)
        if targets is None or depth > _MAX_DEPTH:
            return "unknown"
        found: Reach = "inside"
        for target in targets:
            if target.node not in self._memo:
                self._memo[target.node] = "inside"  # a function that calls itself adds nothing
                calls = (node for node in own_nodes(target.node) if isinstance(node, ast.Call))
                self._memo[target.node] = _farthest(self.of(call, target.inside, depth + 1) for call in calls)
            found = _farthest((found, self._memo[target.node]))
        return found


def _of_library(dotted: str) -> Reach:
    top, _, rest = dotted.partition(".")
    if top == "builtins":
        return "outside" if rest in _OUTSIDE_BUILTINS else "inside"
    if dotted.startswith("os.path.") or top in _INSIDE_LIBRARIES:
        return "inside"
    if top in _OUTSIDE_LIBRARIES or dotted.rpartition(".")[2] in _OUTSIDE_NAMES:
        return "outside"
    return "unknown"


def _farthest(reaches: Iterable[Reach]) -> Reach:
    found = set(reaches)
    return "outside" if "outside" in found else "unknown" if "unknown" in found else "inside"
