"""A run as one JSON document, version 1. Keys may be added within a version, never renamed or removed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from alchemod.engine.failure import Failure
from alchemod.engine.finding import Finding
from alchemod.review.outcome import Outcome

VERSION = 1

_FINDING = (
    "path", "line", "column", "end_line", "end_column", "code", "name", "message", "level", "safety", "certainty",
    "why", "missing", "fixable", "change_set", "fingerprint",
)  # fmt: skip
_SUMMARY = (
    "files_scanned", "files_skipped", "findings", "fixable_safe", "fixable_unsafe", "suppressed", "errors",
)  # fmt: skip


def document(outcome: Outcome, *, diffs: bool = False, migration: Mapping[str, Any] | None = None) -> str:
    """The document, with a newline at its end; `diffs` adds the diff of each file that changes, `migration` its plan.

    Characters that are no text (undecodable bytes of a file name) are surrogates: encode with `backslashreplace`.
    """
    content: dict[str, Any] = {
        "version": VERSION,
        "findings": [_finding(finding) for finding in outcome.findings],
        "errors": [_error(failure, outcome) for failure in outcome.failures],
        "notes": [_error(note, outcome) for note in outcome.notes],
        "summary": {key: getattr(outcome.summary, key) for key in _SUMMARY},
    }
    if diffs:
        content["diffs"] = [{"path": path, "diff": diff} for path, diff in outcome.text_diffs().items()]
    if migration is not None:
        content["migration"] = dict(migration)
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def _finding(finding: Finding) -> dict[str, Any]:
    return {key: getattr(finding, key) for key in _FINDING}


def _error(failure: Failure, outcome: Outcome) -> dict[str, Any]:
    return {
        "path": outcome.displayed(failure.path) if failure.path else None,
        "line": failure.line,
        "rule": failure.rule,
        "kind": failure.kind,
        "message": failure.message,
    }
