"""One module per rule, in one folder per family; nothing else."""
