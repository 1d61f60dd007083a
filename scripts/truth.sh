#!/usr/bin/env bash
# Holds the load generator against a server whose delays are known, and writes the tables in harness/METHOD.md.
# The records are results/truth/*.jsonl. Takes some four minutes on a quiet machine; needs two cores. SECONDS_EACH=10, PORT=9150,
# PROFILE=release (dev to try it).
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

seconds=${SECONDS_EACH:-10}
server_core=0 client_core=1
address=127.0.0.1:${PORT:-9150}
rate=1000 open_connections=64
profile=${PROFILE:-release}
bin=target/${profile/#dev/debug}
records=results/truth

say "building"
cargo build --profile "$profile" --locked --quiet --package truth --package loadgen
mkdir -p "$records"
work=$(mktemp -d)
server=
trap 'stop; rm -rf "$work"' EXIT

start() {
  PORT=${address#*:} taskset --cpu-list "$server_core" "$bin/truth-server" --record "$work/given" "$@" >"$work/server" 2>&1 &
  server=$!
  for _ in {1..100}; do
    (: <"/dev/tcp/${address/:/\/}") 2>/dev/null && return
    sleep 0.05
  done
  die "the server did not start: $(cat "$work/server")"
}
stop() {
  [ -n "$server" ] || return 0
  kill "$server" 2>/dev/null || true
  wait "$server" 2>/dev/null || true
  server=
}

# One record: the server's options, then the load's. All messages count, from the first one on, so that both count the same.
record() {
  rm -f "$work/given"
  # Words on purpose.
  # shellcheck disable=SC2086
  start $1
  # shellcheck disable=SC2086
  taskset --cpu-list "$client_core" "$bin/loadgen" echo $2 --target "$address" --warmup-s 0 --seconds "$seconds" >"$work/events" ||
    die "loadgen $2 failed"
  stop
  printf '{"given":%s,"reported":%s}\n' "$(cat "$work/given")" "$(tail -n1 "$work/events")"
}

for loop in "--connections 1" "--connections $open_connections --rate $rate"; do
  for waiting in "" --spin; do
    for delay in constant:0 constant:1000 two-point:1000:10000:0.1 exponential:2000; do
      say "echo $loop $waiting, $delay"
      record "--delay $delay" "$loop $waiting" >>"$work/delays"
    done
  done
  say "echo $loop, stalls"
  record "--stall-ms 200" "$loop" >>"$work/stalls"
done
mv "$work/delays" "$records/delays.jsonl"
mv "$work/stalls" "$records/stalls.jsonl"

"$bin/truth" tables
say "harness/METHOD.md shows them"
