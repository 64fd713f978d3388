"""What each file says and what the project's metadata says, merged and looked up by name."""
