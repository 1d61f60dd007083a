#!/usr/bin/env bash
# Holds the load generator against its peers on this machine: its CPU time a message beside that of a tokio-websockets
# client, and its CPU time a request beside wrk's. Each pair is taken back to back, in alternating order, on fresh
# server processes, since the machine's own speed changes by more than the peers differ. Writes the table into
# harness/loadgen/README.md. Takes some four minutes on a quiet machine; needs two cores. PAIRS=7, PORT=9107.
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

pairs=${PAIRS:-7}
warmup_s=0.5 seconds=2 payload_bytes=64
server_core=0 client_core=1
address=127.0.0.1:${PORT:-9107}
readme=harness/loadgen/README.md
bin=target/release

say "building"
cargo build --release --locked --quiet --package ceiling-server --package loadgen
cargo build --release --locked --quiet --package loadgen --example peer
logs=$(mktemp -d)
trap 'stop; rm -rf "$logs"' EXIT

server=
start() {
  PORT=${address#*:} WORKERS=1 taskset --cpu-list "$server_core" "$bin/ceiling-server" >"$logs/server" 2>&1 &
  server=$!
  for _ in {1..100}; do
    (: <"/dev/tcp/${address/:/\/}") 2>/dev/null && return
    sleep 0.05
  done
  die "the server did not start: $(cat "$logs/server")"
}
stop() {
  if [ -n "$server" ]; then
    kill "$server" || true
    # Its exit status is that of the signal.
    wait "$server" 2>/dev/null || true
  fi
  server=
}

# Both print: messages, CPU time in µs.
on_client_core() { taskset --cpu-list "$client_core" "$@" 2>"$logs/client"; }
loadgen() {
  local line
  line=$(on_client_core "$bin/loadgen" "$@" --target "$address" --warmup-s "$warmup_s" --seconds "$seconds" |
    tail -n1) || die "loadgen $*: $(cat "$logs/client")"
  # With an error or a lost connection there is no match.
  sed -nE 's/.*"lost":0\},.*"messages":([0-9]+),"errors":\{\},.*"cpu_us":([0-9.]+).*/\1 \2/p' <<<"$line"
}
peer() {
  on_client_core "$bin/examples/peer" "$address" "$1" "$payload_bytes" "$warmup_s" "$seconds" |
    sed -nE 's/.*"cpu_us":([0-9.]+),"messages":([0-9]+).*/\2 \1/p'
}
wrk_xhr() {
  local TIMEFORMAT='%U %S'
  { time on_client_core wrk --threads 1 --connections "$1" --duration "${seconds}s" \
    "http://$address/xhr?count=123456789" >"$logs/wrk"; } 2>"$logs/time"
  grep -q 'Non-2xx\|Socket errors' "$logs/wrk" && die "wrk: $(cat "$logs/wrk")"
  awk 'NR == FNR { cpu_us = ($1 + $2) * 1e6; next } / requests in / { print $1, cpu_us }' "$logs/time" "$logs/wrk"
}

# A command on a fresh server: CPU time a message, in µs.
cost() {
  start
  "$@" >"$logs/figures"
  stop
  awk 'NF == 2 && $1 > 0 { printf "%.4f\n", $2 / $1; found = 1 } END { exit !found }' "$logs/figures" ||
    die "$*: no clean figures: $(cat "$logs/client" "$logs/figures")"
}

# Non-idle and all time of the cores since the start, in ticks.
ticks() { awk 'NR == 1 { for (i = 2; i <= 9; i++) all += $i; print all - $5 - $6, all }' /proc/stat; }

# Waits until the cores have been idle for half a second; after twenty seconds it goes on.
noisy_pairs=0
await_quiet() {
  local before
  for _ in {1..40}; do
    before=$(ticks)
    sleep 0.5
    awk -v before="$before" -v after="$(ticks)" 'BEGIN {
      split(before, a, " "); split(after, b, " "); exit (b[1] - a[1]) > 0.05 * (b[2] - a[2]) }' && return
  done
  noisy_pairs=$((noisy_pairs + 1))
}

# Numbers on standard input: "median (least-most)".
spread() {
  sort -n | awk -v digits="$1" '{ x[NR] = $1 } END {
    median = NR % 2 ? x[(NR + 1) / 2] : (x[NR / 2] + x[NR / 2 + 1]) / 2
    printf "%.*f (%.*f–%.*f)", digits, median, digits, x[1], digits, x[NR] }'
}

# One row: name, limit of the ratio, the command of ours, the command of theirs.
row() {
  local name=$1 goal=$2 ours=$3 theirs=$4 a b
  say "$name"
  rm -f "$logs"/{ours,theirs,ratios}
  for ((pair = 1; pair <= pairs; pair++)); do
    await_quiet
    # Commands of words without spaces.
    # shellcheck disable=SC2086
    if ((pair % 2)); then a=$(cost $ours) && b=$(cost $theirs); else b=$(cost $theirs) && a=$(cost $ours); fi
    echo "$a" >>"$logs/ours"; echo "$b" >>"$logs/theirs"
    awk -v a="$a" -v b="$b" 'BEGIN { print a / b }' | tee -a "$logs/ratios" >&2
  done
  printf '| %s | %s | %s | **%s** | %s |\n' "$name" "$(spread 2 <"$logs/ours")" "$(spread 2 <"$logs/theirs")" \
    "$(spread 2 <"$logs/ratios")" "≤ $goal" >>"$logs/table"
}

printf '| load | loadgen, µs | peer, µs | ratio | goal |\n|---|---|---|---|---|\n' >"$logs/table"
for case in 64:0.9 1000:0.75 10000:0.75; do
  connections=${case%:*}
  row "echo, $connections connections: tokio-websockets" "${case#*:}" \
    "loadgen echo --connections $connections --payload-bytes $payload_bytes" "peer $connections"
done
if command -v wrk >/dev/null; then
  row "xhr, 64 connections: wrk" 0.8 "loadgen xhr --connections 64" "wrk_xhr 64"
else
  say "wrk is not installed (Debian: apt-get install wrk): its row is left out"
  printf '| xhr, 64 connections: wrk | not measured: wrk was not installed | | | |\n' >>"$logs/table"
fi

commit=$(git rev-parse --short HEAD)
{
  printf '\nMedian (least–most) of %s pairs of %s s each, on %s, %s, after commit %s.\n\n' "$pairs" "$seconds" \
    "$(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -n1)" "$(date -u +%F)" "$commit"
  cat "$logs/table"
  printf '\n'
} >"$logs/block"
sed -i -e "/<!-- ratios: begin/r $logs/block" -e '/<!-- ratios: begin/,/<!-- ratios: end/{/<!-- ratios: /!d}' "$readme"
[ "$noisy_pairs" = 0 ] || say "the machine was busy with other things before $noisy_pairs pairs: they scatter more"
cat "$logs/table"
