"""What a statement asks for, who executes it and what is done with the rows."""
