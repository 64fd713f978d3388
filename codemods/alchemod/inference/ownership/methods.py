"""What the methods of Session and AsyncSession do to the session, its transaction and its objects.

SQLAlchemy 2.0, "Session API" and "State Management".
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

MethodEffect: TypeAlias = Literal[
    "close", "commit", "rollback", "flush", "write", "add", "merge", "expire", "refresh", "expunge", "read",
    "begin", "enter", "nothing",
]  # fmt: skip

SESSION_METHODS: Final[dict[str, MethodEffect]] = {
    "close": "close",
    "aclose": "close",
    "invalidate": "close",
    "reset": "close",
    "remove": "close",
    "commit": "commit",
    "rollback": "rollback",
    "flush": "flush",
    "add": "add",
    "add_all": "add",
    "merge": "merge",
    "merge_all": "merge",
    "delete": "write",
    "delete_all": "write",
    "bulk_save_objects": "write",
    "bulk_insert_mappings": "write",
    "bulk_update_mappings": "write",
    "expire": "expire",
    "expire_all": "expire",
    "refresh": "refresh",
    "expunge": "expunge",
    "expunge_all": "expunge",
    "query": "read",
    "execute": "read",
    "exec": "read",
    "scalar": "read",
    "scalars": "read",
    "stream": "read",
    "stream_scalars": "read",
    "get": "read",
    "get_one": "read",
    "connection": "read",
    "run_sync": "read",
    "begin": "begin",
    "begin_nested": "begin",
    "__enter__": "enter",
    "__aenter__": "enter",
    "enable_relationship_loading": "read",
    "is_modified": "nothing",
    "in_transaction": "nothing",
    "in_nested_transaction": "nothing",
    "get_bind": "nothing",
    "get_transaction": "nothing",
    "get_nested_transaction": "nothing",
    "__contains__": "nothing",
}
"""Methods that are not named may do anything."""

COROUTINES: Final = frozenset(
    {
        *("close", "aclose", "invalidate", "reset", "commit", "rollback", "flush", "merge", "merge_all", "delete"),
        *("delete_all", "refresh", "execute", "scalar", "scalars", "stream", "stream_scalars", "get", "get_one"),
        *("connection", "run_sync", "exec"),
    }
)
"""The methods of AsyncSession that do nothing until they are awaited."""

NO_SQL: Final = frozenset({"query", "expunge", "expunge_all", "expire", "expire_all"})
"""The methods that leave a closed session closed."""
