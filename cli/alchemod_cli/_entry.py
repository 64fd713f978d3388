"""The console script. Imports nothing heavy, so that `alchemod --version` costs little more than Python's own start."""

import gc
import sys


def main() -> int:
    """Run the command line with the arguments of the process. Returns the exit code."""
    if sys.argv[1:] == ["--version"]:
        from alchemod._version import __version__

        sys.stdout.write(f"alchemod {__version__}\n")
        return 0
    if sys.stdout is None or sys.stderr is None:
        from alchemod_cli.output import replace_missing_streams

        replace_missing_streams()
    from alchemod_cli.app import run

    code = run(sys.argv[1:])
    gc.freeze()  # what is left goes with the process: a last collection would look at every tree once more
    return code
