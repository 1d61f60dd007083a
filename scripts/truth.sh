#!/usr/bin/env bash
# Holds the load generators against a server whose delays are known, and writes the tables in harness/METHOD.md: ours, and with
# --tools alone those of others beside it, each that is installed. The records are results/truth/*.jsonl. Takes some four minutes
# on a quiet machine, and four more for the others; needs two cores. SECONDS_EACH=10, PORT=9107, PROFILE=release (dev to try it).
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

# One load of several tools on servers of these delays, by the harness; each server records what it gave, a line a trial.
by_tools() {
  local delay_us work=$logs/work
  cargo build --profile "$profile" --locked --quiet --package harness
  mkdir -p "$work"
  cat >"$work/known.toml" <<END
description = "A known delay, by each tool"
rounds = 1
warmup_s = 0.2
warmup_max_s = 0.2
seconds = $seconds.0

[[load]]
workload = "xhr"
connections = 4
tools = ["loadgen", "wrk", "hey", "oha", "artillery"]
END
  for delay_us in 1000 5000 20000; do
    mkdir -p "$work/servers/$delay_us"
    cat >"$work/servers/$delay_us/contender.toml" <<END
name = "$delay_us"
title = "a server with a known delay"
language = "Rust"
build = ["cargo", "build", "--locked", "--profile", "{profile}", "-p", "truth"]
run = ["{bin}/truth-server", "--name", "$delay_us", "--delay", "constant:$delay_us", "--record", "$work/$delay_us.given"]
serves = ["xhr"]
END
  done
  say "a known delay, by each tool"
  await_quiet
  "$bin/harness" --servers "$work/servers" run --profile-file "$work/known.toml" --results "$work/results" --machine truth \
    --skip-verify --repeats 0 --port "${address#*:}" >"$work/log" 2>&1 || say "not every trial was valid: those that are not are not shown"
  "$bin/truth" told "$work"/results/*.json --given "$work" || die "no records: $(tail -n5 "$work/log")"
}

if [ "${1:-}" = --tools ]; then
  by_tools
  complain_of_noise
  "$bin/truth" tables
  exit
fi

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
by_tools

complain_of_noise
"$bin/truth" tables
say "harness/METHOD.md shows them"
