"""Every rule, as far as it is known without importing it. Written by `scripts/index_rules.py`."""

# fmt: off

from __future__ import annotations

from alchemod.engine.registry import Registry, RuleEntry

ENTRIES: tuple[RuleEntry, ...] = (
    RuleEntry(
        code="ALC101",
        name="session-without-context-manager",
        summary="Puts a session that a function opens and closes by hand into a `with` block",
        module="alchemod.rules.sessions.session_without_context_manager",
        kinds=("Call",),
        dynamic=True,
    ),
    RuleEntry(
        code="ALC201",
        name="filter-by-keywords",
        summary="Turns the keywords of `filter_by()` into expressions",
        module="alchemod.rules.querying.filter_by_keywords",
        names=("filter_by",),
        kinds=("Call",),
        yields_to=("MIG501",),
    ),
    RuleEntry(
        code="ALC202",
        name="lazy-load-in-loop",
        summary="Loads a relationship that a loop reads of each row together with the rows",
        module="alchemod.rules.querying.lazy_load_in_loop",
        kinds=("AsyncFor", "DictComp", "For", "GeneratorExp", "ListComp", "SetComp"),
        dynamic=True,
        tokens=(".query", "select(", "scalars(", ".execute(", ".exec(", ".all(", ".stream"),
    ),
    RuleEntry(
        code="ALC301",
        name="commit-failure-mishandled",
        summary="Finds handlers that leave a session unusable after a failed commit or flush, or that hide the failure",
        module="alchemod.rules.transactions.commit_failure_mishandled",
        names=("commit", "flush"),
        kinds=("Try",),
        tokens=("except",),
    ),
    RuleEntry(
        code="ALC302",
        name="manual-savepoint",
        summary="Puts the work between `begin_nested()` and the commit of its savepoint into a `with` block",
        module="alchemod.rules.transactions.manual_savepoint",
        names=("begin_nested",),
        kinds=("Call",),
        tokens=("commit",),
    ),
    RuleEntry(
        code="ALC303",
        name="begin-block-conflict",
        summary="Takes away a `commit()` at the end of a block that commits by itself, and reports transactions that collide",
        module="alchemod.rules.transactions.begin_block_conflict",
        names=("commit", "begin"),
        kinds=("Call",),
        tokens=("begin",),
    ),
    RuleEntry(
        code="ALC307",
        name="uncommitted-work",
        summary="Reports rows that are added or deleted in a session that nobody commits",
        module="alchemod.rules.transactions.uncommitted_work",
        names=("add", "add_all", "delete", "execute", "scalar", "scalars", "update", "bulk_save_objects", "bulk_insert_mappings", "bulk_update_mappings"),
        kinds=("Call",),
    ),
    RuleEntry(
        code="ALC308",
        name="needless-flush-or-refresh",
        summary="Takes away a `flush()` right before a `commit()`, and a `refresh()` right after one",
        module="alchemod.rules.transactions.needless_flush_or_refresh",
        names=("flush", "refresh"),
        kinds=("Call",),
        tokens=("commit",),
    ),
    RuleEntry(
        code="MIG207",
        name="renamed-core-names",
        summary="Uses the current names of the expression language",
        module="alchemod.rules.migration.core.renamed_core_names",
        names=("Binary", "MultipleResultsFound", "NoResultFound", "PassiveDefault", "databases", "exceptions", "select"),
        kinds=("Attribute", "Import", "ImportFrom", "Name"),
        since="1.4",
    ),
)


def registry() -> Registry:
    """All rules of alchemod."""
    return Registry(ENTRIES)
