"""Names that were never meant for others, and are gone or underscored since some SQLAlchemy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

PRIVATE_IN_21: Final[Mapping[str, tuple[str, ...]]] = {
    "attributes": (
        "AttributeImpl",
        "CollectionAttributeImpl",
        "HasCollectionAdapter",
        "ScalarAttributeImpl",
        "ScalarObjectAttributeImpl",
        "backref_listeners",
        "create_proxied_attribute",
        "register_attribute",
        "register_attribute_impl",
        "register_descriptor",
        "unregister_attribute",
    ),
    "bulk_persistence": (
        "BulkORMDelete",
        "BulkORMInsert",
        "BulkORMUpdate",
        "BulkUDCompileState",
        "ORMDMLState",
    ),
    "clsregistry": (
        "ClsRegistryToken",
        "add_class",
        "remove_class",
    ),
    "collections": ("prepare_instrumentation",),
    "context": (
        "AbstractORMCompileState",
        "CompoundSelectCompileState",
        "ORMCompileState",
        "ORMFromStatementCompileState",
        "ORMSelectCompileState",
    ),
    "dependency": (
        "DependencyProcessor",
        "DetectKeySwitch",
        "ManyToManyDP",
        "ManyToOneDP",
        "OneToManyDP",
    ),
    "dynamic": (
        "AppenderMixin",
        "DynaLoader",
        "DynamicAttributeImpl",
    ),
    "identity": ("WeakInstanceDict",),
    "loading": (
        "PostLoad",
        "load_on_ident",
        "load_on_pk_identity",
        "load_scalar_attributes",
    ),
    "path_registry": (
        "AbstractEntityRegistry",
        "CachingEntityRegistry",
        "PropRegistry",
        "SlotsEntityRegistry",
        "TokenRegistry",
    ),
    "persistence": (
        "delete_obj",
        "post_update",
        "save_obj",
    ),
    "relationships": ("JoinCondition",),
    "strategies": (
        "AbstractRelationshipLoader",
        "ColumnLoader",
        "DeferredColumnLoader",
        "DoNothingLoader",
        "ExpressionColumnLoader",
        "ImmediateLoader",
        "JoinedLoader",
        "LazyLoader",
        "LoadDeferredColumns",
        "LoadLazyAttribute",
        "NoLoader",
        "PostLoader",
        "SelectInLoader",
        "SubqueryLoader",
        "UninstrumentedColumnLoader",
        "single_parent_validator",
    ),
    "unitofwork": (
        "DeleteAll",
        "DeleteState",
        "PostUpdateAll",
        "ProcessAll",
        "ProcessState",
        "SaveUpdateAll",
        "SaveUpdateState",
        "track_cascade_events",
    ),
    "writeonly": (
        "AbstractCollectionWriter",
        "DynamicCollectionAdapter",
        "WriteOnlyAttributeImpl",
        "WriteOnlyLoader",
    ),
}
"""Modules of `sqlalchemy.orm`, and their names that 2.1 has no more (2.0.58 and 2.1.9 compared by execution)."""
