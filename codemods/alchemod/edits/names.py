"""How a file spells a qualified name: through an import it has, or through one that it will need.

``import sqlalchemy as sa`` does not load ``sqlalchemy.orm`` (1.4, 2.0 and 2.1 alike), so ``sa.orm.x`` is
written only where the file itself imports from ``sqlalchemy.orm`` or already spells ``sa.orm``.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator, Sequence

from alchemod.edits.ancestry import Ancestry
from alchemod.edits.imports import ImportRequest
from alchemod.edits.refusal import Refusal
from alchemod.edits.scopes import Scopes
from alchemod.facts.vocabulary import PUBLIC_HOMES
from alchemod.text.source import SourceFile

_PREFIXES = {"sqlalchemy": "sa"}


class Names:
    """Spells the qualified names of one rewriting, and notes the imports they need.

    ``pending`` are the requests of earlier passes, whose names stand in the file already.
    """

    def __init__(self, source: SourceFile, ancestry: Ancestry, pending: Sequence[ImportRequest] = ()) -> None:
        self._source = source
        self._ancestry = ancestry
        self._tree = ancestry.tree
        self._scopes = Scopes(ancestry)
        self._pending = tuple(pending)
        self._requests: dict[ImportRequest, None] = {}

    @property
    def requests(self) -> tuple[ImportRequest, ...]:
        """The imports that spelled names need and the file lacks, sorted."""
        return tuple(sorted(self._requests, key=lambda request: (request.module, request.name, request.spelled)))

    def spell(self, qualified: str, site: ast.AST) -> str:
        """The code for a qualified name at a site. Raises Refusal when every spelling is hidden there."""
        module, _, name = qualified.rpartition(".")
        for spelling in self._spellings(ImportRequest(module, name), site):
            return spelling
        for request in self._new(module, name):
            if self._is_visible(request.spelled, site) and self._is_free(request):
                self._requests[request] = None
                return request.spelled
        raise Refusal(f"every short name for {qualified} is taken")

    def _new(self, module: str, name: str) -> Iterator[ImportRequest]:
        root = module.partition(".")[0]
        yield ImportRequest(module, name)
        yield ImportRequest(module, name, f"{_PREFIXES.get(root, root)}_{name}")

    def _is_free(self, request: ImportRequest) -> bool:
        """Whether the module may get the name: it has no other meaning there."""
        name = request.spelled
        if request in self._pending or request in self._requests:
            return True
        if not re.search(rb"\b%s\b" % name.encode(), self._source.utf8):
            return not hasattr(builtins, name)
        bound = self._scopes.bindings(self._tree).get(name, [])
        if bound and all(self._gives(binding, request) for binding in bound):
            return True
        return not self._scopes.is_used_globally(name)

    def _is_visible(self, spelling: str, site: ast.AST) -> bool:
        return self._scopes.hiding(spelling.partition(".")[0], site) is None

    def _gives(self, binding: ast.AST, request: ImportRequest) -> bool:
        """Whether an import binds what is asked for, taken from where the library makes it public or defines it."""
        module, name = self._origin(binding) or (None, "")
        return name == request.name and request.module in (module, PUBLIC_HOMES.get(module or ""))

    def _origin(self, binding: ast.AST) -> tuple[str | None, str] | None:
        """The module and name that an import takes something from; None for any other binding."""
        if not isinstance(binding, ast.alias):
            return None
        statement = self._ancestry.parent(binding)
        if isinstance(statement, ast.ImportFrom):
            return None if statement.level else (statement.module, binding.name)
        return None, binding.name

    def _spellings(self, request: ImportRequest, site: ast.AST) -> Iterator[str]:
        """What the imports in force at a site offer, the best first."""
        pending = (found.spelled for found in self._pending if found.same_object(request))
        yield from (spelling for spelling in pending if self._is_visible(spelling, site))
        yield from self._in_function(request, site)
        imports = [found for found in self._imports(site) if self._is_visible(found[1], site)]
        yield from (local for alias, local in imports if self._gives(alias, request))
        if any((self._origin(alias) or ("",))[0] == request.module for alias, _ in imports):
            plain = ImportRequest(request.module, request.name)
            if self._is_free(plain) and self._is_visible(plain.spelled, site):
                return
        yield from self._dotted(request, imports)

    def _dotted(self, request: ImportRequest, imports: list[tuple[ast.alias, str]]) -> Iterator[str]:
        """The name as attribute of an imported module or package."""
        for alias, local in imports:
            parent, name = self._origin(alias) or (None, "")
            path = f"{parent}.{name}" if parent else name
            rest = request.module.removeprefix(path)
            if not rest or (rest.startswith(".") and rest != request.module and self._is_loaded(local, path, rest)):
                yield f"{local}{rest}.{request.name}"

    def _imports(self, site: ast.AST) -> Iterator[tuple[ast.alias, str]]:
        """The unconditional imports of the module that are done when the site runs, and what they bind."""
        at_import, line = self._scopes.runs_at_import(site), getattr(site, "lineno", 0)
        module = self._scopes.bindings(self._tree)
        for statement in self._tree.body:
            if not isinstance(statement, ast.Import | ast.ImportFrom) or getattr(statement, "level", None):
                continue
            if at_import and statement.lineno >= line:
                continue
            for alias in statement.names:
                local = alias.asname or alias.name
                others = module.get(local.partition(".")[0], [])
                if isinstance(statement, ast.Import) and not alias.asname:
                    others = [other for other in others if not self._is_package_import(other)]
                if all(self._origin(other) == self._origin(alias) for other in others):
                    yield alias, local

    def _is_package_import(self, binding: ast.AST) -> bool:
        """``import a.b`` binds ``a``, and so does ``import a``: the same package."""
        is_plain = isinstance(binding, ast.alias) and not binding.asname
        return is_plain and isinstance(self._ancestry.parent(binding), ast.Import)

    def _in_function(self, request: ImportRequest, site: ast.AST) -> Iterator[str]:
        """A name imported by the function around the site, at the top of its body and before the site."""
        scope = next(self._scopes.around(site), None)
        if not isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef):
            return
        for statement in scope.body:
            if not isinstance(statement, ast.ImportFrom) or statement.lineno >= getattr(site, "lineno", 0):
                continue
            for alias in statement.names:
                local = alias.asname or alias.name
                alone = len(self._scopes.bindings(scope)[local]) == 1
                if alone and self._gives(alias, request):
                    yield local

    def _is_loaded(self, local: str, path: str, rest: str) -> bool:
        """Whether the module ``path + rest`` is known to be an attribute of its package, named ``local``."""
        if f"{local}{rest}.".encode() in self._source.utf8:
            return True
        loaded = [name for statement in self._tree.body for name in _loaded_modules(statement)]
        return any(name == path + rest or name.startswith(f"{path}{rest}.") for name in loaded)


def _loaded_modules(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.ImportFrom) and statement.module and not statement.level:
        return [statement.module]
    if isinstance(statement, ast.Import):
        return [alias.name for alias in statement.names]
    return []
