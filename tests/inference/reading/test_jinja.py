"""Templates as functions: what stands in the template, and what the function in Python does."""

import ast

import pytest

from alchemod.inference.reading.jinja import UnreadTemplateError, translated

LINES = {
    "{{ user.team.name }}": "print(user.team.name)",
    "{{ user['team'].name }}": "print(user.team.name)",
    "{{ users[0].name|upper }}": "print(str(users[0].name))",
    "{% for u in users %}{{ u.x }}{% endfor %}": "for u in users:",
    "{% for u in users if u.ok %}{{ u.x }}{% endfor %}": "if u.ok:",
    "{% for a, b in pairs %}{{ a.x }}{% endfor %}": "for a, b in pairs:",
    "{{ users|sort(attribute='team.name')|list }}": "print(list(sorted(users, key=lambda _row: _row.team.name)))",
    "{{ users|map(attribute='team.name')|join(', ') }}": "print(str([_row.team.name for _row in users]))",
    "{{ users|selectattr('team')|list }}": "print(list([_row for _row in users if _row.team]))",
    "{{ users|length }}": "print(len(users))",
    "{{ users|first }}": "print(next(iter(users)))",
    "{{ user.nick or user.team.name }}": "print((user.nick or user.team.name))",
    "{{ user.team.name if user.team else '' }}": "print((user.team.name if user.team else ''))",
    "{% if user.team is none %}x{% endif %}": "if (user.team is None):",
    "{% set t = user.team %}{{ t.name }}": "t = user.team",
    "{{ user.name ~ user.team }}": "print(str(user.name) + str(user.team))",
    "{{ user|tojson }}": "print(_filter_tojson(user))",
    "{{ shown(user, big=1) }}": "print(shown(user, big=1))",
    "{{ user.class }}": "print(getattr(user, 'class'))",
    "{% for g, us in users|groupby('team') %}{{ us }}{% endfor %}": "for g in [_row.team for _row in users]:",
    "{% include 'part.html' %}": "print(user.part)",
    "{% from 'macros.html' import row %}{{ row(user) }}": "def row(it):",
    "{% import 'macros.html' as m %}{{ m.row(user) }}": "print(m__row(user))",
    "{% extends 'layout.html' %}{% block body %}{{ user.x }}{% endblock %}": "print(user.x)",
    "{% with t = user.team %}{{ t.name }}{% endwith %}": "t = user.team",
}
OTHERS = {
    "part.html": "{{ user.part }}",
    "macros.html": "{% macro row(it) %}{{ it.name }}{% endmacro %}",
    "layout.html": "{{ title }}{% block body %}{{ user.outer }}{% endblock %}{{ user.foot }}",
    "circle.html": "{% include 'circle.html' %}",
}
UNREAD = {
    "{% for %}": "cannot be parsed",
    "{% include name %}": "what main.html:1 includes is not known",
    "{% extends parent %}": "what main.html extends is not known",
    "{% include 'gone.html' %}": "no template is called gone.html",
    "{% include 'circle.html' %}": "circle.html includes itself",
}


def load(main: str) -> dict[str, str]:
    return {**OTHERS, "main.html": main}


def source(main: str) -> str:
    templates = load(main)

    def text(name: str) -> str:
        if name not in templates:
            raise UnreadTemplateError(f"no template is called {name}")
        return templates[name]

    found = translated("main.html", text)
    ast.parse(found.source)
    assert len(found.lines) == len(found.source.splitlines())
    return found.source


@pytest.mark.parametrize(("template", "line"), LINES.items(), ids=LINES)
def test_what_a_template_does(template: str, line: str) -> None:
    assert line in [written.strip() for written in source(template).splitlines()]


def test_a_block_takes_the_place_of_that_of_the_layout() -> None:
    written = source("{% extends 'layout.html' %}{% block body %}{{ user.x }}{% endblock %}")
    assert "user.outer" not in written
    assert "user.foot" in written


def test_parameters_are_what_the_context_gives() -> None:
    assert source("{% set a = b %}{{ a }}{{ c }}").startswith("def template(b, c):")


def test_lines_lead_back_to_the_template() -> None:
    templates = load("\n{% include 'part.html' %}\n{{ user.x }}")
    found = translated("main.html", templates.__getitem__)
    lines = dict(zip(map(str.strip, found.source.splitlines()), found.lines, strict=True))
    assert lines["print(user.part)"] == ("part.html", 1)
    assert lines["print(user.x)"] == ("main.html", 3)


@pytest.mark.parametrize(("template", "why"), UNREAD.items(), ids=UNREAD)
def test_what_is_not_read(template: str, why: str) -> None:
    with pytest.raises(UnreadTemplateError, match=why):
        source(template)
