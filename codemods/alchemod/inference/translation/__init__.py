"""From the Query of SQLAlchemy 1.x to `select()`: what a chain of calls becomes, and when it may.

The table behind it was verified by running chains under SQLAlchemy 1.4, 2.0 and 2.1 ("ORM Usage", 2.0 Migration).
"""
