"""MIG207: names of the expression language that are called otherwise, or live elsewhere, by now."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from alchemod.edits.verbs import Verb, add_argument, rename, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.renamed_names import Renamed, RenamedNames, last_names
from alchemod.facts.lookup import External
from alchemod.inference.values import Answer, Method, Outside, Statement, TableObject

_BASE = "what sqlalchemy.databases calls mysql is mysql.base of sqlalchemy.dialects, which has a few more names"
_TABLE = (
    Renamed("sqlalchemy.exceptions", "sqlalchemy.exc", since="1.3", is_module=True),
    Renamed("sqlalchemy.databases", "sqlalchemy.dialects", since="1.3", is_module=True, unsafe=_BASE),
    Renamed("sqlalchemy.future.select", "sqlalchemy.select"),
    Renamed("sqlalchemy.orm.exc.NoResultFound", "sqlalchemy.exc.NoResultFound"),
    Renamed("sqlalchemy.orm.exc.MultipleResultsFound", "sqlalchemy.exc.MultipleResultsFound"),
    Renamed("sqlalchemy.Binary", "sqlalchemy.LargeBinary", since="1.3"),
    Renamed("sqlalchemy.types.Binary", "sqlalchemy.types.LargeBinary", since="1.3"),
    Renamed("sqlalchemy.PassiveDefault", "sqlalchemy.DefaultClause", since="1.3"),
    Renamed("sqlalchemy.schema.PassiveDefault", "sqlalchemy.schema.DefaultClause", since="1.3"),
)
_LABELS = "{sqlalchemy.LABEL_STYLE_TABLENAME_PLUS_COL}"
_KEYWORDS = {"mustexist": ("must_exist", "1.4"), "useexisting": ("extend_existing", "1.3")}
"""Keywords of `Table`, and the version that has the new one."""


class RenamedCoreNames(RenamedNames):
    """Uses the current names of the expression language.

    What it does:
        Imports `NoResultFound` and `MultipleResultsFound` from `sqlalchemy.exc`, `select` from `sqlalchemy`, and
        changes `Binary`, `PassiveDefault`, `sqlalchemy.exceptions` and `sqlalchemy.databases` to `LargeBinary`,
        `DefaultClause`, `sqlalchemy.exc` and `sqlalchemy.dialects`. On tables `tometadata()` becomes `to_metadata()`,
        on selects `column()`, `froms` and `apply_labels()` become `add_columns()`, `get_final_froms()` and
        `set_label_style()`; `Table` gets `must_exist=` for `mustexist=`, and `append_column()` says
        `replace_existing=` where the table has the column.

    Why:
        The old names are gone in SQLAlchemy 2.0, or are kept only so that old code goes on running.

    Example:
        ```python
        def user(session, name):
            from sqlalchemy.orm.exc import NoResultFound

            try:
                return session.query(User).filter(User.name == name).one()
            except NoResultFound:
                return None
        ```

    Use instead:
        ```python
        def user(session, name):
            from sqlalchemy.exc import NoResultFound

            try:
                return session.query(User).filter(User.name == name).one()
            except NoResultFound:
                return None
        ```

    Fix safety:
        Safe: the new names are the same things; unsafe for `sqlalchemy.databases`, whose modules have a few more names
        than those of `sqlalchemy.dialects`. A name that strings, `__all__` or other files may rely on stays, as
        the name by which the new one is imported. Names that come from a star import are reported. Nothing is said
        where the code chooses between several imports of a name.

    References:
        - https://docs.sqlalchemy.org/en/14/changelog/migration_14.html
        - https://docs.sqlalchemy.org/en/20/changelog/migration_20.html
    """

    code = "MIG207"
    names = (
        *last_names(_TABLE), "tometadata", "column", "froms", "apply_labels", "with_labels", "append_column", "Table",
        "PickleType",
    )  # fmt: skip
    since = "1.4"
    table = _TABLE

    def find_Attribute(self, node: ast.Attribute, ctx: Context) -> Iterator[Finding]:
        """Looks at `module.name`, and at `select.froms`."""
        if node.attr != "froms":
            yield from super().find_Attribute(node, ctx)
            return
        receiver = ctx.value(node.value)
        match receiver:
            case Answer(value=Statement(style="select")) if isinstance(node.ctx, ast.Load):
                message = "froms is an old name of get_final_froms()"
                edit, more = rename(node, "get_final_froms"), swap(node, "{_}()")
                yield self.fix(node, message, edit, more, given=[receiver], min_version="1.4.23")

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at calls of methods, and at arguments, that are called otherwise by now."""
        if isinstance(call.func, ast.Attribute) and call.func.attr == "froms":
            return
        callee = ctx.value(call.func)
        match callee:
            case Answer(value=Method(owner=TableObject(alias=None), name="tometadata")):
                yield self._renamed(call, "to_metadata", callee)
            case Answer(value=Method(owner=TableObject(alias=None) as table, name="append_column")):
                if (name := _column_name(call)) is not None and table.table.named(name) is not None:
                    message = f"the table has a column {name}: SQLAlchemy 2.0 wants to be told that it is replaced"
                    edit = add_argument(call, "replace_existing=True")
                    yield self.fix(call, message, edit, given=[callee])
            case Answer(value=Method(owner=Statement(style="select"), name="column")):
                yield self._renamed(call, "add_columns", callee)
            case Answer(value=Method(owner=Statement(), name="apply_labels" | "with_labels")):
                yield self._renamed(call, "set_label_style", callee, add_argument(call, _LABELS))
            case Answer(value=Outside(definition=External(canonical="PickleType"))):
                for keyword in call.keywords:
                    if keyword.arg == "mutable":
                        message = "PickleType(mutable=) is gone: track changes with MutableType.as_mutable(PickleType)"
                        yield self.report(keyword, message, given=[callee])
            case Answer(value=Outside(definition=External(canonical="Table" | "flask_sqlalchemy:Table"))):
                for keyword in call.keywords:
                    if keyword.arg in _KEYWORDS:
                        new, since = _KEYWORDS[keyword.arg]
                        message = f"{keyword.arg}= is an old name of {new}="
                        yield self.fix(keyword, message, rename(keyword, new), given=[callee], min_version=since)

    def _renamed(self, call: ast.Call, new: str, callee: Answer, *more: Verb) -> Finding:
        assert isinstance(call.func, ast.Attribute)
        message = f"{call.func.attr}() is an old name of {new}()"
        return self.fix(call, message, rename(call.func, new), *more, given=[callee])


def _column_name(call: ast.Call) -> str | None:
    """The name of the column that `append_column(Column("name", ...))` adds, when nothing more is said."""
    match call:
        case ast.Call(args=[ast.Call(args=[ast.Constant(value=str(name)), *_])], keywords=[]):
            return name
    return None
