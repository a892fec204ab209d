"""Runs as its own small program: asks the kernel for a signal when the parent dies, then becomes the server."""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """`PARENT_PID SIGNAL PROGRAM ARGUMENT…`; never returns. Outside Linux there is no such signal, and none is set."""
    parent_pid, death_signal, *command = arguments
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(death_signal))
    if os.getppid() != int(parent_pid):
        sys.exit("the launcher ended before the server began")
    try:
        os.execv(command[0], command)  # noqa: S606  # a list of arguments, no shell
    except OSError as error:
        sys.exit(f"cannot execute {command[0]}: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])
