"""The command line over the toy rules, as a process: `python toy_process.py ARGUMENTS`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import alchemod.rules._index
from alchemod.engine.registry import Registry
from alchemod_cli._entry import main
from engine.toys import TOYS

alchemod.rules._index.registry = lambda: Registry.of(*TOYS)
sys.exit(main())
