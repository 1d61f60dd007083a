#!/usr/bin/env bash
# Holds the load generator against a server whose delays are known, and writes the tables in harness/METHOD.md.
# The records are results/truth/*.jsonl. Takes some four minutes on a quiet machine; needs two cores. SECONDS_EACH=10, PORT=9107,
# PROFILE=release (dev to try it).
# shellcheck source=scripts/measuring.sh
. "$(dirname "${BASH_SOURCE[0]}")/measuring.sh"

seconds=${SECONDS_EACH:-10}
rate=1000 open_connections=64
records=results/truth
cargo build --profile "$profile" --locked --quiet --package truth
mkdir -p "$records"

# One record: the server's options, then the load's. All messages count, from the first one on, so that both count the same.
record() {
  await_quiet
  rm -f "$logs/given"
  # Words on purpose.
  # shellcheck disable=SC2086
  start_server "$bin/truth-server" --record "$logs/given" $1
  # shellcheck disable=SC2086
  taskset --cpu-list "$client_core" "$bin/loadgen" echo $2 --target "$address" --warmup-s 0 --seconds "$seconds" >"$logs/events" ||
    die "loadgen $2 failed"
  stop_server
  printf '{"given":%s,"reported":%s}\n' "$(cat "$logs/given")" "$(tail -n1 "$logs/events")"
}

for loop in "--connections 1" "--connections $open_connections --rate $rate"; do
  for waiting in "" --spin; do
    for delay in constant:0 constant:1000 two-point:1000:10000:0.1 exponential:2000; do
      say "echo $loop $waiting, $delay"
      record "--delay $delay" "$loop $waiting" >>"$logs/delays"
    done
  done
  say "echo $loop, stalls"
  record "--stall-ms 200" "$loop" >>"$logs/stalls"
done
mv "$logs/delays" "$records/delays.jsonl"
mv "$logs/stalls" "$records/stalls.jsonl"

complain_of_noise
"$bin/truth" tables
say "harness/METHOD.md shows them"
