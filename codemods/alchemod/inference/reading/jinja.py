"""Jinja templates as Python functions, so that they are walked as all other code is.

A template becomes a function whose parameters are the names it takes from its context. Blocks, includes and macros are
put in their places. What a filter does with its input is written out where it matters ("List of Builtin Filters" in
Jinja's documentation); a filter that is not known becomes the call of a function that is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from alchemod.inference.reading.expressions import Expressions, constant

if TYPE_CHECKING:
    from jinja2 import nodes

_MAX_DEPTH: Final = 20


class UnreadTemplateError(Exception):
    """A template cannot be read; the message says why."""


@dataclass(slots=True)
class Translated:
    """A function in Python that does with its parameters what a template does with its context.

    `lines` are the template and the line there of each line of `source`.
    """

    source: str
    lines: Sequence[tuple[str, int]]


Load = Callable[[str], str]
"""Gives the text of a template by its name, or raises UnreadTemplateError."""


def translated(name: str, load: Load) -> Translated:
    """The function that stands for the template `name`. Needs jinja2; raises ImportError without it."""
    translation = _Translation(load)
    translation.template(name)
    return translation.finished()


@dataclass(slots=True)
class _Translation:
    load: Load
    out: list[str] = field(default_factory=list)
    lines: list[tuple[str, int]] = field(default_factory=list)
    here: str = ""
    depth: int = 1
    blocks: dict[str, list[tuple[str, nodes.Block]]] = field(default_factory=dict)
    expressions: Expressions = field(default_factory=Expressions)
    inside: list[str] = field(default_factory=list)

    def finished(self) -> Translated:
        """The function, its parameters first."""
        parameters = ", ".join(name for name in self.expressions.read if name not in self.expressions.bound)
        source = f"def template({parameters}):\n    pass\n" + "\n".join(self.out) + "\n"
        return Translated(source, [(self.here, 1), (self.here, 1), *self.lines])

    def template(self, name: str) -> None:
        """A whole template: the outermost layout it extends, with the innermost blocks."""
        tree = self._parsed(name)
        chain = [(name, tree)]
        while (parent := _parent(chain[-1][1])) is not None:
            if parent == "" or len(chain) > _MAX_DEPTH:
                raise UnreadTemplateError(f"what {chain[-1][0]} extends is not known")
            chain.append((parent, self._parsed(parent)))
        for owner, one in chain:
            for block in one.find_all(_types().Block):
                self.blocks.setdefault(block.name, []).append((owner, block))
        for owner, one in chain[:-1]:
            self._within(owner, [node for node in one.body if not isinstance(node, _types().Output | _types().Block)])
        root, body = chain[-1]
        self._within(root, body.body)
        self.here = name

    def _parsed(self, name: str) -> nodes.Template:
        from jinja2 import Environment, TemplateSyntaxError

        environment = Environment(extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols", "jinja2.ext.i18n"])
        try:
            return environment.parse(self.load(name))
        except TemplateSyntaxError as error:
            raise UnreadTemplateError(f"{name}:{error.lineno} cannot be parsed") from None
        except RecursionError:
            raise UnreadTemplateError(f"{name} is nested too deeply") from None

    def _within(self, name: str, body: Iterable[nodes.Node]) -> None:
        before, self.here = self.here, name
        self.inside.append(name)
        if len(self.inside) > _MAX_DEPTH:
            raise UnreadTemplateError(f"{name} is nested too deeply")
        self._body(body)
        self.inside.pop()
        self.here = before

    def _say(self, line: int, text: str) -> None:
        self.out.append("    " * self.depth + text)
        self.lines.append((self.here, line))

    def _suite(self, line: int, head: str, body: Iterable[nodes.Node]) -> None:
        self._say(line, head)
        self.depth += 1
        self._say(line, "pass")
        self._body(body)
        self.depth -= 1

    def _body(self, body: Iterable[nodes.Node]) -> None:
        for node in body:
            statement = getattr(self, f"_{type(node).__name__.lower()}", None)
            if statement is None:
                raise UnreadTemplateError(f"{self.here}:{node.lineno} holds what is not understood")
            statement(node)

    # Statements, by the names of Jinja's nodes

    def _output(self, node: nodes.Output) -> None:
        for part in node.nodes:
            if type(part).__name__ != "TemplateData":
                self._say(part.lineno, f"print({self.expressions.text(part)})")

    def _exprstmt(self, node: nodes.ExprStmt) -> None:
        self._say(node.lineno, self.expressions.text(node.node))

    def _for(self, node: nodes.For) -> None:
        target, iterated = self.expressions.target(node.target), node.iter
        if type(iterated).__name__ == "Filter" and iterated.name == "groupby" and iterated.node is not None:  # type: ignore[attr-defined]
            rows = self.expressions.text(iterated.node)  # type: ignore[attr-defined]
            group, _, items = target.partition(", ")
            self._say(node.lineno, f"{items or '_items'} = {rows}")
            self._suite(node.lineno, f"for {group} in {self.expressions.each(iterated, rows)}:", node.body)
            return
        head = f"for {target} in {self.expressions.text(iterated)}:"
        if node.test is None:
            self._suite(node.lineno, head, node.body)
        else:
            self._say(node.lineno, head)
            self.depth += 1
            self._suite(node.lineno, f"if {self.expressions.text(node.test)}:", node.body)
            self.depth -= 1
        if node.else_:
            self._suite(node.lineno, "if _no_items:", node.else_)

    def _if(self, node: nodes.If) -> None:
        self._suite(node.lineno, f"if {self.expressions.text(node.test)}:", node.body)
        for other in node.elif_:
            self._suite(other.lineno, f"elif {self.expressions.text(other.test)}:", other.body)
        self._suite(node.lineno, "else:", node.else_)

    def _assign(self, node: nodes.Assign) -> None:
        value = self.expressions.text(node.node)
        self._say(node.lineno, f"{self.expressions.target(node.target)} = {value}")

    def _assignblock(self, node: nodes.AssignBlock) -> None:
        self._body(node.body)
        self._say(node.lineno, f"{self.expressions.target(node.target)} = ''")

    def _with(self, node: nodes.With) -> None:
        for target, value in zip(node.targets, node.values, strict=True):
            text = self.expressions.text(value)
            self._say(node.lineno, f"{self.expressions.target(target)} = {text}")
        self._body(node.body)

    def _macro(self, node: nodes.Macro) -> None:
        self._define(node, node.name)

    def _define(self, node: nodes.Macro, name: str) -> None:
        self.expressions.bound.add(name)
        arguments = [self.expressions.target(argument) for argument in node.args]
        plain = len(arguments) - len(node.defaults)
        parameters = [*arguments[:plain], *(f"{argument}=None" for argument in arguments[plain:])]
        self._suite(node.lineno, f"def {name}({', '.join(parameters)}):", node.body)

    def _callblock(self, node: nodes.CallBlock) -> None:
        self._say(node.lineno, self.expressions.text(node.call))
        self._suite(node.lineno, "if _called:", node.body)

    def _filterblock(self, node: nodes.FilterBlock) -> None:
        self._body(node.body)

    def _block(self, node: nodes.Block) -> None:
        owner, block = self.blocks.get(node.name, [(self.here, node)])[0]
        self._within(owner, block.body)

    def _include(self, node: nodes.Include) -> None:
        name = constant(node.template)
        if name is None:
            raise UnreadTemplateError(f"what {self.here}:{node.lineno} includes is not known")
        if name in self.inside:
            raise UnreadTemplateError(f"{name} includes itself")
        self._within(name, self._parsed(name).body)

    def _import(self, node: nodes.Import) -> None:
        self._macros(node.template, lambda name: (name, f"{node.target}__{name}"))

    def _fromimport(self, node: nodes.FromImport) -> None:
        wanted: dict[str, str] = dict(name if isinstance(name, tuple) else (name, name) for name in node.names)
        self._macros(node.template, lambda name: (wanted.get(name, name),))

    def _macros(self, template: nodes.Expr, names: Callable[[str], tuple[str, ...]]) -> None:
        """Define the macros of another template under the names that they get here."""
        name = constant(template)
        if name is None:
            raise UnreadTemplateError(f"what {self.here} imports is not known")
        macros = list(self._parsed(name).find_all(_types().Macro))
        before, self.here = self.here, name
        for macro in macros:
            for local in names(macro.name):
                self._define(macro, local)
        self.here = before

    def _scope(self, node: nodes.Scope) -> None:
        self._body(node.body)

    def _scopedevalcontextmodifier(self, node: nodes.ScopedEvalContextModifier) -> None:
        self._body(node.body)

    def _evalcontextmodifier(self, node: nodes.EvalContextModifier) -> None:
        return

    def _extends(self, node: nodes.Extends) -> None:
        return

    def _break(self, node: nodes.Break) -> None:
        self._say(node.lineno, "break")

    def _continue(self, node: nodes.Continue) -> None:
        self._say(node.lineno, "continue")


def _types() -> Any:
    from jinja2 import nodes

    return nodes


def _parent(tree: nodes.Template) -> str | None:
    """The template that a template extends; "" when its name is not constant, None when it extends none."""
    extends = next(tree.find_all(_types().Extends), None)
    return None if extends is None else constant(extends.template) or ""
