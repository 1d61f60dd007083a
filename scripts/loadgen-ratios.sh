#!/usr/bin/env bash
# Holds the load generator against its peers on this machine: its CPU time a message beside that of a tokio-websockets
# client, and its CPU time a request beside wrk's. Each pair is taken back to back, in alternating order, on fresh
# server processes, since the machine's own speed changes by more than the peers differ. Writes
# harness/loadgen/measured/ratios.jsonl and its table in the README. Takes some four minutes on a quiet machine; needs two
# cores. PAIRS=7, PORT=9107.
# shellcheck source=scripts/measuring.sh
. "$(dirname "${BASH_SOURCE[0]}")/measuring.sh"

pairs=${PAIRS:-7}
warmup_s=0.5 seconds=2 payload_bytes=64
command -v wrk >/dev/null || die "wrk is missing: scripts/setup.sh --measure"

# Each prints: messages, CPU time in µs. What the whole process took is left in $logs/time: seconds in user space, in the kernel.
on_client_core() {
  local TIMEFORMAT='%U %S'
  { time taskset --cpu-list "$client_core" "$@" 2>"$logs/client"; } 2>"$logs/time"
}
loadgen() {
  on_client_core "$bin/loadgen" "$@" --target "$address" --warmup-s "$warmup_s" --seconds "$seconds" >"$logs/lines" ||
    die "loadgen $*: $(cat "$logs/client")"
  # With an error or a lost connection there is no match.
  tail -n1 "$logs/lines" | sed -nE 's/.*"lost":0\},.*"messages":([0-9]+),"errors":\{\},.*"cpu_us":([0-9.]+).*/\1 \2/p'
}
peer() {
  on_client_core "$bin/examples/peer" "$address" "$1" "$payload_bytes" "$warmup_s" "$seconds" |
    sed -nE 's/.*"cpu_us":([0-9.]+),"messages":([0-9]+).*/\2 \1/p'
}
wrk_xhr() {
  on_client_core wrk --threads 1 --connections "$1" --duration "${seconds}s" \
    "http://$address/xhr?count=123456789" >"$logs/wrk" || die "wrk: $(cat "$logs/client")"
  grep -q 'Non-2xx\|Socket errors' "$logs/wrk" && die "wrk: $(cat "$logs/wrk")"
  awk 'NR == FNR { cpu_us = ($1 + $2) * 1e6; next } / requests in / { print $1, cpu_us }' "$logs/time" "$logs/wrk"
}

# A command on a fresh server: what it cost, as JSON.
cost() {
  start_server
  "$@" >"$logs/figures"
  stop_server
  awk 'NF == 2 && NR == FNR && $1 > 0 { user = $1; system_s = $2; next }
    NF == 2 && $1 > 0 { printf "{\"messages\":%s,\"cpu_us\":%s,\"user_s\":%s,\"system_s\":%s}", $1, $2, user, system_s; found = 1 }
    END { exit !found }' "$logs/time" "$logs/figures" ||
    die "$*: no clean figures: $(cat "$logs/client" "$logs/figures")"
}

# The pairs of one row: name, limit of the ratio, the command of ours, the command of theirs.
pairs() {
  local ours theirs
  say "$1"
  for ((pair = 1; pair <= pairs; pair++)); do
    await_quiet
    # Commands of words without spaces.
    # shellcheck disable=SC2086
    if ((pair % 2)); then ours=$(cost $3) && theirs=$(cost $4); else theirs=$(cost $4) && ours=$(cost $3); fi
    printf '{"load":"%s","goal":%s,"ours":%s,"theirs":%s}\n' "$1" "$2" "$ours" "$theirs" >>"$logs/records"
  done
}

record_of_the_machine "Median (least–most) of $pairs pairs of $seconds s each" >"$logs/records"
for case in 64:0.9 1000:0.75 10000:0.75; do
  connections=${case%:*}
  pairs "echo, $connections connections: tokio-websockets" "${case#*:}" \
    "loadgen echo --connections $connections --payload-bytes $payload_bytes" "peer $connections"
done
pairs "xhr, 64 connections: wrk" 0.8 "loadgen xhr --connections 64" "wrk_xhr 64"

publish_records ratios "$logs/records"
complain_of_noise
