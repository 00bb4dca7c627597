"""`python -m relet` is the same as `relet`."""

from relet.cli import main

main()
