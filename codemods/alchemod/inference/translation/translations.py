"""The translations of all the Query code of a project, file by file."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING, Final

from alchemod.facts.module import last_name
from alchemod.inference.area import Area
from alchemod.inference.translation.tracing import Tracer, origins_in
from alchemod.inference.translation.translation import Translation
from alchemod.inference.translation.translator import Translator
from alchemod.inference.translation.uses import SET_OPERATIONS
from alchemod.inference.translation.web import Origin, Use, Web
from alchemod.inference.values import ModelClass, Statement

if TYPE_CHECKING:
    from alchemod.inference import Inference


class QueryTranslations(Area):
    """What the Queries of a project become. A Query whose code spans files belongs to the file it begins in."""

    def __init__(self, inference: Inference) -> None:
        super().__init__(inference)
        self._translator: Final = Translator(inference)
        self._by_file: Final[dict[Path, dict[ast.expr, Translation]]] = {}

    def at(self, path: Path, node: ast.expr) -> Translation | None:
        """The translation of the web that begins at `node`; None when it begins elsewhere or there is none."""
        if path not in self._by_file:
            self._by_file[path] = self._of_file(path)
        return self._by_file[path].get(node)

    def web_of(self, path: Path, step: ast.Call) -> Web | None:
        """The web that begins in a file and has this step; None when there is none."""
        if path not in self._by_file:
            self._by_file[path] = self._of_file(path)
        webs = (translation.web for translation in self._by_file[path].values())
        return next((web for web in webs if any(one.call is step for one in web.steps)), None)

    def _of_file(self, path: Path) -> dict[ast.expr, Translation]:
        resolver = self.inference.resolver
        module = self.inference.project.facts(path)
        top = resolver.module_place(module) if module is not None else None
        if top is None:
            return {}
        root = top.scope.node
        assert isinstance(root, ast.Module)
        found: dict[ast.expr, Translation] = {}
        traced: set[ast.expr] = set()
        for origin in origins_in(root, top, resolver):
            if origin.node in traced or self._belongs_to_flask(origin):
                continue
            web = Tracer(resolver).trace(origin)
            traced.update(one.node for one in web.origins)
            if any(self._joins_another(use) for use in web.uses):
                continue
            found[origin.node] = self._translator.translation(web)
        return found

    def _joins_another(self, use: Use) -> bool:
        """Whether a Query becomes a part of another one, by `union()` and the like, which has to be rewritten first."""
        match use.node:
            case ast.Call(func=ast.Attribute(value=other, attr=name)) if (
                use.kind == "argument" and name in SET_OPERATIONS
            ):
                answer = self.inference.resolver.value(other, use.place)
                return answer is not None and isinstance(answer.value, Statement) and answer.value.style == "query"
        return False

    def _belongs_to_flask(self, origin: Origin) -> bool:
        """Whether it is Flask-SQLAlchemy's `Model.query`, which has a migration of its own."""
        if not isinstance(origin.node, ast.Attribute):
            return False
        answer = self.inference.resolver.value(origin.node.value, origin.place)
        if answer is None or not isinstance(answer.value, ModelClass):
            return True
        declared = answer.value.model.attributes.get("query")
        return (
            declared is None
            or not isinstance(declared.value, ast.Call)
            or last_name(declared.value) != "query_property"
        )
