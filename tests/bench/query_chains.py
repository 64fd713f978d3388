"""Random chains of Query as source text, over models of many kinds, each executed on data full of repetitions.

A chain is a function that gets a session and returns what a Query gives. Most chains are valid; those that raise must
go on raising. What a chain gives is told with all that a program can see: rows with their keys, objects with what is
loaded of them, exceptions, and the SQL that was sent.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

MODELS = """\
import re

from sqlalchemy import (
    JSON, Boolean, Column, ForeignKey, Integer, String, Table, create_engine, event, exists, func, literal, or_, select,
    text,
)
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import (
    Bundle, Query, Session, aliased, column_property, contains_eager, declarative_base, defaultload, joinedload,
    relationship, selectinload, sessionmaker, subqueryload, undefer,
)

Base = declarative_base()

user_groups = Table(
    "user_groups",
    Base.metadata,
    Column("user_id", ForeignKey("users.id"), primary_key=True),
    Column("group_id", ForeignKey("groups.id"), primary_key=True),
)


class Dept(Base):
    __tablename__ = "depts"
    id = Column(Integer, primary_key=True)
    name = Column(String)
    users = relationship("User", back_populates="dept", order_by="User.id")


class User(Base):
    __tablename__ = "users"
    id = Column(Integer, primary_key=True)
    name = Column(String)
    age = Column("years", Integer)
    active = Column(Boolean)
    data = Column(JSON)
    dept_id = Column(ForeignKey("depts.id"))
    dept = relationship("Dept", back_populates="users")
    addresses = relationship("Address", back_populates="user", order_by="Address.id")
    groups = relationship("Group", secondary=user_groups, back_populates="users", order_by="Group.id")
    lower = column_property(func.lower(name))

    @hybrid_property
    def is_old(self):
        return self.age > 30


class Address(Base):
    __tablename__ = "addresses"
    id = Column(Integer, primary_key=True)
    email = Column(String)
    kind = Column(String)
    user_id = Column(ForeignKey("users.id"))
    user = relationship("User", back_populates="addresses")


class Group(Base):
    __tablename__ = "groups"
    id = Column(Integer, primary_key=True)
    name = Column(String)
    users = relationship("User", secondary=user_groups, back_populates="groups", order_by="User.id")


class Node(Base):
    __tablename__ = "nodes"
    id = Column(Integer, primary_key=True)
    name = Column(String)
    parent_id = Column(ForeignKey("nodes.id"))
    parent = relationship("Node", remote_side=[id], backref="children")


class Blog(Base):
    __tablename__ = "blogs"
    id = Column(Integer, primary_key=True)
    name = Column(String)
    posts = relationship("Post", back_populates="blog", lazy="joined", order_by="Post.id")


class Post(Base):
    __tablename__ = "posts"
    id = Column(Integer, primary_key=True)
    name = Column(String)
    blog_id = Column(ForeignKey("blogs.id"))
    blog = relationship("Blog", back_populates="posts", lazy="joined")


class Seat(Base):
    __tablename__ = "seats"
    row = Column(Integer, primary_key=True)
    number = Column(Integer, primary_key=True)
    name = Column(String)


class Animal(Base):
    __tablename__ = "animals"
    id = Column(Integer, primary_key=True)
    kind = Column(String)
    name = Column(String)
    __mapper_args__ = {"polymorphic_on": kind, "polymorphic_identity": "animal"}


class Dog(Animal):
    __tablename__ = "dogs"
    id = Column(ForeignKey("animals.id"), primary_key=True)
    trick = Column(String)
    __mapper_args__ = {"polymorphic_identity": "dog"}


class Cat(Animal):
    colour = Column(String)
    __mapper_args__ = {"polymorphic_identity": "cat"}


OtherUser = aliased(User)
NamedUser = aliased(User, name="named_user")
DoubledUser = aliased(User, select(User).outerjoin(User.addresses).subquery())
OtherAddress = aliased(Address)
OtherNode = aliased(Node)
"""

RUN = """\

