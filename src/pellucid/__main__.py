"""`python -m pellucid`, where the command itself is not on the path."""

from pellucid.app.cli import main

main()
