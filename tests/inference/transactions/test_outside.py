"""Which calls reach beyond the database."""

from __future__ import annotations

import ast
from pathlib import Path

from alchemod.inference.transactions.work import Transactions
from sketch import Sketch

APP = """
    import datetime, json, logging, os.path, requests, time, uuid
    from unknown_library import convert
    from sqlalchemy import Column, Integer, select
    from sqlalchemy.orm import Session, declarative_base
    Base = declarative_base()
    log = logging.getLogger(__name__)
    class User(Base):
        __tablename__ = "users"
        id = Column(Integer, primary_key=True)
    class Mailed(Base):
        __tablename__ = "mailed"
        id = Column(Integer, primary_key=True)
        def __init__(self): requests.post("x")
    def clean(text): return text.strip().lower()
    def twice(text): return clean(clean(text))
    def tell(text): requests.get(text)
    def tells(text): tell(text)
    def again(text): return again(text) if text else len(text)
    def f(session: Session, callback, queue, text, items):
        len(text)  #= inside
        print(text)  #= inside
        open(text)  #= outside
        datetime.datetime.now()  #= inside
        json.dumps(items)  #= inside
        uuid.uuid4()  #= inside
        os.path.join(text)  #= inside
        time.sleep(1)  #= outside
        requests.post(text)  #= outside
        log.info(text)  #= inside
        "a".upper()  #= inside
        items.append(text)  #= inside
        User()  #= inside
        Mailed()  #= outside
        select(User)  #= inside
        clean(text)  #= inside
        twice(text)  #= inside
        tell(text)  #= outside
        tells(text)  #= outside
        again(text)  #= inside
        convert(text)  #= unknown
        callback(text)  #= unknown
        queue.work(text)  #= unknown
        queue.delay(text)  #= outside
        (lambda: text)()  #= inside
        sorted(items)  #= inside
"""


def test_reach(tmp_path: Path) -> None:
    sketch = Sketch(tmp_path, {"app.py": APP})
    path = tmp_path / "app.py"
    tree = sketch.project.tree(path)
    function = tree.body[-1]
    assert isinstance(function, ast.FunctionDef)
    place = sketch.inference.place(path, function.body[0])
    assert place is not None
    work = sketch.inference.ask(Transactions).around(place)
    assert work is not None
    said = {mark.lineno: work.reach(mark) for mark in work.order.marks if isinstance(mark, ast.Call)}
    wrong = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        code, marked, words = line.partition("#=")
        if marked and said.get(number) != words.strip():
            wrong.append(f"{code.strip()} is {said.get(number)}, not {words.strip()}")
    assert not wrong, "\n".join(wrong)
