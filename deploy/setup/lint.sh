#!/bin/sh
# All static checks, in the order in which they fail fastest: lint.sh BIN
set -eu
bin=$1
"$bin/ruff" check .
"$bin/ruff" format --check .
"$bin/mypy"
"$bin/python" deploy/setup/audit.py constraints.txt
