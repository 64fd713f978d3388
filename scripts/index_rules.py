"""Write `alchemod/rules/_index.py` from the rule modules; with `--check`, only say whether it is up to date.

The index lets a run know codes, options and dispatch names without importing every rule.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = ROOT / "codemods"
INDEX = LIBRARY / "alchemod" / "rules" / "_index.py"

sys.path.insert(0, str(LIBRARY))

from alchemod.engine.registry import RuleEntry, entry_of, rule_class  # noqa: E402

HEAD = '''"""Every rule, as far as it is known without importing it. Written by `scripts/index_rules.py`."""

# fmt: off

from __future__ import annotations

from alchemod.engine.registry import Registry, RuleEntry

ENTRIES: tuple[RuleEntry, ...] = (
'''
TAIL = ''')


def registry() -> Registry:
    """All rules of alchemod."""
    return Registry(ENTRIES)
'''


def rule_modules() -> Iterator[str]:
    """The dotted names of the rule modules."""
    for path in sorted((LIBRARY / "alchemod" / "rules").rglob("*.py")):
        if not path.name.startswith("_"):
            yield ".".join(path.relative_to(LIBRARY).with_suffix("").parts)


def rendered() -> str:
    """The text of the index."""
    entries = sorted((entry_of(rule_class(module)) for module in rule_modules()), key=lambda one: one.code)
    return HEAD + "".join(_entry_text(one) for one in entries) + TAIL


def _entry_text(one: RuleEntry) -> str:
    fields = {name: getattr(one, name) for name in RuleEntry.__slots__}
    shown = [f"        {name}={_literal(value)},\n" for name, value in fields.items() if _is_telling(name, value)]
    return "    RuleEntry(\n" + "".join(shown) + "    ),\n"


def _is_telling(name: str, value: object) -> bool:
    return name in ("code", "name", "summary", "module") or value != RuleEntry.__dataclass_fields__[name].default


def _literal(value: object) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(map(_literal, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return repr(value)


def main() -> int:
    """Write or check the index; returns the exit code."""
    text = rendered()
    if "--check" in sys.argv[1:]:
        if INDEX.read_text("utf-8") == text:
            return 0
        print("the index of rules is out of date: run scripts/index_rules.py", file=sys.stderr)
        return 1
    INDEX.write_text(text, "utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
