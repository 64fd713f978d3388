"""Where a value that is put into SQL comes from: whether somebody outside the code can decide what it is."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Literal

from alchemod.facts.lookup import Variable
from alchemod.facts.module import ClassFacts
from alchemod.inference.area import Area
from alchemod.inference.control.reaching import definitions
from alchemod.inference.resolving.functions import enclosing_function
from alchemod.inference.scoping.bindings import Binding
from alchemod.inference.scoping.scopes import Scope
from alchemod.inference.sql.declared import declared_origin, is_enumeration
from alchemod.inference.sql.guards import is_guarded
from alchemod.inference.values import (
    Answer,
    ClassObject,
    ColumnObject,
    Method,
    ModelAttribute,
    ModelClass,
    Outside,
    Place,
    ProjectModule,
    TableObject,
)

Origin = Literal["constant", "quoted", "number", "guarded", "outside", "unknown"]
"""`constant`: the code itself says what it may be. `quoted`: made safe for SQL by SQLAlchemy or the driver. `number`:
it can be nothing else. `guarded`: looked up among allowed values before. `outside`: it comes from a request, a prompt
or the command line. `unknown`: anything."""

_NUMBERS = frozenset({"int", "float", "len", "bool", "round", "abs", "id", "ord", "hash"})
_QUOTING = frozenset(
    {
        "quote", "quote_identifier", "quote_schema", "format_table", "format_column", "format_schema", "quoted_name",
        "quote_ident", "quote_literal",
    }
)  # fmt: skip
_NAMES = frozenset({"__tablename__", "__table__", "name", "key", "fullname", "schema", "description"})
_REQUESTS = frozenset({"args", "form", "json", "values", "query_params", "GET", "POST", "data", "cookies", "headers"})
_DOUBLING = [repr("'"), repr("''")]
"""What `replace()` gets to make a text safe between the quotes of a string of SQL."""
_INPUTS = frozenset({"sys.argv"})
_DEPTH = 8


class Origins(Area):
    """The origins of values that are put into SQL."""

    def of(self, node: ast.expr, place: Place, depth: int = _DEPTH) -> Origin:
        """Where the value of an expression comes from."""
        if depth == 0:
            return "unknown"
        match node:
            case ast.Constant():
                return "constant"
            case ast.JoinedStr(values=parts) | ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
                return self._weakest(self.of(part, place, depth - 1) for part in parts)
            case ast.Dict(values=parts):
                return self._weakest(self.of(part, place, depth - 1) for part in parts)
            case ast.FormattedValue(value=inner) | ast.Starred(value=inner) | ast.UnaryOp(operand=inner):
                return self.of(inner, place, depth - 1)
            case ast.IfExp(body=one, orelse=other) | ast.BinOp(left=one, right=other):
                return self._weakest(self.of(part, place, depth - 1) for part in (one, other))
            case ast.BoolOp(values=parts):
                return self._weakest(self.of(part, place, depth - 1) for part in parts)
            case ast.Subscript(value=owner, slice=index):
                return self._item(owner, index, place, depth)
            case ast.Call():
                return self._call(node, place, depth)
            case ast.Name():
                return self._name(node, place, depth)
            case ast.Attribute():
                return self._attribute(node, place)
            case ast.GeneratorExp(elt=element) | ast.ListComp(elt=element) | ast.SetComp(elt=element):
                scope = place.scope.find(node)
                return self.of(element, Place(place.module, scope), depth - 1) if scope is not None else "unknown"
        return "unknown"

    @staticmethod
    def _weakest(origins: Iterable[Origin]) -> Origin:
        found = set(origins)
        order: tuple[Origin, ...] = ("outside", "unknown", "guarded", "quoted", "number")
        return next((origin for origin in order if origin in found), "constant")

    def _item(self, owner: ast.expr, index: ast.expr, place: Place, depth: int) -> Origin:
        """A value looked up: one of those of a literal dict or list, whatever the key."""
        if _is_request(ast.Subscript(owner, index)) or self._dotted(owner, place) in _INPUTS:
            return "outside"
        display = self._display(owner, place)
        return self.of(display, place, depth - 1) if display is not None else "unknown"

    def _display(self, node: ast.expr, place: Place) -> ast.Dict | ast.List | ast.Tuple | ast.Set | None:
        """The display that an expression is, or always stands for."""
        if isinstance(node, ast.Name | ast.Attribute):
            found = self._assigned(node, place)
            node = found if found is not None else node
        return node if isinstance(node, ast.Dict | ast.List | ast.Tuple | ast.Set) else None

    def _assigned(self, node: ast.expr, place: Place) -> ast.expr | None:
        """The one expression that a name always has."""
        if isinstance(node, ast.Name):
            owner = place.scope.owner(node.id)
            root = place.scope.root.node
            if owner is not None and owner.parent is not None and isinstance(root, ast.Module):
                single = definitions(root, node).single
                return single.value if single is not None and single.position == () else None
            found = self.inference.project.lookup.name(place.module, node.id)
        else:
            found = self.inference.project.lookup.expression(place.module, node)
        return found.assigned.value if isinstance(found, Variable) and not found.others else None

    def _call(self, call: ast.Call, place: Place, depth: int) -> Origin:
        function = call.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        if name in _QUOTING or name.endswith(("quote", "quoted", "identifier", "escape_like")):
            return "quoted"
        if isinstance(function, ast.Name):
            if name in _NUMBERS:
                return "number"
            if name in {"str", "sorted", "list", "tuple", "set", "min", "max", "reversed"} and call.args:
                return self._weakest(self.of(argument, place, depth - 1) for argument in call.args)
            return "outside" if name == "input" and place.scope.owner(name) is None else "unknown"
        if _is_request(call):
            return "outside"
        if isinstance(function, ast.Attribute):
            return self._method(function, call, place, depth)
        return "unknown"

    def _method(self, function: ast.Attribute, call: ast.Call, place: Place, depth: int) -> Origin:
        arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
        match function.attr:
            case "replace" if [ast.unparse(argument) for argument in arguments] == _DOUBLING:
                return "quoted"
            case "join" | "format" | "replace":
                return self._weakest(self.of(part, place, depth - 1) for part in (function.value, *arguments))
            case "upper" | "lower" | "strip" | "lstrip" | "rstrip" | "title" | "keys" | "values" | "items":
                return self.of(function.value, place, depth - 1)
            case "get" | "pop" if (display := self._display(function.value, place)) is not None:
                return self._weakest(
                    (self.of(display, place, depth - 1), *(self.of(part, place, depth - 1) for part in call.args[1:]))
                )
        return "unknown"

    def _name(self, name: ast.Name, place: Place, depth: int) -> Origin:
        owner = place.scope.owner(name.id)
        if owner is None or owner.parent is None:
            match self.inference.project.lookup.name(place.module, name.id):
                case Variable(module=module, assigned=assigned, others=others):
                    top = self.inference.resolver.top_of(module)
                    values = [found.value for found in (assigned, *others)]
                    return self._weakest(
                        self.of(value, top, depth - 1) if value is not None else "unknown" for value in values
                    )
            if owner is None:
                return "unknown"
        root = place.scope.root.node
        assert isinstance(root, ast.Module)
        found = definitions(root, name)
        if not found.sites or found.owner is None:
            return "unknown"
        inside = Place(place.module, found.owner)
        origin = self._weakest(self._bound(site, inside, depth) for site in found.sites)
        return "guarded" if origin in {"unknown", "outside"} and is_guarded(name, place) else origin

    def _bound(self, site: Binding, place: Place, depth: int) -> Origin:
        match site.kind:
            case "assignment" | "annotation" | "walrus" | "augmented" if site.value is not None:
                return self._part(site.value, site.position, place, depth)
            case "loop" | "comprehension" if site.value is not None:
                return self._element(site, place, depth)
            case "parameter" if isinstance(site.node, ast.arg):
                return self._parameter(site.node, place)
        return "unknown"

    def _part(self, value: ast.expr, position: tuple[int, ...] | None, place: Place, depth: int) -> Origin:
        return self.of(value, place, depth - 1) if position == () else "unknown"

    def _element(self, site: Binding, place: Place, depth: int) -> Origin:
        """One turn of a loop: an element of a literal, or a part of one."""
        assert site.value is not None
        around = place
        if site.kind == "comprehension" and place.scope.parent is not None:
            around = Place(place.module, place.scope.parent)
        match site.value:
            case ast.Call(func=ast.Attribute(value=owner, attr="items" | "keys" | "values" as method)):
                display = self._display(owner, around)
                if isinstance(display, ast.Dict):
                    by_key = method == "keys" or (method == "items" and site.position == (0,))
                    parts = [key for key in display.keys if key is not None] if by_key else display.values
                    return self._weakest(self.of(part, around, depth - 1) for part in parts)
            case ast.Call(func=ast.Name(id="range" | "enumerate")) if site.position in {(), (0,)}:
                return "number"
        display = self._display(site.value, around)
        if isinstance(display, ast.Dict):
            return self._weakest(self.of(key, around, depth - 1) for key in display.keys if key is not None)
        return self.of(display, around, depth - 1) if display is not None else self._table_loop(site.value, around)

    def _table_loop(self, value: ast.expr, place: Place, depth: int = _DEPTH) -> Origin:
        """The elements of what the models say: `metadata.sorted_tables`, `table.columns`."""
        match value:
            case ast.Attribute(attr="sorted_tables" | "columns" | "c" | "tables"):
                return "constant"
            case ast.Call(func=ast.Name(id="reversed" | "sorted" | "list"), args=[inner, *_]):
                return self._table_loop(inner, place, depth - 1)
            case ast.Name() if depth and (found := self._assigned(value, place)) is not None:
                return self._table_loop(found, place, depth - 1)
        return "unknown"

    def _parameter(self, parameter: ast.arg, place: Place) -> Origin:
        project = self.inference.project
        if parameter.annotation is not None:
            declared = declared_origin(parameter.annotation, place, project)
            if declared is not None:
                return declared
        function = enclosing_function(place.scope)
        owner = self.inference.resolver.enclosing_class(place)
        if owner is not None and is_enumeration(owner, project) and _is_first(parameter, function):
            return "constant"
        decorators = getattr(function.node, "decorator_list", []) if function is not None else []
        return "outside" if any(_is_route(decorator) for decorator in decorators) else "unknown"

    def _attribute(self, node: ast.Attribute, place: Place) -> Origin:
        """An attribute: a name that a model or table has, a constant of a module or class, a request's data."""
        if _is_request(node):
            return "outside"
        answer = self.inference.resolver.value(node.value, place)
        match answer:
            case Answer(value=ModelClass() | TableObject() | ModelAttribute() | ColumnObject() | Method()):
                if node.attr in _NAMES:
                    return "constant"
                return (
                    self._of_class(answer.value.model.facts, node.attr)
                    if isinstance(answer.value, ModelClass)
                    else "unknown"
                )
            case Answer(value=ClassObject(facts=facts)):
                return self._of_class(facts, node.attr)
            case Answer(value=ProjectModule(module=module)):
                value = self.inference.project.lookup.name(module, node.attr)
                if isinstance(value, Variable) and value.assigned.value is not None and not value.others:
                    return self.of(value.assigned.value, self.inference.resolver.top_of(module))
        if node.attr == "value" and isinstance(node.value, ast.Attribute):
            return self._attribute(node.value, place)  # Enum.MEMBER.value
        if node.attr in {"__tablename__", "__table__"}:
            return "constant"
        if node.attr in {"name", "fullname", "value"} and isinstance(node.value, ast.Name):
            return "constant" if self._name(node.value, place, _DEPTH) == "constant" else "unknown"
        return "unknown"

    def _of_class(self, facts: ClassFacts, name: str) -> Origin:
        for owner in self.inference.project.families.above(facts):
            if (assigned := owner.attributes.get(name)) is not None and assigned.value is not None:
                return self.of(assigned.value, self.inference.resolver.top_of(owner.module), 3)
        return "unknown"

    def _dotted(self, node: ast.expr, place: Place) -> str:
        match self.inference.resolver.value(node, place):
            case Answer(value=Outside(definition=definition)):
                return definition.name
        return ""


def _is_request(node: ast.expr) -> bool:
    """Whether code reads the data of a web request: `request.args["q"]`, `request.json.get("q")`."""
    while True:
        match node:
            case ast.Attribute(value=ast.Name(id="request"), attr=name):
                return name in _REQUESTS
            case (
                ast.Attribute(value=inner) | ast.Subscript(value=inner) | ast.Call(func=inner) | ast.Await(value=inner)
            ):
                node = inner
            case _:
                return False


def _is_first(parameter: ast.arg, function: Scope | None) -> bool:
    """Whether a parameter is the first of a function: the object of a method."""
    match function:
        case Scope(node=ast.FunctionDef(args=arguments) | ast.AsyncFunctionDef(args=arguments)):
            return [*arguments.posonlyargs, *arguments.args][:1] == [parameter]
    return False


def _is_route(decorator: ast.expr) -> bool:
    """Whether a decorator registers a function for requests: `@app.route("/")`, `@router.get("/x")`."""
    match decorator:
        case ast.Call(func=ast.Attribute(attr="route" | "get" | "post" | "put" | "delete" | "patch"), args=[path, *_]):
            return isinstance(path, ast.Constant) and isinstance(path.value, str) and path.value.startswith("/")
    return False
