"""Loader options: each chain of calls, and which relationships its options decide about."""

import ast

import pytest

from alchemod.inference.loading.options import LoaderOptions, loader_options

NAMED = {
    "options(joinedload(A.b))": {"b"},
    "options(orm.selectinload(A.b), so.subqueryload(models.A.c))": {"b", "c"},
    "options(joinedload(A.b).selectinload(B.c))": {"b"},
    "options(joinedload(A.b, B.c))": {"b"},
    "options(joinedload_all(A.b, B.c))": {"b"},
    "options(joinedload('b'), joinedload('c.d'))": {"b", "c"},
    "options(Load(A).joinedload(A.b))": {"b"},
    "options(Load(A).joinedload('b').load_only('x'))": {"b"},
    "options(contains_eager(A.b))": {"b"},
    "options(contains_eager(A.b.of_type(alias)))": {"b"},
    "options(selectinload(A.b.and_(B.x > 1)))": {"b"},
    "options(lazyload(alias.b), raiseload(A.c), noload(A.d), defaultload(A.e).load_only(E.x))": {"b", "c", "d", "e"},
    "options(joinedload(A.b).raiseload('*'))": {"b"},
    "options(load_only(A.x), defer(A.y), undefer(A.z), undefer_group('g'))": set(),
    "options(Load(A).load_only(A.x))": set(),
    "options([joinedload(A.b), joinedload(A.c)])": {"b", "c"},
    "options(*[joinedload(A.b)])": {"b"},
    "options(joinedload(A.b) if deep else lazyload(A.c))": {"b", "c"},
    "options(option)": {"v"},
    "options(*listed)": {"w", "x"},
    "options(joinedload(A.b)).filter(A.x).options(joinedload(A.c))": {"b", "c"},
    "filter(A.x)": set(),
}
EVERYTHING = [
    "options(lazyload('*'))",
    "options(raiseload('*'), joinedload(A.b))",
    "options(Load(A).raiseload('*'))",
    "options(with_loader_criteria(B, B.x))",
    "enable_eagerloads(False)",
]
UNREAD = [
    "options(option_from_outside)",
    "options(*eager_options())",
    "options(A.loader_options())",
    "options(*grown)",
    "options(joinedload(path))",
    "options(FromCache('x'))",
    "options(selectinload(getattr(A, name)))",
]
MODULE = """
def f(session, path, name, deep):
    option = joinedload(A.v)
    listed = [joinedload(A.w), joinedload(A.x)]
    grown = [joinedload(A.y)]
    grown.append(joinedload(A.z))
    session.query(A).{}
"""


def options(chain: str) -> LoaderOptions:
    """What the options of `session.query(A).<chain>` decide."""
    tree = ast.parse(MODULE.format(chain))
    node = tree.body[0].body[-1].value  # type: ignore[attr-defined]
    steps = []
    while isinstance(node.func, ast.Attribute) and node.func.attr != "query":
        steps.insert(0, (node.func.attr, node))
        node = node.func.value
    return loader_options(steps, tree)


@pytest.mark.parametrize("chain", NAMED)
def test_relationships_that_options_speak_of(chain: str) -> None:
    found = options(chain)
    assert (set(found.names), found.all, found.unread) == (NAMED[chain], None, None)


@pytest.mark.parametrize("chain", EVERYTHING)
def test_options_for_every_relationship(chain: str) -> None:
    assert options(chain).all is not None


@pytest.mark.parametrize("chain", UNREAD)
def test_options_that_are_not_understood(chain: str) -> None:
    assert options(chain).unread is not None


def test_variables_of_another_function_are_not_understood() -> None:
    tree = ast.parse("q.options(option, joinedload(A.b))")
    call = tree.body[0].value  # type: ignore[attr-defined]
    found = loader_options([("options", call)], None)
    assert found.names == {"b"}
    assert found.unread is not None
