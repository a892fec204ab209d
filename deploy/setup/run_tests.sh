#!/bin/sh
# All checks, in the order in which they fail fastest: run_tests.sh BIN [PYTEST ARGUMENTS]
# With CI set, a short fault campaign too, which takes five minutes of the whole machine (the long one: make faults).
set -eu
bin=$1
shift
deploy/setup/lint.sh "$bin"
rm -f .coverage .coverage.*
# Unit tests share no servers, so two run at once. The others start brokers and Triton, one after the other.
"$bin/python" -m coverage run -m pytest tests/unit -n 2 --dist loadfile "$@"
"$bin/python" -m coverage run -m pytest tests/regression tests/integration tests/faults -m "not faults" --durations 15 "$@"
"$bin/python" -m coverage combine -q
"$bin/python" -m coverage report --fail-under=90 --skip-covered
if [ -n "${CI:-}" ]; then
    "$bin/python" -m pytest tests/faults -m faults
fi
