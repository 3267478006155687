"""`python -m sweep` is `sweep`, also where the command is not on the path."""

from sweep.cli.app import main

main()
