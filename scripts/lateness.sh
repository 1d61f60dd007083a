#!/usr/bin/env bash
# How late an open loop of the load generator sends, at half of what it and the ceiling do in closed loop, on a core each: sleeping,
# spinning before a message is due, and always spinning; what the machine lets a thread do that only reads the clock; and whether
# two threads measure what one does. Writes harness/loadgen/measured/{lateness,gaps,threads}.jsonl and their tables in the README.
# Takes some four minutes on a quiet machine; needs two cores. ROUNDS=5, PORT=9107.
# shellcheck source=scripts/measuring.sh
. "$(dirname "${BASH_SOURCE[0]}")/measuring.sh"

rounds=${ROUNDS:-5}
connections=64 seconds=3 low_rate=10000

# A load on a fresh server: the last line of what it prints.
measure() {
  await_quiet
  start_server
  taskset --cpu-list "$client_core" "$bin/loadgen" echo --connections "$connections" --target "$address" \
    --seconds "$seconds" "$@" 2>"$logs/client" >"$logs/lines" || die "loadgen $*: $(cat "$logs/client")"
  stop_server
  grep -q '"lost":0},.*"errors":{},' "$logs/lines" || die "loadgen $*: $(tail -n1 "$logs/lines" | cut -c-1000)"
  tail -n1 "$logs/lines"
}

# A thread that only reads the clock on the load generator's core, while the other core is idle, or does the same.
gaps() {
  local other_core=idle other
  await_quiet
  if [ "$1" = both ]; then
    other_core="another such thread"
    taskset --cpu-list "$server_core" "$bin/examples/gaps" "$((seconds + 1))" >"$logs/other" &
    other=$!
  fi
  taskset --cpu-list "$client_core" "$bin/examples/gaps" "$seconds" | sed "s/^{/{\"other_core\":\"$other_core\",/"
  if [ -n "${other:-}" ]; then wait "$other"; fi
}

say "closed loop"
rate=$(measure | sed -nE 's/.*"sent":[0-9]+,"messages":([0-9]+),.*/\1/p' | awk -v s="$seconds" '{ printf "%d", $1 / s / 2 }')
[ -n "$rate" ] || die "no rate in what loadgen printed of its closed loop"
how="Median (least–most) of $rounds rounds of $seconds s each, $connections connections, server and generator on a core each"
record_of_the_machine "$how; the higher rate is half of what they do in closed loop" >"$logs/lateness"
record_of_the_machine "Median (least–most) of $rounds rounds of $seconds s each" >"$logs/gaps"
record_of_the_machine "$how, $low_rate messages/s" >"$logs/threads"
for ((round = 1; round <= rounds; round++)); do
  say "round $round of $rounds, $low_rate/s and $rate/s"
  for pace in "$low_rate" "$rate"; do
    for arrivals in constant poisson; do
      for wait in "" "--spin-us 60" "--spin"; do
        # Words on purpose.
        # shellcheck disable=SC2086
        measure --rate "$pace" --arrivals "$arrivals" $wait >>"$logs/lateness"
      done
    done
  done
  for cores in one both; do gaps "$cores" >>"$logs/gaps"; done
  # In alternating order.
  for threads in $((1 + round % 2)) $((2 - round % 2)); do
    measure --rate "$low_rate" --threads "$threads" >>"$logs/threads"
  done
done

publish_records lateness "$logs/lateness"
publish_records gaps "$logs/gaps"
publish_records threads "$logs/threads"
complain_of_noise
