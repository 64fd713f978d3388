"""What is in force and where it comes from: [tool.alchemod], options, rule selection."""
