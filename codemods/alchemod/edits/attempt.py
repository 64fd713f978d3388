"""One attempt to carry out all fixes of a file together."""

from __future__ import annotations

import ast
from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import accumulate
from typing import Any

from alchemod.edits import noqa
from alchemod.edits.alignment import Start, aligned
from alchemod.edits.ancestry import COMPOUND, Ancestry
from alchemod.edits.comments import lost_comments
from alchemod.edits.comparison import first_difference
from alchemod.edits.imports import ImportRequest
from alchemod.edits.layout import Layout
from alchemod.edits.lines import Lines
from alchemod.edits.names import Names
from alchemod.edits.plan import Plan
from alchemod.edits.promise import Promise
from alchemod.edits.refusal import Refusal, UnitRefusal
from alchemod.edits.segments import Unit, Units, line_indent, parser_errors, recursion_room, unit_span
from alchemod.edits.structure import Structure
from alchemod.edits.templates import Filled, fill
from alchemod.edits.verbs import Block, Reimport, Swap, Verb
from alchemod.edits.wrapping import Room, wrapped
from alchemod.text.problem import FileError
from alchemod.text.source import SourceFile, parse
from alchemod.text.spans import OverlapError, Replacement, splice


class Refused(Exception):  # noqa: N818 - an answer, not a failure
    """The attempt failed because of some fixes; none are named when that is not known.

    ``each``: every one of them fails for this reason, whatever becomes of the others.
    """

    def __init__(self, reason: str, fixes: frozenset[Hashable], *, each: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.fixes = fixes
        self.each = each


class Attempt:
    """Fixes of one file, carried out together or refused. ``refused`` are those that clash with another."""

    def __init__(
        self,
        source: SourceFile,
        ancestry: Ancestry,
        edits: Mapping[Hashable, Sequence[Verb]],
        pending: Sequence[ImportRequest],
        *,
        whole_module: bool,
        line_length: int,
    ) -> None:
        self._source = source
        self._ancestry = ancestry
        self._line_length = line_length
        self._plan = Plan(edits, ancestry)
        self._structure = Structure(self._plan)
        self._names = Names(source, ancestry, pending)
        self._units = Units(source, ancestry, whole=whole_module)
        self._filled: dict[int, Filled] = {}
        self._quote = '"' if source.utf8.count(b'"') >= source.utf8.count(b"'") else "'"

    @property
    def refused(self) -> Mapping[Hashable, str]:
        """The fixes that were left out, with the reason."""
        return self._plan.refused

    @property
    def imports(self) -> tuple[ImportRequest, ...]:
        """The imports that the new code needs."""
        moved = (ImportRequest(verb.module, verb.name, verb.local) for verb in self._reimports)
        return tuple(dict.fromkeys((*self._names.requests, *moved)))

    @property
    def moved(self) -> tuple[ImportRequest, ...]:
        """The imports that give way to others."""
        return tuple(ImportRequest(*verb.old, verb.node.asname) for verb in self._reimports)

    @property
    def _reimports(self) -> list[Reimport]:
        return [verb for _, verb in self._plan.verbs() if isinstance(verb, Reimport)]

    def run(self) -> tuple[SourceFile, ast.Module]:
        """The new file and its tree. Raises Refused."""
        if not self._plan.fixes:
            return self._source, self._ancestry.tree
        try:
            with recursion_room(), parser_errors():
                return self._proved(self._replacements())
        except UnitRefusal as refusal:
            inside = ((fix, verb) for fix, verb in self._plan.verbs() if self._plan.is_inside_unit(verb))
            guilty = frozenset(fix for fix, verb in inside if self._units.owner(verb.node) is refusal.owner)
            raise Refused(refusal.reason, guilty, each=bool(guilty)) from None
        except Refusal as refusal:
            guilty = frozenset[Hashable]().union(*map(self._plan.fixes_within, refusal.nodes))
            raise Refused(refusal.reason, guilty) from None

    def fill(self, verb: Any) -> Filled:
        """The filled template of a verb, the same each time."""
        if id(verb) not in self._filled:
            template = verb.header if isinstance(verb, Block) else verb.template
            self._filled[id(verb)] = fill(
                template,
                verb.holes,
                verb.node,
                spell=lambda name: self._names.spell(name, verb.node),
                quote=self._quote,
            )
        return self._filled[id(verb)]

    def _replacements(self) -> list[Replacement]:
        from alchemod.edits.rendering import Renderer
        from alchemod.edits.suites import Arranger
        from alchemod.edits.writing import Writer

        layout = Layout(Lines(self._source))
        renderer = Renderer(self._units, self._plan, self.fill)
        writer = Writer(renderer, self.fill, self._source.newline, self._line_length)
        Arranger(layout, self._plan, self._structure, writer).arrange(self._ancestry.tree)
        rewritten: list[Replacement] = []
        for unit in self._changed_units():
            try:
                rewritten += self._rewritten(unit, renderer, layout)
            except Refusal as refusal:
                refusal.blame(unit.owner)
                raise
        return [*layout.replacements(rewritten), *self._noqa_edits()]

    def _rewritten(self, unit: Unit, renderer: Any, layout: Layout) -> Iterator[Replacement]:
        indent = layout.indent(layout.lines.of(unit.span[0]))
        old = self._source.utf8[slice(*unit.span)].decode()
        new = renderer.text(unit, indent)
        if new != old and not isinstance(unit.owner, ast.ExceptHandler | ast.match_case | ast.expr):
            room = self._room(unit, indent)
            new = aligned(new, Start(room.column, indent), old, self._start(unit))
            new = wrapped(new, old, room, is_header=isinstance(unit.owner, COMPOUND))
        for swap in self._noqa_swaps.get(id(unit.owner), ()):
            first, last = (self._source.position(offset)[0] for offset in self._source.span(swap.node))
            start = self._source.position(unit.span[0])[0]
            old, new = noqa.inside(old, new, range(first - start, last - start + 1), swap.drops_noqa)
        if lost := lost_comments([old], [new]):
            raise Refusal(f"the comment {lost[0]!r} would be lost")
        if new != old:
            yield Replacement(*unit.span, new.encode())

    def _noqa_edits(self) -> Iterator[Replacement]:
        """The edits of the comments that follow a statement or header, by end of line."""
        for swaps in self._noqa_swaps.values():
            end = unit_span(self._source, self._units.owner(swaps[0].node))[1]
            edit = noqa.after(self._source, end, [code for swap in swaps for code in swap.drops_noqa])
            if edit is not None:
                yield edit

    @cached_property
    def _noqa_swaps(self) -> dict[int, list[Swap]]:
        """The swaps that drop ``noqa`` codes, by the statement or header that they change."""
        found: dict[int, list[Swap]] = {}
        for _, verb in self._plan.verbs():
            if isinstance(verb, Swap) and verb.drops_noqa and not self._structure.disappears(verb.node):
                found.setdefault(id(self._units.owner(verb.node)), []).append(verb)
        return found

    def _room(self, unit: Unit, indent: str) -> Room:
        """The line where a unit stands, which has got another indentation."""
        start = unit.span[0]
        column = self._source.position(start)[1] - 1 - len(line_indent(self._source, start)) + len(indent)
        return Room(column, self._line_length, indent, self._source.newline)

    def _start(self, unit: Unit) -> Start:
        """Where a unit began."""
        return Start(self._source.position(unit.span[0])[1] - 1, line_indent(self._source, unit.span[0]))

    def _changed_units(self) -> Iterator[Unit]:
        """The units that stay where they are, with edits inside them."""
        seen: set[int] = set()
        for _, verb in self._plan.verbs():
            if not self._plan.is_inside_unit(verb):
                continue
            owner = self._units.owner(verb.node)
            if id(owner) not in seen and not self._structure.is_consumed(owner):
                seen.add(id(owner))
                yield self._units.holding(owner)

    def _proved(self, replacements: list[Replacement]) -> tuple[SourceFile, ast.Module]:
        """The spliced file, when its tree is the promised one and no comment is lost."""
        promised = Promise(self._plan, self._structure, self.fill).module(self._ancestry.tree)
        try:
            new = self._source.with_utf8(splice(self._source.utf8, replacements))
            tree = parse(new)
        except OverlapError:
            raise Refusal("two edits overlap") from None
        except FileError as error:
            raise Refusal(f"the result is not valid: {error.message}") from None
        if first_difference(promised, tree, self._unchanged(replacements)) is not None:
            raise Refusal("the result is not what the template promises")
        return new, tree

    def _unchanged(self, replacements: Sequence[Replacement]) -> Callable[[ast.stmt], bool]:
        """Whether a statement of the original keeps its bytes, those before it on its line too."""
        edits = sorted(replacements, key=lambda edit: edit.start)
        starts = [edit.start for edit in edits]
        ends = list(accumulate((edit.end for edit in edits), max))
        lines = Lines(self._source)

        def unchanged(statement: ast.stmt) -> bool:
            if not self._ancestry.holds(statement):
                return False
            start, end = lines.start(lines.first(statement)), self._source.span(statement)[1]
            first = bisect_left(ends, start)
            return first == len(edits) or starts[first] > end

        return unchanged
