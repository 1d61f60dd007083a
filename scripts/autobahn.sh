#!/usr/bin/env bash
# Runs the Autobahn cases against the contenders, and writes servers/autobahn.json and servers/AUTOBAHN.md.
#   scripts/autobahn.sh [CONTENDER ...] [--port PORT]     default: all
# The suite, kosoku, comes from PyPI, pinned by scripts/kosoku.txt, into an environment of its own in tools/.
# shellcheck source=scripts/lib.sh
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh" || exit 1

python_packages kosoku
say "running the cases"
exec cargo run --locked --quiet --package harness -- autobahn --suite tools/kosoku/bin/kosoku "$@"
