"""What the templates of a project read of the rows that they are rendered with."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from alchemod.facts.module import Module, last_name
from alchemod.inference.reading.combined import through
from alchemod.inference.reading.jinja import Translated, UnreadTemplateError, translated
from alchemod.inference.reading.shapes import Shape
from alchemod.inference.rows.knowledge import MUTE, Handed, HandedExposure, HandedRead
from alchemod.inference.scoping.scopes import scope_of
from alchemod.inference.values import Answer, ModelClass, Object, Outside, Place
from alchemod.text.ignore import is_generated

if TYPE_CHECKING:
    from alchemod.inference.reading.table import Readings

_FOLDERS: Final = frozenset({"templates", "template", "views"})
_SUFFIXES: Final = frozenset({".html", ".htm", ".xhtml", ".xml", ".txt", ".jinja", ".jinja2", ".j2", ".md"})
_RENDERING: Final = frozenset({"flask.render_template", "flask.templating.render_template", "quart.render_template"})
RENDERING: Final = frozenset({"render_template", "TemplateResponse", "render", "render_async"})
"""What functions that render a template are called."""
_NO_JINJA: Final = "jinja2 is not installed (alchemod[templates])"


class Templates:
    """The templates of one project, found by the names they are rendered by."""

    def __init__(self, readings: Readings) -> None:
        self._readings: Final = readings
        self._root: Final = readings.resolver.project.root
        self._bodies: Final[dict[str, Place]] = {}
        self._lines: Final[dict[Module, Translated]] = {}

    def rendered(self, call: ast.Call, place: Place) -> tuple[str, Mapping[str, ast.expr]] | None:
        """The template that a call renders, and what it is given by which name; None for other calls."""
        name = self._name(call, place)
        return (name, dict(_context(call))) if name is not None else None

    def handed(self, name: str, variable: str, shape: Shape) -> Handed:
        """What a template does with what it gets as `variable`."""
        try:
            inside = self._body(name)
        except UnreadTemplateError as error:
            return _unread(shape, f"{name} is not read: {error}")
        except ImportError:
            return _unread(shape, f"{name} is not read: {_NO_JINJA}")
        parameter = next((one for one in inside.scope.parameters if one.arg == variable), None)
        return MUTE if parameter is None else self._readings.handed(inside, parameter, shape)

    def where(self, place: Place, node: ast.AST) -> str | None:
        """The template and line that a node of a translated template stands for."""
        found = self._lines.get(place.module)
        if found is None:
            return None
        name, line = found.lines[getattr(node, "lineno", 1) - 1]
        return f"{name}:{line}"

    def _name(self, call: ast.Call, place: Place) -> str | None:
        """The name of the template: that of `render_template(name, ...)` (Flask), `templates.TemplateResponse(...)`
        (Starlette) or `environment.get_template(name).render(...)` (Jinja)."""
        constant = next((text for part in call.args[:2] if (text := _text(part)) is not None), None)
        match call.func:
            case ast.Attribute(value=owner, attr="render" | "render_async"):
                return self._loaded(owner, place)
            case ast.Attribute(attr="TemplateResponse"):
                named = next((_text(keyword.value) for keyword in call.keywords if keyword.arg == "name"), None)
                return constant or named
        answer = self._readings.resolver.value(call.func, Place(place.module, place.scope.innermost(call.func)))
        match answer:
            case Answer(value=Outside(definition=definition)) if definition.name in _RENDERING:
                return constant
        return None

    def _loaded(self, owner: ast.expr, place: Place) -> str | None:
        """The template of `environment.get_template("name")`, through a variable with one assignment."""
        if isinstance(owner, ast.Name):
            scope = place.scope.owner(owner.id)
            bindings = scope.bindings.get(owner.id, []) if scope is not None else []
            owner = bindings[0].value or owner if len(bindings) == 1 else owner
        match owner:
            case ast.Call(
                func=ast.Attribute(attr="get_template" | "select_template"), args=[ast.Constant(value=str(name))]
            ):
                return name
        return None

    def _body(self, name: str) -> Place:
        if name not in self._bodies:
            found = translated(name, self._load)
            tree = ast.parse(found.source)
            function = tree.body[0]
            assert isinstance(function, ast.FunctionDef)
            module = Module(name, self._path(name), is_package=False)
            scope = scope_of(tree).find(function)
            assert scope is not None
            self._bodies[name] = Place(module, scope)
            self._lines[module] = found
        return self._bodies[name]

    def _load(self, name: str) -> str:
        try:
            return self._path(name).read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            raise UnreadTemplateError(f"the file {name} cannot be read") from None

    def _path(self, name: str) -> Path:
        found = self._files.get(name, [])
        if len(found) != 1:
            raise UnreadTemplateError(f"{'several templates are' if found else 'no template is'} called {name}")
        return found[0]

    @cached_property
    def _files(self) -> dict[str, list[Path]]:
        """The templates by their names: their paths below the nearest folder of templates."""
        found: dict[str, list[Path]] = {}
        for path in _below(self._root):
            parts = path.relative_to(self._root).parts
            tops = [index for index, part in enumerate(parts[:-1]) if part in _FOLDERS]
            for top in tops:
                found.setdefault("/".join(parts[top + 1 :]), []).append(path)
        return found


def _below(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not is_generated(name, os.path.join(folder, name)))
        yield from (Path(folder, name) for name in sorted(files) if os.path.splitext(name)[1] in _SUFFIXES)


def _unread(shape: Shape, why: str) -> Handed:
    """What a template that is not read may do: it may read any relationship."""
    if (element := shape.element) is not None:
        return through(_unread(element, why), () if shape.listed else ("[]",), repeated=True)
    match shape.value:
        case Object(of=ModelClass(model=model)):
            names = (name for name, found in model.attributes.items() if found.kind == "relationship")
            reads = frozenset(HandedRead((name,), must=False, why=(why,)) for name in names)
            return Handed(reads, frozenset([HandedExposure("runtime", (), (why,))]))
    return MUTE


def _context(call: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    """What a template is given by which name: keywords, and the items of a display."""
    for keyword in call.keywords:
        if keyword.arg is not None and keyword.arg != "context":
            yield keyword.arg, keyword.value
    for part in (*call.args, *(keyword.value for keyword in call.keywords if keyword.arg in {None, "context"})):
        match part:
            case ast.Dict(keys=keys, values=values):
                for key, value in zip(keys, values, strict=True):
                    if key is not None and (name := _text(key)) is not None:
                        yield name, value
            case ast.Call() if last_name(part) == "dict":
                yield from ((keyword.arg, keyword.value) for keyword in part.keywords if keyword.arg is not None)


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
