"""The parts of nodes."""

from __future__ import annotations

import ast

from alchemod.facts.nodes import children, walk

EVERYTHING = """
import a.b as c, d
from . import e as f
@g(h, *i, j=k, **l)
class A(B, metaclass=C):
    x: int = 1
    y, *z = {1: 2, **m}, {n}, [o], (p,)
async def q(r: s, /, t=1, *u: v, w, x=2, **y) -> z:
    global aa, bb
    async for cc in dd: continue
    else: pass
    async with ee as ff, gg: await hh
    yield ii; yield; yield from jj
    return [kk async for kk in ll if mm if nn]
def oo():
    nonlocal_ = lambda *, pp, qq=1: (rr := {ss: tt for ss, tt in uu}, {vv for vv in ww}, (xx for xx in yy))
    def zz():
        nonlocal nonlocal_
try: a < b <= c is not d
except* E as e: raise F from G
try: a and b or not c
except H: a if b else c
except: ...
else: a += -b
finally: assert c, d
while e[f:g:h, ...]: break
with (i): del j, k.l
match m:
    case [1, *n] | {"o": p, **q} if r: pass
    case S(t, u=None) as v: pass
    case -1j | w.x: f"{y!r:>{z}}"
    case _: b"" b""
"""


def test_children_are_those_of_ast_without_contexts_and_operators() -> None:
    bare = (ast.expr_context, ast.boolop, ast.operator, ast.unaryop, ast.cmpop)
    tree = ast.parse(EVERYTHING)
    for node in ast.walk(tree):
        assert children(node) == [child for child in ast.iter_child_nodes(node) if not isinstance(child, bare)]
    assert {type(node) for node in ast.walk(tree)} - {type(node) for node in walk(tree)} <= set(_concrete(bare))


def _concrete(classes: tuple[type[ast.AST], ...]) -> list[type[ast.AST]]:
    return [concrete for one in classes for concrete in one.__subclasses__()]


def test_walking_goes_parents_first_in_order() -> None:
    tree = ast.parse("a(b, c=d)\nif e: f\ng")
    assert [node.id for node in walk(tree) if isinstance(node, ast.Name)] == ["a", "b", "d", "e", "f", "g"]
