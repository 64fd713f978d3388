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
        code="ALC701",
        name="broad-except-around-commit",
        summary="Narrows `except Exception` around a commit to SQLAlchemyError",
        module="alchemod.rules.errors.broad_except_around_commit",
        names=("commit", "flush"),
        kinds=("Try",),
    ),
    RuleEntry(
        code="ALC702",
        name="missing-row-handling",
        summary="Finds rows that may be missing and are used as if they were there",
        module="alchemod.rules.errors.missing_row_handling",
        names=("first", "one", "scalar_one"),
        kinds=("Call",),
    ),
    RuleEntry(
        code="ALC703",
        name="one-or-none-by-hand",
        summary="Turns `one()` with a handler that gives None into `one_or_none()`",
        module="alchemod.rules.errors.one_or_none_by_hand",
        names=("one", "scalar_one"),
        kinds=("Try",),
    ),
    RuleEntry(
        code="ALC704",
        name="get-or-create-race",
        summary="Adds a row that was not found inside a savepoint, and takes the other one where there is one by now",
        module="alchemod.rules.errors.get_or_create_race",
        names=("add",),
        kinds=("If",),
    ),
    RuleEntry(
        code="ALC705",
        name="driver-error-inspected",
        summary="Catches SQLAlchemy's exception instead of the driver's",
        module="alchemod.rules.errors.driver_error_inspected",
        names=("DBAPIError", "InterfaceError", "DatabaseError", "DataError", "OperationalError", "IntegrityError", "InternalError", "ProgrammingError", "NotSupportedError", "Error", "errors"),
        kinds=("ExceptHandler",),
    ),
    RuleEntry(
        code="MIG101",
        name="engine-execute",
        summary="Puts what an engine executes into a `with` block that opens a connection",
        module="alchemod.rules.migration.connections.engine_execute",
        names=("execute", "scalar"),
        kinds=("Call",),
        since="1.4",
    ),
    RuleEntry(
        code="MIG106",
        name="execute-parameters",
        summary="Puts the parameters of `Connection.execute()` into one dictionary or one list",
        module="alchemod.rules.migration.connections.execute_parameters",
        names=("execute",),
        kinds=("Call",),
        since="1.4",
    ),
    RuleEntry(
        code="MIG108",
        name="renamed-engine-names",
        summary="Uses the current names of engines, connections, results and inspectors",
        module="alchemod.rules.migration.connections.renamed_engine_names",
        names=("Connectable", "KeyedTuple", "LegacyRow", "ResultProxy", "RowProxy", "table_names", "has_table", "from_engine", "reflecttable", "contextual_connect", "transaction", "run_callable", "exists", "connect"),
        kinds=("Attribute", "Call", "Import", "ImportFrom", "Name"),
        since="1.4",
    ),
    RuleEntry(
        code="MIG109",
        name="create-engine-arguments",
        summary="Takes keywords of `create_engine()`, `sessionmaker()` and `Session()` away that have no effect in 2.0",
        module="alchemod.rules.migration.connections.create_engine_arguments",
        names=("create_engine", "create_async_engine", "sessionmaker", "Session"),
        kinds=("Call",),
        tokens=("convert_unicode", "encoding", "case_sensitive", "empty_in_strategy", "strategy", "implicit_returning", "server_side_cursors", "future"),
        since="1.4",
    ),
    RuleEntry(
        code="MIG110",
        name="engine-url",
        summary="Brings URLs of engines to the form of SQLAlchemy 1.4",
        module="alchemod.rules.migration.connections.engine_url",
        names=("create_engine", "create_async_engine", "engine_from_config", "URL", "make_url", "__to_string__", "translate_connect_args", "SQLALCHEMY_DATABASE_URI", "drivername", "username", "password", "host", "port", "database", "query"),
        kinds=("Assign", "Call"),
        tokens=("postgres", "URL", "url", "__to_string__"),
        since="1.4",
    ),
    RuleEntry(
        code="MIG111",
        name="url-password",
        summary="Asks a URL for its text with the password, where the text opens a connection",
        module="alchemod.rules.migration.connections.url_password",
        names=("str",),
        kinds=("Call",),
        tokens=("url", "URL"),
        since="1.4",
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
