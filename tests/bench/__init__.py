"""The test bench: fixture cases, the tool run on them, their programs run under the pinned SQLAlchemys."""