def fill(session):
    a, b, c = Dept(name="it"), Dept(name="hr"), Dept(name=None)
    red, blue = Group(name="red"), Group(name="bob")
    users = [
        User(name="bob", age=40, active=True, data={"a": 1}, dept=a, groups=[red, blue]),
        User(name="bob", age=40, active=False, data=[1], dept=a, groups=[red]),
        User(name=None, age=None, active=None, data=None, dept=None),
        User(name="eve", age=25, active=True, data={"a": 1}, dept=b, groups=[blue]),
        User(name="Ann", age=31, active=True, data=3, dept=b),
    ]
    members = [(user, list(user.groups)) for user in users]
    for user in users:
        user.groups = []
    for one in (a, b, c, red, blue, *users):
        session.add(one)
        session.flush()
    for user, groups in members:
        for group in groups:
            session.execute(user_groups.insert(), {"user_id": user.id, "group_id": group.id})
    session.expire_all()
    for user, emails in zip(users, (["x", "y"], ["x", "x", "z"], [], ["bob"], [None])):
        session.add_all(Address(email=email, kind="h" if email == "x" else "w", user=user) for email in emails)
    session.add(Address(email="bob", kind=None))
    top = Node(name="bob")
    session.add_all([top, Node(name="x", parent=top), Node(name="bob", parent=top)])
    for number in (1, 2):
        session.add(Blog(name="bob", posts=[Post(name="x"), Post(name="y")]))
    session.add_all(Seat(row=row, number=number, name="bob") for row in (1, 2) for number in (1, 2))
    session.add_all([Animal(name="bob"), Dog(name="x", trick="sit"), Cat(name="bob", colour="red"), Dog(name="bob")])
    session.commit()


def told(value, depth=2):
    if isinstance(value, Base):
        if depth == 0:
            return type(value).__name__
        loaded = {key: told(part, depth - 1) for key, part in sorted(vars(value).items()) if not key.startswith("_")}
        return f"{type(value).__name__}{loaded}"
    if hasattr(value, "_fields"):
        return f"Row{re.sub('[0-9a-f]{12,}', '', str(list(value._fields)))}{[told(part, depth) for part in value]}"
    if isinstance(value, (list, tuple)):
        return f"{type(value).__name__}[{', '.join(told(part, depth) for part in value)}]"
    if isinstance(value, dict):
        return f"dict{[(told(key, depth), told(part, depth)) for key, part in value.items()]}"
    if isinstance(value, (set, frozenset)):
        return f"set{sorted(told(part, depth) for part in value)}"
    return repr(value)


if __name__ == "__main__":
    engine = create_engine("sqlite://")
    sent = []
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        fill(session)

    @event.listens_for(engine, "before_cursor_execute")
    def note(connection, cursor, statement, parameters, context, many):
        sent.append((" ".join(statement.split()), parameters))

    for chain in CHAINS:
        del sent[:]
        session = Session(engine)
        held = session.query(User).order_by(User.id).all() if "DML" in (chain.__doc__ or "") else []
        try:
            outcome = told(chain(session, 30))
        except Exception as error:
            outcome = f" raises {type(error).__name__}"
        state = [told(one, 1) for one in held]
        rows = [tuple(row) for row in session.execute(text("select * from users order by id"))] if held else []
        print(repr((chain.__name__, outcome, state, rows, sent[: len(sent) - bool(held)])))
        session.rollback()
        session.close()
