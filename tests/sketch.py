"""Small projects written as text, whose comments say what the analysis should answer.

A line that ends in `#? words` says what the expression of its statement is; one that ends in `#> words` says how the
entity of its `filter_by` call is written there. `describe` and `spelled` give the words.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Mapping
from pathlib import Path

from alchemod.facts.project import Project
from alchemod.inference import Inference
from alchemod.inference.querying.filtering import FilteredEntity
from alchemod.inference.resolving.statements import filter_by_target
from alchemod.inference.values import (
    Answer,
    ClassObject,
    Collection,
    ColumnObject,
    ColumnsOf,
    Coroutine,
    Engine,
    Entity,
    Exists,
    Expression,
    FlaskDatabase,
    FromClause,
    FunctionObject,
    Generator,
    LocalFunction,
    Managed,
    Method,
    ModelAttribute,
    ModelClass,
    Object,
    Outside,
    Parts,
    Plain,
    ProjectModule,
    Row,
    Rows,
    Session,
    SessionFactory,
    Statement,
    TableObject,
    Value,
)
from alchemod.text.discover import discover


class Sketch:
    """A project in a folder, loaded."""

    def __init__(self, root: Path, files: Mapping[str, str], target: str = "2.0") -> None:
        (root / "pyproject.toml").touch()
        for name, source in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(source), "utf-8")
        self.root = root
        self.project = Project.load(discover(root, [root]).files, root, target)
        self.inference = Inference(self.project)

    def wrong_answers(self) -> list[str]:
        """One line for each marker whose words are not what the analysis says."""
        wrong = []
        for path in sorted(self.root.rglob("*.py")):
            lines = path.read_text("utf-8").splitlines()
            for number, line in enumerate(lines, 1):
                code, mark, words = line.rpartition("#?") if "#?" in line else line.rpartition("#>")
                if mark:
                    answer = self._answer(path, number, mark)
                    if answer != words.strip():
                        wrong.append(f"{path.name}:{number}: {code.strip()} is {answer}, not {words.strip()}")
        return wrong

    def _answer(self, path: Path, line: int, mark: str) -> str:
        tree = self.project.tree(path)
        if mark == "#>":
            calls = [node for node in ast.walk(tree) if _is_filter_by(node) and node.end_lineno == line]  # type: ignore[attr-defined]
            return spelled(self.inference.filtered_entity(path, calls[0]))  # type: ignore[arg-type]
        values = [value for node in ast.walk(tree) if (value := _value(node)) is not None and value.end_lineno == line]
        return describe(self.inference.value(path, values[0]))


def check(root: Path, files: Mapping[str, str]) -> None:
    """Write the files as a project and compare every marker with the answer. At least one must be there."""
    assert any("#?" in source or "#>" in source for source in files.values())
    wrong = Sketch(root, files).wrong_answers()
    assert not wrong, "\n" + "\n".join(wrong)


def describe(answer: Answer | None) -> str:
    """An answer in words: `unknown`, `Session`, `query on User`, `perhaps a User`."""
    if answer is None:
        return "unknown"
    return f"perhaps {words(answer.value)}" if answer.certainty == "inferred" else words(answer.value)


def words(value: Value) -> str:
    """A value in words."""
    match value:
        case Outside(definition=definition):
            return definition.name
        case ProjectModule(module=module):
            return f"module {module.name}"
        case ClassObject(facts=facts):
            return f"class {facts.qualname}"
        case ModelClass(model=model, alias=alias):
            return f"alias of {model.name}" if alias is not None else f"model {model.name}"
        case FunctionObject(facts=facts):
            return f"function {facts.qualname}"
        case LocalFunction():
            return "local function"
        case ModelAttribute(owner=owner, attribute=attribute):
            return f"{owner.model.name}.{attribute.name}"
        case TableObject(table=table, alias=alias):
            return f"alias of table {table.name}" if alias is not None else f"table {table.name or '?'}"
        case ColumnsOf(owner=owner):
            return f"columns of {owner.table.name}"
        case ColumnObject(owner=owner, key=key, column=column):
            return f"{owner.table.name}.{column.name}" if column is not None else f"{owner.table.name}.{key}?"
        case FromClause(kind=kind):
            return kind
        case Exists():
            return "exists"
        case Expression(owners=owners):
            return " ".join(["expression", *("of " + owner.model.name for owner in owners)])
        case Object(of=ModelClass(model=model)):
            return f"a {model.name}"
        case Object(of=ClassObject(facts=facts)):
            return f"a {facts.qualname}"
        case Collection(element=element):
            return f"many ({words(element)})"
        case Parts(elements=elements):
            return f"({', '.join(words(one.value) if one is not None else '?' for one in elements)})"
        case Plain():
            return "plain"
        case Engine():
            return _joined("async" if value.is_async else "", "connection" if value.is_connection else "engine")
        case FlaskDatabase():
            return "flask database"
        case SessionFactory():
            return _joined(value.kind, "async" if value.is_async else "", "factory")
        case Session(factory=factory):
            kind = factory.kind if factory is not None and factory.kind in {"committing", "unknown"} else ""
            return _joined(kind, "scoped" if value.scoped else "", "AsyncSession" if value.is_async else "Session")
        case Managed(inner=inner):
            return f"manager of {words(inner)}"
        case Generator(inner=inner):
            return f"generator of {words(inner)}"
        case Coroutine(inner=inner):
            return f"coroutine of {words(inner)}"
        case Statement():
            return f"{value.style} on {_entity(filter_by_target(value))}"
        case Rows(scalars=scalars, statement=statement):
            entity = _entity(statement.terms[0].entity) if statement.terms else "text"
            return f"{'scalars' if scalars else 'rows'} of {entity}"
        case Row():
            return "row"
        case Method(owner=owner, name=name):
            return f"{words(owner)}.{name}"


def spelled(found: FilteredEntity | None) -> str:
    """How the entity of a `filter_by` is written: `User`, `models.User`, `User from shop.models`, `no: why`."""
    if found is None:
        return "nothing"
    if found.runtime is not None:
        return f"run time {found.runtime}"
    if found.spelling is None:
        return f"no: {found.missing}"
    code, imported = found.spelling.code, found.spelling.imported
    if imported is None:
        return code
    return f"{code} from {imported.rpartition('.')[0]}" + (", a circle" if found.spelling.cycle else "")


def _entity(entity: Entity | None) -> str:
    return "unknown" if entity is None else words(entity.cls).removeprefix("model ")


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _value(node: ast.AST) -> ast.expr | None:
    if isinstance(node, ast.Expr | ast.Assign | ast.AnnAssign | ast.Return):
        return node.value
    return None


def _is_filter_by(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "filter_by"
