# shellcheck shell=bash
# What the scripts share that hold the load generator against something: a server on one core, and a quiet machine.
# PROFILE=dev tries a script without a release build.
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

server_core=0
# shellcheck disable=SC2034 # of those who source this
client_core=1
profile=${PROFILE:-release}
bin=target/${profile/#dev/debug}
address=127.0.0.1:${PORT:-9107}
logs=$(mktemp -d)
trap 'stop_server; rm -rf "$logs"' EXIT

say "building"
cargo build --profile "$profile" --locked --quiet --package ceiling-server --package loadgen
cargo build --profile "$profile" --locked --quiet --package loadgen --example peer --example gaps --example tables

server=
# A server by its command; the ceiling without one.
start_server() {
  [ $# -gt 0 ] || set -- "$bin/ceiling-server"
  PORT=${address#*:} WORKERS=1 taskset --cpu-list "$server_core" "$@" >"$logs/server" 2>&1 &
  server=$!
  for _ in {1..100}; do
    (: <"/dev/tcp/${address/:/\/}") 2>/dev/null && return
    sleep 0.05
  done
  die "the server did not start: $(cat "$logs/server")"
}
stop_server() {
  if [ -n "$server" ]; then
    kill "$server" || true
    # Its exit status is that of the signal.
    wait "$server" 2>/dev/null || true
  fi
  server=
}

# Non-idle and all time of the cores since the start, in ticks.
ticks() { awk 'NR == 1 { for (i = 2; i <= 9; i++) all += $i; print all - $5 - $6, all }' /proc/stat; }

# Waits until the cores have been idle for half a second; after twenty seconds (QUIET_TRIES=40) it goes on, and counts that.
noisy=0
await_quiet() {
  local before
  for _ in $(seq "${QUIET_TRIES:-40}"); do
    before=$(ticks)
    sleep 0.5
    awk -v before="$before" -v after="$(ticks)" 'BEGIN {
      split(before, a, " "); split(after, b, " "); exit (b[1] - a[1]) > 0.05 * (b[2] - a[2]) }' && return
  done
  noisy=$((noisy + 1))
}
complain_of_noise() {
  [ "$noisy" = 0 ] || say "the machine was busy with other things before $noisy of the runs: they scatter more"
}
