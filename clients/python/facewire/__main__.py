"""`python -m facewire`: the command line."""

from facewire.cli import main

main()
