"""Edits of statements with LibCST: verbs, rendering, proof, imports, layout."""
