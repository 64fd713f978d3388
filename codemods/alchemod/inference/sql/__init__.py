"""SQL written as text: how its strings are built, where they are executed, what stands in their gaps."""
