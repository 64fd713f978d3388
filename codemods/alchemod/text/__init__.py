"""A file as bytes: discover, decode, edit spans, diff, write atomically, journal."""
