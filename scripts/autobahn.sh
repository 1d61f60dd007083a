#!/usr/bin/env bash
# Runs the Autobahn cases against the contenders, and writes servers/autobahn.json and servers/AUTOBAHN.md.
#   scripts/autobahn.sh [CONTENDER ...] [--port PORT]     default: all
# The suite, kosoku, comes from PyPI, pinned by scripts/kosoku.txt, into an environment of its own in tools/.
# shellcheck source=scripts/lib.sh
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh" || exit 1

environment=tools/kosoku
if ! cmp -s scripts/kosoku.txt "$environment/installed.txt"; then
  say "installing the suite"
  command -v python3 >/dev/null || die "no python3 to run the suite with: install it, with its module venv"
  python3 -m venv --clear "$environment" ||
    die "python3 has no module venv: install it (Debian: apt-get install python3-venv)"
  "$environment/bin/pip" install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
    --requirement scripts/kosoku.txt || die "could not install the suite: $(grep -v '^#' scripts/kosoku.txt | head -n1)"
  cp scripts/kosoku.txt "$environment/installed.txt"
fi
say "running the cases"
exec cargo run --locked --quiet --package harness -- autobahn --suite "$environment/bin/kosoku" "$@"
