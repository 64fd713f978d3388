"""Arguments of constructors that are methods since SQLAlchemy 1.4: `select([a], w)` is `select(a).where(w)`.

What the constructors did with each argument is in SQLAlchemy 1.4: `Select.create_legacy_select()`, the constructors of
`Insert`, `Update`, `Delete`, `CompoundSelect` and `Exists`; for `text()` in 1.3.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alchemod.inference.area import Area
from alchemod.inference.legacy.forms import (
    Asked,
    Form,
    Link,
    Named,
    UnclearError,
    chosen,
    each,
    flag,
    flag_or_list,
    listed,
    named,
    one,
    optional,
)
from alchemod.inference.resolving.kinds import KindsOf


@dataclass(frozen=True, slots=True)
class Constructor:
    """A constructor: what it is called by now, its parameters by position, and what becomes of each by name.

    `what` are the first parameters, which stay.
    """

    what: tuple[str, ...]
    order: tuple[str, ...]
    forms: Mapping[str, Form]
    has_dialect_options: bool = False

    def rest(self, call: ast.Call, *, is_method: bool) -> list[Named]:
        """The arguments of a call that are to become methods. Raises UnclearError."""
        order = self.order if is_method else (*self.what, *self.order)
        return [argument for argument in named(call, order) if argument.name not in self.what]

    def form(self, name: str) -> Form | None:
        """What becomes of the parameter `name`, None when nothing takes its place."""
        is_option = self.has_dialect_options and name.partition("_")[0] in _DIALECTS
        return _dialect_option if is_option else self.forms.get(name)


def _dialect_option(asked: Asked) -> Link:
    return Link(f".with_dialect_options({asked.name}={{{asked.hole}}})", {asked.hole: asked.value}, "1.4")


def _columns(asked: Asked) -> Link | None:
    """Types of text columns by name."""
    if asked.constant is None:
        return None
    if not isinstance(asked.value, ast.Dict):
        return Link(f".columns(**{{{asked.hole}}})", {asked.hole: asked.value})
    parts: list[str] = []
    holes: dict[str, ast.expr] = {}
    for index, (key, value) in enumerate(zip(asked.value.keys, asked.value.values, strict=True)):
        if not (isinstance(key, ast.Constant) and isinstance(key.value, str) and key.value.isidentifier()):
            return Link(f".columns(**{{{asked.hole}}})", {asked.hole: asked.value})
        parts.append(f"{key.value}={{{asked.hole}_{index}}}")
        holes[f"{asked.hole}_{index}"] = value
    return Link(f".columns({', '.join(parts)})", holes)


_DIALECTS = frozenset({"mysql", "mariadb", "postgresql", "sqlite", "oracle", "mssql", "sybase", "firebird"})
_LABELS = flag(".set_label_style({sqlalchemy.LABEL_STYLE_TABLENAME_PLUS_COL})", since="1.4")
_LOCKS = chosen(
    (True, ".with_for_update()"),
    ("nowait", ".with_for_update(nowait=True)"),
    ("read", ".with_for_update(read=True)"),
    ("read_nowait", ".with_for_update(read=True, nowait=True)"),
    (False, ""),
    (None, ""),
)
_ENDING: Mapping[str, Form] = {
    "limit": one("limit"),
    "offset": one("offset"),
    "order_by": each("order_by", takes_none=True),
    "group_by": each("group_by", takes_none=True),
    "use_labels": _LABELS,
    "for_update": _LOCKS,
}
_CORRELATE = chosen((True, ""), (False, ".correlate(None)"))

SELECT = Constructor(
    ("columns",),
    ("whereclause", "from_obj", "distinct", "having", "correlate", "prefixes", "suffixes"),
    {
        "whereclause": optional("where"),
        "from_obj": each("select_from", is_rarely_list=True),
        "distinct": flag_or_list("distinct"),
        "having": optional("having"),
        "correlate": _CORRELATE,
        "prefixes": listed("prefix_with"),
        "suffixes": listed("suffix_with"),
        **_ENDING,
    },
)
COMPOUND = Constructor((), (), {**_ENDING, "correlate": _CORRELATE})
EXISTS = Constructor(
    ("columns",),
    ("whereclause", "from_obj"),
    {
        "whereclause": optional("where"),
        "from_obj": each("select_from", is_rarely_list=True, since="1.4"),
        "correlate": _CORRELATE,
    },
)
TEXT = Constructor(
    ("text",),
    ("bind", "bindparams", "typemap", "autocommit"),
    {
        "bindparams": listed("bindparams"),
        "typemap": _columns,
        "autocommit": chosen((None, "")),
        "bind": chosen((None, "")),
    },
)

_CHANGING: Mapping[str, Form] = {
    "values": optional("values"),
    "inline": flag(".inline()", since="1.4"),
    "prefixes": listed("prefix_with"),
    "returning": each("returning"),
    "return_defaults": flag_or_list("return_defaults"),
}
_COMMON = ("bind", "prefixes", "returning", "return_defaults")
INSERT = Constructor(("table",), ("values", "inline", *_COMMON), _CHANGING, has_dialect_options=True)
UPDATE = Constructor(
    ("table",),
    ("whereclause", "values", "inline", *_COMMON, "preserve_parameter_order"),
    {"whereclause": optional("where"), **_CHANGING, "preserve_parameter_order": flag("")},
    has_dialect_options=True,
)
ORDERED_UPDATE = Constructor(
    UPDATE.what,
    UPDATE.order,
    {**UPDATE.forms, "values": listed("ordered_values", since="1.4")},
    has_dialect_options=True,
)
"""An update with `preserve_parameter_order=True`."""
DELETE = Constructor(
    ("table",),
    ("whereclause", "bind", "returning", "prefixes"),
    {"whereclause": optional("where"), "returning": each("returning"), "prefixes": listed("prefix_with")},
    has_dialect_options=True,
)


@dataclass(slots=True)
class Translation:
    """The method calls that stand for some arguments, in the order of the arguments.

    `doubt` says what is not known, so that the translation may be wrong; `unclear` why there is none.
    """

    links: list[Link] = field(default_factory=list)
    doubt: str | None = None
    unclear: str | None = None

    @property
    def template(self) -> str:
        """The text of the calls, to stand behind `{_}`."""
        return "".join(link.template for link in self.links)

    @property
    def holes(self) -> dict[str, Any]:
        """What fills the holes of the template."""
        return {name: value for link in self.links for name, value in link.holes.items()}

    @property
    def since(self) -> str:
        """The lowest SQLAlchemy that has all the methods."""
        return max((link.since for link in self.links), default="1.3")


class LegacyArguments(Area):
    """Translates arguments of old constructors into method calls."""

    def translated(self, path: Path, arguments: Sequence[Named], constructor: Constructor) -> Translation:
        """The method calls that stand for some arguments of a call in the current tree of `path`."""
        result = Translation()
        for index, argument in enumerate(arguments):
            form = constructor.form(argument.name)
            if form is None:
                result.unclear = f"{argument.name}= has no method in its place"
                return result
            kinds = self.inference.ask(KindsOf).of(path, argument.value)
            try:
                link = form(Asked(argument.name, argument.value, kinds, f"v{index}"))
            except UnclearError as error:
                result.unclear = str(error)
                return result
            if link is not None:
                result.links.append(link)
                result.doubt = result.doubt or link.doubt
                if kinds is None and argument.name in _LEAVE_OUT_NONE:
                    result.doubt = f"{ast.unparse(argument.value)} may be None, which was left out so far"
        return result


_LEAVE_OUT_NONE = frozenset({"whereclause", "having", "values"})
