"""The rule API, dispatch, findings, safety, suppressions, overlay, fixed point, change sets."""
