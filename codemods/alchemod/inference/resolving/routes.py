"""Functions that a web framework calls: routes and methods of views."""

from __future__ import annotations

import ast
from typing import Final

from alchemod.facts.module import last_name

_METHODS: Final = frozenset(
    {"get", "post", "put", "patch", "delete", "head", "options", "api_route", "route", "websocket"}
)
_VIEWS: Final = frozenset({"MethodView", "View", "Resource", "HTTPEndpoint", "APIView", "ModelView", "BaseView"})
_HTTP: Final = frozenset({"get", "post", "put", "patch", "delete", "dispatch_request"})

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


def is_route(function: FunctionNode, owner: ast.ClassDef | None = None) -> bool:
    """Whether a function answers requests.

    It is decorated by a method of an application, blueprint or router that takes a path (Flask "Routing", FastAPI "Path
    Operation"), or is a method named for HTTP of a class `owner` that derives from a view.
    """
    if any(_is_registration(decorator) for decorator in function.decorator_list):
        return True
    if owner is None or function.name not in _HTTP:
        return False
    return any(last_name(base) in _VIEWS for base in owner.bases)


def _is_registration(decorator: ast.expr) -> bool:
    match decorator:
        case ast.Call(func=ast.Attribute(attr=name), args=[ast.Constant(value=str(path)), *_]):
            return name in _METHODS and (path.startswith("/") or path == "")
        case ast.Call(func=ast.Name(id="expose" | "route"), args=[ast.Constant(value=str()), *_]):
            return True
    return False
