#!/usr/bin/env bash
# A million hostile clients against each contender: fuzzed handshakes, frames, chunked bodies and headers, other ones each day.
# It must not die, leave one waiting, or take much memory, and keep the contract afterwards. A failure prints the seed and the bytes:
# `harness verify NAME --hostile 1 --seed SEED` sends them again.
#   scripts/hostile.sh [CONTENDER ...]     default: all. CLIENTS=1000000, SEED, SECONDS_EACH=1200, PORT=9201, PROFILE=release.
# shellcheck source=scripts/lib.sh
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh" || exit 1

exec cargo run --profile "${PROFILE:-release}" --locked --quiet --package harness -- verify "$@" \
  --hostile "${CLIENTS:-1000000}" --seed "${SEED:-$(date -u +%Y%m%d)000000000}" \
  --hostile-seconds "${SECONDS_EACH:-1200}" --port "${PORT:-9201}"
