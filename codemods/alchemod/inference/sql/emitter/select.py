"""SELECT as code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sqlglot import exp

from alchemod.facts.tables import TableColumn
from alchemod.inference.sql.emitter.expressions import Writer, flattened, literal
from alchemod.inference.sql.emitter.refusal import RefusedError, check_parts
from alchemod.inference.sql.emitter.schema import Scope, Source

_KNOWN = frozenset(
    {"expressions", "from_", "joins", "where", "group", "having", "order", "limit", "offset", "distinct", "kind"}
)


class SelectWriter:
    """Writes one statement, with its subqueries."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values
        self.converting: list[str] = []
        self.bound: set[str] = set()
        self.tables: list[str] = []

    def select(self, node: exp.Select, scope: Scope) -> str:
        """The code of a SELECT whose tables are to be added to `scope`."""
        self._check(node)
        writer = Writer(scope, self.values, self.subquery, self.converting, self.bound)
        froms = list(self._froms(node, scope))
        joins = list(self._joins(node, scope, writer))
        columns, owners = self._columns(node, scope, writer)
        parts = [f"{{sqlalchemy.select}}({', '.join(columns)})"]
        first = next(iter(scope.sources.values()), None)
        if joins or len(froms) > 1 or not (len(scope.sources) == 1 and first in owners):
            parts.append(f".select_from({', '.join(froms)})")
        parts += joins
        if (where := node.args.get("where")) is not None:
            parts.append(f".where({', '.join(writer.write(term) for term in _terms(where.this))})")
        parts += self._grouping(node, writer)
        if node.args.get("distinct") is not None:
            if node.args["distinct"].args.get("on"):
                raise RefusedError("DISTINCT ON is not written")
            parts.append(".distinct()")
        if (order := node.args.get("order")) is not None:
            parts.append(f".order_by({', '.join(self._order(one, scope, writer) for one in order.expressions)})")
        for name in ("limit", "offset"):
            if (given := node.args.get(name)) is not None:
                if not isinstance(given, exp.Limit | exp.Offset):
                    raise RefusedError(f"{type(given).__name__} is not written")
                check_parts(given, {"expression"}, name.upper())
                parts.append(f".{name}({writer.write(given.expression)})")
        return "".join(parts)

    def subquery(self, node: exp.Select, outer: Scope) -> str:
        """The code of a SELECT inside another one, which says itself what of that one it refers to."""
        scope = Scope(outer.schema, outer, aliases=outer.aliases)
        code = self.select(node, scope)
        inside = {(source.table, source.alias) for source in scope.sources.values()}
        shared = any(
            (source.table, source.alias) in inside for around in outer.around() for source in around.sources.values()
        )
        if not shared:
            return code
        if scope.refers_outside:
            raise RefusedError("a subquery has a table of the statement around it and refers to another one")
        return f"{code}.correlate(None)"

    def _check(self, node: exp.Select) -> None:
        check_parts(node, _KNOWN, "a SELECT")
        if node.args.get("from_") is None:
            raise RefusedError("a SELECT without a table is not written")

    def _froms(self, node: exp.Select, scope: Scope) -> Iterator[str]:
        yield self.table(node.args["from_"].this, scope).code
        for join in node.args.get("joins") or ():
            if _is_comma(join):
                yield self.table(join.this, scope).code

    def table(self, node: exp.Expr, scope: Scope) -> Source:
        """The source that a table of a FROM list is."""
        if not isinstance(node, exp.Table) or not isinstance(node.this, exp.Identifier):
            raise RefusedError(f"{type(node).__name__} as a table is not written")
        check_parts(node, {"this", "alias", "db"}, "a table")
        table = scope.schema.table(node.name, node.db)
        self.tables.append(table.name)
        return scope.add(table, node.alias)

    def _joins(self, node: exp.Select, scope: Scope, writer: Writer) -> Iterator[str]:
        joins = node.args.get("joins") or []
        if any(map(_is_comma, joins)):
            if not all(map(_is_comma, joins)):
                raise RefusedError("a list of tables with a JOIN is not written")
            return
        for join in joins:
            check_parts(join, {"this", "on", "side", "kind", "using", "method"}, "a JOIN")
            side, kind, on = join.side, join.kind, join.args.get("on")
            if join.method or join.args.get("using") or on is None or side not in {"", "LEFT"}:
                raise RefusedError("a JOIN other than JOIN or LEFT JOIN with ON is not written")
            if kind not in {"", "INNER", "OUTER"}:
                raise RefusedError(f"{kind} JOIN is not written")
            source = self.table(join.this, scope)
            method = "outerjoin" if side == "LEFT" else "join"
            yield f".{method}({source.code}, {writer.write(on)})"

    def _columns(self, node: exp.Select, scope: Scope, writer: Writer) -> tuple[list[str], list[Source]]:
        """The code of the columns, and the tables that they belong to."""
        columns: list[str] = []
        owners: list[Source] = []
        names: list[str] = []
        for column in node.expressions:
            star = isinstance(column, exp.Star) or (
                isinstance(column, exp.Column) and isinstance(column.this, exp.Star)
            )
            if star:
                for source in self._starred(column, scope):
                    columns.append(source.whole)
                    owners.append(source)
                    names += [one.name for one in source.table.columns.values()]
                    self._note(list(source.table.columns.values()), source, scope)
                continue
            inner = column.this if isinstance(column, exp.Alias) else column
            code = writer.write(inner)
            if isinstance(column, exp.Alias):
                scope.labels[column.alias] = code
                code = f"{_in_parentheses(code, inner)}.label({literal(column.alias)})"
            elif isinstance(inner, exp.Column):
                _, found = scope.column(inner.name, inner.table)
                names.append(found.name)
                if found.key != found.name and found.attribute is not None:
                    code += f".label({literal(found.name)})"
            elif isinstance(inner, exp.Literal | exp.Neg | exp.Null):
                code = f"{{sqlalchemy.literal_column}}({literal(inner.sql())})"
            columns.append(code)
            owners += self._owners(inner, scope)
        if len(names) > len(set(names)):
            raise RefusedError("two columns of the result have one name")
        if not columns:
            raise RefusedError("a SELECT without columns is not written")
        return columns, owners

    def _starred(self, node: exp.Expr, scope: Scope) -> Sequence[Source]:
        check_parts(node, {"this", "table"}, "a star")
        sources = list(scope.sources.values())
        if isinstance(node, exp.Column):
            sources = [source for source in sources if source.name == node.table]
        for source in sources:
            if not source.table.is_whole:
                raise RefusedError(f"not all columns of {source.table.name} are seen")
        if not sources:
            raise RefusedError(f"{node.sql()} is not seen")
        return sources

    def _owners(self, node: exp.Expr, scope: Scope) -> Iterator[Source]:
        """The tables of the columns in a term, those of subqueries left out; notes the columns whose types convert."""
        for found in node.find_all(exp.Column):
            if found.find_ancestor(exp.Select) is not node.find_ancestor(exp.Select):
                continue
            source, column = scope.column(found.name, found.table)
            yield source
            if not isinstance(found.find_ancestor(exp.Count, exp.Select), exp.Count):
                self._note([column], source, scope)

    def _note(self, columns: Sequence[TableColumn], source: Source, scope: Scope) -> None:
        if scope.outer is not None:
            return
        for column in columns:
            if scope.schema.conversion(column) != "plain":
                self.converting.append(f"{source.table.name}.{column.name}")

    def _grouping(self, node: exp.Select, writer: Writer) -> Iterator[str]:
        group, having = node.args.get("group"), node.args.get("having")
        if group is not None:
            check_parts(group, {"expressions"}, "GROUP BY")
            if any(isinstance(one, exp.Literal) for one in group.expressions):
                raise RefusedError("GROUP BY a position is not written")
            yield f".group_by({', '.join(self._named(one, writer) for one in group.expressions)})"
        if having is not None:
            yield f".having({', '.join(writer.write(term) for term in _terms(having.this))})"

    def _named(self, node: exp.Expr, writer: Writer) -> str:
        """A column, or the name of one that the SELECT gives by AS."""
        if isinstance(node, exp.Column) and not node.table and node.name in writer.scope.labels:
            return literal(node.name)
        return writer.write(node)

    def _order(self, node: exp.Expr, scope: Scope, writer: Writer) -> str:
        assert isinstance(node, exp.Ordered)
        check_parts(node, {"this", "desc", "nulls_first"}, "ORDER BY")
        if isinstance(node.this, exp.Literal):
            raise RefusedError("ORDER BY a position is not written")
        code = self._named(node.this, writer)
        if not node.args.get("desc"):
            return code
        if code[:1] in {"'", '"'}:
            return f"{{sqlalchemy.desc}}({code})"
        return f"{_in_parentheses(code, node.this)}.desc()"


def _is_comma(join: exp.Join) -> bool:
    return not any((join.side, join.kind, join.method, join.args.get("on"), join.args.get("using")))


def _terms(node: exp.Expr) -> list[exp.Expr]:
    """The conditions that AND joins at the top."""
    return flattened(node) if isinstance(node, exp.And) else [node]


def _in_parentheses(code: str, node: exp.Expr) -> str:
    """The code of an operand of a dot."""
    return f"({code})" if isinstance(node, exp.Binary | exp.Not | exp.Neg) else code
