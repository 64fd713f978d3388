"""A small world in which the life of sessions is tested: what the names in the test functions mean."""

import ast

from alchemod.inference.ownership.knowledge import AttributeKind, Opening, Product, ProductKind
from alchemod.inference.ownership.life import SessionLife, session_lives
from alchemod.inference.scoping.scopes import FUNCTIONS, scope_of
from alchemod.inference.summaries.vocabulary import LENT, Given, Treatment

OPENINGS = {
    "Maker": Opening("plain"),
    "AsyncMaker": Opening("plain", is_async=True),
    "KeepingMaker": Opening("plain", expires_on_commit=False),
    "OnceMaker": Opening("plain", reopens=False),
    "MaybeMaker": Opening("plain", proved=False, reason="the factory is a parameter"),
    "OldMaker": Opening("plain", enterable=False),
    "Scoped": Opening("never", reason="a scoped registry"),
    "Foreign": Opening("unknown"),
}
COLUMNS = {"id", "name", "x", "y", "done", "uid", "team_id"}
OBJECT_RELATIONSHIPS = {"team", "parent"}
LIST_RELATIONSHIPS = {"adds", "roles"}
CALLS: dict[str, ProductKind] = {
    **dict.fromkeys(["query", "filter", "options", "order_by", "execute", "scalars", "stream"], "lazy"),
    **dict.fromkeys(["all", "fetchall"], "objects"),
    **dict.fromkeys(["first", "one", "get", "merge", "load"], "object"),
    **dict.fromkeys(["count", "scalar", "render", "log", "slow", "str", "len", "label"], "plain"),
}
TREATMENTS = {
    "close_it": Treatment("no", "must", frozenset(), "nothing"),
    "maybe_close": Treatment("no", "may", frozenset(), "nothing"),
    "keep": Treatment("yes", "no", frozenset(), "nothing"),
    "save": Treatment("no", "no", frozenset(["commit"]), "nothing"),
    "label": Treatment("no", "no", frozenset(), "columns"),
    **dict.fromkeys(["work", "render", "log", "load", "print", "str", "len", "Bad"], LENT),
}


class Known:
    def opening(self, call: ast.Call) -> Opening | None:
        return OPENINGS.get(_name(call))

    def managing(self, call: ast.Call) -> Opening | None:
        return None

    def shared(self, node: ast.expr) -> Opening | None:
        return Opening("plain") if isinstance(node, ast.Name) and node.id == "shared" else None

    def product(self, node: ast.expr) -> Product:
        match node:
            case ast.Call() if (name := _name(node)) in CALLS:
                return Product(CALLS[name])
            case ast.Call(func=ast.Name(id=name)) if name in ("User", "Add"):
                related = (k.value for k in node.keywords if k.arg in OBJECT_RELATIONSHIPS | LIST_RELATIONSHIPS)
                return Product("object", tuple(related))
            case ast.Call() if _name(node) in OPENINGS:
                return Product("session")
            case ast.Attribute(attr=name) if name in LIST_RELATIONSHIPS:
                return Product("objects")
            case ast.Attribute(attr=name) if name in OBJECT_RELATIONSHIPS | {"org"}:
                return Product("object")
            case ast.Name(id="other"):
                return Product("session")
            case ast.Subscript():
                return Product("object")
        return Product("unknown")

    def attribute(self, node: ast.Attribute) -> AttributeKind:
        if node.attr in COLUMNS:
            return "column"
        if node.attr in OBJECT_RELATIONSHIPS | LIST_RELATIONSHIPS:
            return "relationship"
        kinds: dict[str, AttributeKind] = {"stamp": "computed", "org": "eager", "blob": "deferred"}
        return kinds.get(node.attr, "other")

    def is_computed(self, value: ast.expr) -> bool:
        return any(isinstance(part, ast.Name) and part.id == "func" for part in ast.walk(value))

    def through(self, call: ast.Call, used: str | None) -> Treatment:
        return LENT if used is not None else TREATMENTS.get(_name(call), Treatment())

    def treatment(self, call: ast.Call, argument: ast.expr, given: Given) -> Treatment:
        return TREATMENTS.get(_name(call), Treatment())


def lives(source: str) -> list[SessionLife]:
    """The sessions of the first function in `source`."""
    tree = ast.parse(source)
    function = next(node for node in ast.walk(tree) if isinstance(node, FUNCTIONS))
    scope = scope_of(tree).find(function)
    assert scope is not None
    return session_lives(scope, Known())


def life(source: str) -> SessionLife:
    """The only, or first, session of the function in `source`."""
    return lives(source)[0]


def _name(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""
