"""`python -m streams.cli`: the same as `sekisho`, for processes that start one another by the interpreter."""

from streams.cli import main

if __name__ == "__main__":
    main(prog_name="sekisho")
