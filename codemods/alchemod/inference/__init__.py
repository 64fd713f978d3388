"""What an expression is; control flow; summaries of functions."""
