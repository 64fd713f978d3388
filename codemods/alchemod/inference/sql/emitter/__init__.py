"""SQL text as code of SQLAlchemy's expression language, over the tables that a project declares.

Only here is sqlglot imported, which is an optional dependency. Each node of a parsed statement is looked up in a table
of the nodes that can be written; any other one refuses the whole statement by its name.
"""
