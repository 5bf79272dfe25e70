"""The commands: `python -m helpers.tools.NAME --help`. They may import all; no notebook and no lesson module imports them."""