"""

ENTITIES = (
    "User", "User", "User", "Address", "Dept", "Group", "Node", "Blog", "Post", "Seat", "Animal", "Dog", "Cat",
    "OtherUser", "NamedUser", "DoubledUser", "OtherAddress", "OtherNode",
)  # fmt: skip
CLASS_OF = {
    **dict.fromkeys(("OtherUser", "NamedUser", "DoubledUser"), "User"), "OtherAddress": "Address", "OtherNode": "Node",
}  # fmt: skip
COLUMNS = {
    "User": ("id", "name", "age", "active", "dept_id", "lower", "is_old"),
    "Address": ("id", "email", "kind", "user_id"),
    "Dept": ("id", "name"),
    "Group": ("id", "name"),
    "Node": ("id", "name", "parent_id"),
    "Blog": ("id", "name"),
    "Post": ("id", "name", "blog_id"),
    "Seat": ("row", "number", "name"),
    "Animal": ("id", "name", "kind"),
    "Dog": ("id", "name", "trick"),
    "Cat": ("id", "name", "colour"),
}
JOINS = {
    "User": {
        "Dept": ("{0}.dept", "Dept, {0}.dept", "Dept, Dept.id == {0}.dept_id", "Dept"),
        "Address": ("{0}.addresses", "Address, {0}.addresses", "Address, Address.user_id == {0}.id", "Address"),
        "OtherAddress": ("OtherAddress, {0}.addresses", "{0}.addresses.of_type(OtherAddress)"),
        "Group": ("{0}.groups", "Group, {0}.groups"),
        "OtherUser": ("OtherUser, OtherUser.name == {0}.name",),
    },
    "Address": {
        "User": ("{0}.user", "User, {0}.user", "User, User.id == {0}.user_id", "{0}.user.of_type(User)"),
        "OtherUser": ("OtherUser, {0}.user", "{0}.user.of_type(OtherUser)"),
        "NamedUser": ("NamedUser, {0}.user", "{0}.user.of_type(NamedUser)"),
        "DoubledUser": ("DoubledUser, {0}.user", "{0}.user.of_type(DoubledUser)"),
        "Node": ("Node, Node.name == {0}.email",),
    },
    "Dept": {"User": ("{0}.users", "User", "User, {0}.users"), "OtherUser": ("{0}.users.of_type(OtherUser)",)},
    "Group": {"User": ("{0}.users", "User, {0}.users")},
    "Node": {
        "OtherNode": ("OtherNode, {0}.parent", "{0}.parent.of_type(OtherNode)", "{0}.children.of_type(OtherNode)")
    },
    "Blog": {"Post": ("{0}.posts", "Post")},
    "Post": {"Blog": ("{0}.blog", "Blog")},
    "Animal": {"Node": ("Node, Node.name == {0}.name",)},
    "Dog": {"Node": ("Node, Node.name == {0}.name",)},
    "Cat": {"Node": ("Node, Node.name == {0}.name",)},
    "Seat": {"Node": ("Node, Node.name == {0}.name",)},
}
OPTIONS = {
    "User": (
        "joinedload({0}.addresses)", "joinedload({0}.dept)", "selectinload({0}.addresses)", "subqueryload({0}.groups)",
        "joinedload({0}.dept).joinedload(Dept.users)", "selectinload({0}.addresses).joinedload(Address.user)",
        "defaultload({0}.addresses).joinedload(Address.user)", "joinedload({0}.dept).selectinload(Dept.users)",
        "joinedload({0}.groups), selectinload({0}.dept)",
    ),
    "Address": (
        "joinedload({0}.user)", "joinedload({0}.user).joinedload(User.groups)", "selectinload({0}.user)",
        "joinedload({0}.user).joinedload(User.dept)", "joinedload({0}.user).load_only(User.name)",
    ),
    "Node": ("joinedload({0}.parent)", "joinedload({0}.children)", "selectinload({0}.children)"),
    "Dept": ("joinedload({0}.users)", "selectinload({0}.users).joinedload(User.dept)"),
    "Post": ("selectinload({0}.blog)", "joinedload({0}.blog).joinedload(Blog.posts)"),
    "Blog": ("selectinload({0}.posts)",),
}  # fmt: skip
FREE_COLUMNS = (
    "func.count({0}.{1})", "func.max({0}.{1})", "{0}.{1} + 1", "func.coalesce({0}.{1}, 1)", "literal(1)",
    "func.count()", "text('1')",
)  # fmt: skip
LABELLED = (
    "{0}.{1}.label('one')", "func.count({0}.{1}).label('total')", "func.max({0}.{1}).label('one')",
    "select(func.count(Node.id)).scalar_subquery().label('nodes')",
)  # fmt: skip
CRITERIA = (
    "{0}.{1} == 'bob'", "{0}.{1} > 1", "{0}.{1} == v", "{0}.{1}.is_(None)", "{0}.{1} != None",
    "{0}.{1}.in_([1, 2, 'x'])",
    "or_({0}.{1} == 'bob', {0}.{1} == 1)", "{0}.{1} > 1, {0}.{1} < 40", "~({0}.{1} == 2)", "",
    "{0}.{1} == {0}.{1}", "None", "True", "*[{0}.{1} > 1]", "({0}.{1} == 'bob') & ({0}.{1} != 'x')",
)  # fmt: skip
RELATED_CRITERIA = {
    "User": ("{0}.addresses.any(Address.email == 'x')", "{0}.dept.has(name='it')", "{0}.id == Address.user_id",
             "{0}.id.in_(session.query(Address.user_id))", "{0}.id.in_(session.query(Address.user_id).subquery())",
             "session.query(Address).filter(Address.user_id == {0}.id).exists()",
             "~session.query(Address.id).filter(Address.user_id == {0}.id).filter_by(kind='h').exists()",
             "{0}.age == session.query(func.max(User.age)).scalar_subquery()",
             "exists().where(Address.user_id == {0}.id)"),
    "Address": ("{0}.user.has(User.name == 'bob')", "{0}.user_id == User.id",
                "{0}.user_id.in_(session.query(User.id).filter(User.name == 'bob'))"),
    "Node": ("{0}.children.any()", "{0}.name == User.name"),
}  # fmt: skip
PLAIN_STEPS = (
    "order_by({0}.{1})", "order_by({0}.{1}.desc(), {0}.{2})", "order_by(None)", "order_by('{1}')", "limit(2)",
    "limit(1)", "limit(None)", "offset(1)", "slice(1, 3)", "distinct()", "group_by({0}.{1})",
    "group_by({0}.{1}).having({0}.{1} > 1)",
    "execution_options(x=1)", "with_for_update()", "populate_existing()", "autoflush(False)", "yield_per(2)",
    "select_from({0})", "reset_joinpoint()", "enable_eagerloads(True)", "with_labels()", "params(z=1)",
    "correlate({0})", "prefix_with('ALL')", "group_by(None)",
)  # fmt: skip
COLUMN_STEPS = (
    "with_entities({0})", "with_entities({0}.{1})", "with_entities({0}.{1}, {0}.{2})", "add_columns({0}.{1})",
    "add_entity({3})", "with_entities({0}, {3}.id)", "add_columns({0}.{1}.label('more'))", "add_column({0}.{1})",
)  # fmt: skip
ENDINGS = (
    ".all()", ".all()", ".all()", ".first()", ".first()", ".one()", ".one_or_none()", ".scalar()", ".count()",
    "[:2]", "[1:]", "[1:3]", "[0]", "[2]", "list({})", "[row for row in {}]", "dict({})", "list(enumerate({}))",
    "set({})",
    "session.query({}.exists()).scalar()", "list(zip(*{}))", "session.execute({}).all()", "tuple({})",
    "session.query({}.subquery()).all()", "session.execute({}.statement).all()",
    "[row[0] for row in {}]", "[one for one, in {}]", "len({}.all())", "sorted(str(row[0]) for row in {})",
)  # fmt: skip
FORMS = ("", "", "", "", "assign", "if", "if not", "either", "loop", "twice", "inner")


@dataclass(frozen=True)
class QueryChain:
    """One chain: constructor, steps, ending, and how the text is spread over statements."""

    constructor: str
    steps: tuple[str, ...]
    ending: str
    form: str = ""
    at: int = 0
    is_bulk: bool = False

    def text(self, name: str) -> str:
        """The function that runs the chain."""
        lines = ['"""DML"""'] if self.is_bulk else []
        cut = min(self.at, len(self.steps)) if self.form else len(self.steps)
        before = "".join((self.constructor, *(f".{step}" for step in self.steps[:cut])))
        after = "".join(f".{step}" for step in self.steps[cut:])
        if not self.form:
            lines.append(f"return {self._ended(before)}")
        else:
            lines.append(f"query = {before}")
            lines += self._grown(after)
        body = textwrap.indent("\n".join(lines), "    ")
        return f"\n\ndef {name}(session: Session, v):\n{body}\n"

    def _grown(self, after: str) -> list[str]:
        match self.form:
            case "assign":
                return [f"query = query{after}", f"return {self._ended('query')}"]
            case "if" | "if not":
                return [f"{self.form} v:", f"    query = query{after}", f"return {self._ended('query')}"]
            case "either":
                return [f"query = query{after} if v > 1 else query", f"return {self._ended('query')}"]
            case "loop":
                return ["for _ in range(2):", f"    query = query{after}", f"return {self._ended('query')}"]
            case "twice":
                return [f"query = query{after}", f"return query.count(), {self._ended('query')}"]
        return ["def run():", f"    return {self._ended('query' + after)}", "return run()"]

    def _ended(self, query: str) -> str:
        return self.ending.replace("{}", query) if "{}" in self.ending else query + self.ending


def program(chains: Sequence[QueryChain]) -> dict[str, bytes]:
    """The file that runs every chain and tells what it gives."""
    names = [f"chain_{position}" for position in range(len(chains))]
    texts = "".join(chain.text(name) for name, chain in zip(names, chains, strict=True))
    return {"main.py": f"{MODELS}{texts}\n\nCHAINS = [{', '.join(names)}]\n{RUN}".encode()}


@st.composite
def query_chains(draw: st.DrawFn) -> QueryChain:
    """One random chain."""
    entity = draw(st.sampled_from(ENTITIES))
    present = [entity]
    constructor = draw(_constructor(entity, present))
    steps = [draw(_step(present)) for _ in range(draw(st.integers(0, 4)))]
    form = draw(st.sampled_from(FORMS))
    return QueryChain(constructor, tuple(steps), draw(st.sampled_from(ENDINGS)), form, draw(st.integers(0, 3)))


@st.composite
def bulk_chains(draw: st.DrawFn) -> QueryChain:
    """One random UPDATE or DELETE."""
    entity = draw(st.sampled_from(("User", "User", "User", "Address", "Dog", "Cat", "Animal")))
    columns = COLUMNS[entity]
    steps = [
        draw(st.sampled_from((
            "filter({0}.{1} == 'bob')", "filter({0}.name == 'bob')", "filter_by(id=2)", "filter({0}.id > 1)",
            "filter({0}.id.in_(session.query(Address.user_id)))", "filter({0}.id == Address.user_id)", "filter()",
            "options(selectinload(User.addresses))", "with_for_update()", "order_by({0}.id)", "limit(1)",
            "execution_options(x=1)", "filter({0}.id.in_([1, v]))",
        ))).format(entity, draw(st.sampled_from(columns)))
        for _ in range(draw(st.integers(0, 2)))
    ]  # fmt: skip
    how = draw(
        st.sampled_from(
            ("", "False", "'fetch'", "'evaluate'", "synchronize_session=False", "synchronize_session='fetch'")
        )
    )
    if draw(st.booleans()):
        ending = f".delete({how})"
    else:
        key = draw(st.sampled_from((f'"{columns[1]}"', f"{entity}.{columns[1]}")))
        value = draw(st.sampled_from(("'new'", "None", "v", f"{entity}.id", "func.lower('X')")))
        ending = f".update({{{key}: {value}}}{', ' if how else ''}{how})"
    return QueryChain(f"session.query({entity})", tuple(steps), ending, is_bulk=True)


@st.composite
def _constructor(draw: st.DrawFn, entity: str, present: list[str]) -> str:
    kind = draw(st.integers(0, 9))
    if kind < 5:
        return f"session.query({entity})"
    if kind < 7:
        other = draw(st.sampled_from(ENTITIES))
        present.append(other)
        second = draw(st.sampled_from((other, f"{other}.{draw(_column(other))}", f"{entity}.{draw(_column(entity))}")))
        return f"session.query({entity}, {second})"
    columns = draw(st.lists(_any_column(entity), min_size=1, max_size=3))
    return f"session.query({', '.join(columns)})"


def _column(entity: str) -> st.SearchStrategy[str]:
    return st.sampled_from(COLUMNS[CLASS_OF.get(entity, entity)])


@st.composite
def _any_column(draw: st.DrawFn, entity: str) -> str:
    form = draw(st.sampled_from(("{0}.{1}", "{0}.{1}", "{0}.{1}", "{0}.{1}", *FREE_COLUMNS, *LABELLED)))
    return form.format(entity, draw(_column(entity)))


@st.composite
def _step(draw: st.DrawFn, present: list[str]) -> str:
    entity = draw(st.sampled_from(present))
    cls = CLASS_OF.get(entity, entity)
    move = draw(st.integers(0, 19))
    if move < 4 and cls in JOINS:
        target = draw(st.sampled_from(sorted(JOINS[cls])))
        on = draw(st.sampled_from(JOINS[cls][target])).format(entity)
        present.append(target)
        method = draw(st.sampled_from(("join", "join", "outerjoin")))
        return f"{method}({on}{draw(st.sampled_from(('', '', '', ', isouter=True'))) if method == 'join' else ''})"
    if move < 7:
        form = draw(st.sampled_from(CRITERIA))
        return f"filter({form.format(entity, draw(_column(entity)))})"
    if move < 9 and cls in RELATED_CRITERIA:
        return f"filter({draw(st.sampled_from(RELATED_CRITERIA[cls])).format(entity)})"
    if move < 12:
        key = draw(_column(present[-1]))
        return f"filter_by({key}={draw(st.sampled_from(('v', '1', repr('bob'), repr('x'), 'None', 'True')))})"
    if move < 14 and cls in OPTIONS:
        return f"options({draw(st.sampled_from(OPTIONS[cls])).format(entity)})"
    forms = COLUMN_STEPS if move == 15 else PLAIN_STEPS
    other = draw(st.sampled_from(ENTITIES))
    return draw(st.sampled_from(forms)).format(entity, draw(_column(entity)), draw(_column(entity)), other)


_LABEL = re.compile(r" AS (\w+)")
_NUMBERED = re.compile(r"\b([a-z]\w*?)_(\d+)\b")
_OF_SUBQUERY = re.compile(r"\b(anon_\d+)\.(\w+)")


def normalised(sql: str) -> str:
    """SQL without what differs without effect: labels of columns, numbers of aliases."""
    sql = sql.replace('"', "")
    names = {label: name for name, label in re.findall(r"(?:\w+\.)?(\w+) AS (\w+)", sql)}
    sql = _OF_SUBQUERY.sub(lambda found: f"{found[1]}.{names.get(found[2], found[2])}", sql)
    sql = _LABEL.sub(lambda found: found[0] if f"{found[1]}." in sql else "", sql)
    numbers: dict[str, str] = {}
    return _NUMBERED.sub(lambda found: numbers.setdefault(found[0], f"{found[1]}_{len(numbers)}n"), sql)
