"""The checking child process: `python -m streams.rulebook`."""

from streams.rulebook.child import main

main()
