#!/usr/bin/env bash
# Both engines of the load generator, epoll and io_uring, with the same loads on the same servers, in alternating order on fresh
# processes: CPU time a message, how busy the generator's core is, and latencies. Writes harness/loadgen/measured/engines.jsonl
# and its table in the README. Takes some seven minutes on a quiet machine; needs two cores. ROUNDS=7, PORT=9107.
# shellcheck source=scripts/measuring.sh
. "$(dirname "${BASH_SOURCE[0]}")/measuring.sh"

rounds=${ROUNDS:-7}
seconds=1
say "building the servers"
cargo build --profile "$profile" --locked --quiet \
  --package fastwebsockets-server --package tungstenite-server --package actix-server --package hyper-server

# A load by one engine on a fresh server: the last line of what it prints, beside the server's name.
measure() {
  local name=$1 engine=$2
  shift 2
  await_quiet
  case $name in
    *-tuned) start_server "$bin/${name%-tuned}-server" --contender "$name" --read-buffer-bytes 4096 ;;
    *) start_server "$bin/$name-server" ;;
  esac
  taskset --cpu-list "$client_core" "$bin/loadgen" "$@" --engine "$engine" --target "$address" --seconds "$seconds" \
    2>"$logs/client" >"$logs/lines" || die "loadgen $*: $(cat "$logs/client")"
  stop_server
  grep -q '"lost":0},.*"errors":{},' "$logs/lines" || die "loadgen $*: $(tail -n1 "$logs/lines" | cut -c-1000)"
  printf '{"server":"%s","event":%s}\n' "$name" "$(tail -n1 "$logs/lines")"
}

record_of_the_machine "Median (least–most) of $rounds rounds of $seconds s each, server and generator on a core each, one message \
of 64 B outstanding on each connection" >"$logs/engines"
for ((round = 1; round <= rounds; round++)); do
  say "round $round of $rounds"
  engines="epoll io-uring"
  ((round % 2)) || engines="io-uring epoll"
  for name in ceiling fastwebsockets tungstenite-tuned hyper-tuned actix hyper; do
    for connections in 64 1000; do
      for engine in $engines; do measure "$name" "$engine" echo --connections "$connections" >>"$logs/engines"; done
    done
  done
  for name in ceiling hyper; do
    for engine in $engines; do measure "$name" "$engine" xhr --connections 64 >>"$logs/engines"; done
  done
  for engine in $engines; do measure ceiling "$engine" echo --connections 10000 >>"$logs/engines"; done
done

publish_records engines "$logs/engines"
complain_of_noise
