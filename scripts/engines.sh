#!/usr/bin/env bash
# Both engines of the load generator, epoll and io_uring, with the same loads on the same servers, in alternating order on fresh
# processes: CPU time a message, how busy the generator's core is, and latencies. Writes harness/loadgen/measured/engines.jsonl
# and its table in the README. Takes some eight minutes on a quiet machine; needs two cores. ROUNDS=15, PORT=9107.
# shellcheck source=scripts/measuring.sh
. "$(dirname "${BASH_SOURCE[0]}")/measuring.sh"

rounds=${ROUNDS:-15}
warmup_s=0.2 seconds=0.5
say "building the servers"
cargo build --profile "$profile" --locked --quiet --package fastwebsockets-server --package hyper-server

# A load by one engine on a fresh server: the last line of what it prints, beside the server's name.
measure() {
  local name=$1 engine=$2
  shift 2
  start_server "$bin/$name-server"
  taskset --cpu-list "$client_core" "$bin/loadgen" "$@" --engine "$engine" --target "$address" \
    --warmup-s "$warmup_s" --seconds "$seconds" \
    2>"$logs/client" >"$logs/lines" || die "loadgen $*: $(cat "$logs/client")"
  stop_server
  grep -q '"lost":0},.*"errors":{},' "$logs/lines" || die "loadgen $*: $(tail -n1 "$logs/lines" | cut -c-1000)"
  printf '{"server":"%s","event":%s}\n' "$name" "$(tail -n1 "$logs/lines")"
}

# A pair, back to back.
both() {
  local name=$1 engine
  shift
  await_quiet
  for engine in $engines; do measure "$name" "$engine" "$@" >>"$logs/engines"; done
}

record_of_the_machine "Median, and its interval of 95 %, of $rounds pairs of $seconds s each, server and generator on a core each, one message of \
64 B or one request outstanding on each connection" >"$logs/engines"
for ((round = 1; round <= rounds; round++)); do
  say "round $round of $rounds"
  engines="epoll io-uring"
  ((round % 2)) || engines="io-uring epoll"
  for name in ceiling fastwebsockets hyper; do
    for connections in 64 1000 10000; do both "$name" echo --connections "$connections"; done
  done
  both ceiling xhr --connections 64
done

publish_records engines "$logs/engines"
complain_of_noise
