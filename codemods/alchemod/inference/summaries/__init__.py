"""What functions do to sessions and objects: one table, asked on demand and remembered.

`ctx.ask(Summaries)` gives the table (`summaries.table`). It answers for calls, for single functions, for the end of
`with` blocks and for assignments; `summaries.vocabulary` has the words of the answers.
"""
