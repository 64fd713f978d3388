"""What functions do with the rows they are handed, and which rows they give: asked on demand and remembered."""
