#!/bin/sh
# All checks, in the order in which they fail fastest: run_tests.sh BIN
set -eu
bin=$1
deploy/setup/lint.sh "$bin"
rm -f .coverage .coverage.*
shift
# The fault campaign is a run of its own: make faults.
"$bin/python" -m coverage run -m pytest -m "not faults" "$@"
"$bin/python" -m coverage combine -q
"$bin/python" -m coverage report --fail-under=90 --skip-covered
