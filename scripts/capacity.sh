#!/usr/bin/env bash
# How many connections contenders hold, and what each costs: writes harness/loadgen/measured/capacity.jsonl and its table in
# the README. CONTENDER is a folder of servers/ whose command runs a program of this workspace. PORT=9301, PROFILE=dev to try it.
#   scripts/capacity.sh [CONTENDER:CONNECTIONS ...]     default: ceiling, actix, hyper and tungstenite-tuned to 200,000
# A million (ceiling:1000000) needs some 12 GB, and fs.file-max above two million, one file at each end.
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[ $# -gt 0 ] || set -- ceiling:200000 actix:200000 hyper:200000 tungstenite-tuned:200000
port=${PORT:-9301}
profile=${PROFILE:-release}
bin=target/${profile/#dev/debug}

# The words of a manifest's command: of CONTENDER, `build` or `run`.
words() {
  sed -n "s/^$2 = \\[\(.*\)\]/\1/p" "servers/$1/contender.toml" | tr -d '",' | sed "s|{bin}|$bin|; s|{profile}|$profile|"
}

say "building"
for load; do
  contender=${load%:*}
  [ -f "servers/$contender/contender.toml" ] || die "no contender $contender: expected a folder of servers/ with a contender.toml"
  # shellcheck disable=SC2046 # words on purpose
  $(words "$contender" build) --quiet
done
cargo build --profile "$profile" --locked --quiet -p loadgen --bins --example tables

for load; do
  files=$((2 * ${load#*:} + 20000))
  [ "$(cat /proc/sys/fs/file-max)" -ge $files ] || die "$load needs more open files: sysctl -w fs.file-max=$files"
done

server=
stop() {
  [ -n "$server" ] || return 0
  kill "$server" 2>/dev/null || true
  wait "$server" 2>/dev/null || true
  server=
  # Its processes have many sockets to close, and hold the port until then.
  while [ -n "$(ss -Htln "sport = :$port")" ]; do sleep 0.1; done
}
trap stop EXIT

# Runs one climb, and prints its record.
climb() {
  local contender=$1 connections=$2 allowed processes pids
  allowed=$(ulimit -Hn)
  # A tenth less than a process may hold: SO_REUSEPORT spreads connections by a hash, not evenly.
  processes=1
  [ "$allowed" = unlimited ] || processes=$(((connections * 10 + allowed * 9 - 1) / (allowed * 9)))
  # shellcheck disable=SC2046 # words on purpose
  env PORT="$port" PROCESSES="$processes" WORKERS=1 $(words "$contender" run) >/dev/null &
  server=$!
  for _ in $(seq 100); do
    pids=$server
    [ "$processes" = 1 ] || pids=$(cat "/proc/$server/task/$server/children")
    # Ready when each of its processes listens.
    [ "$(ss -Htln "sport = :$port" | wc -l)" -ge "$processes" ] && break
    kill -0 "$server" 2>/dev/null || die "$contender ended"
    sleep 0.1
  done
  pids=$(tr -s ' ' ',' <<<"${pids% }")
  printf '{"contender":"%s","server_processes":%s,' "$contender" "$processes"
  "$bin/loadgen" capacity --target "127.0.0.1:$port" --patience-s 30 --step "$((connections / 10))" \
    --max "$connections" --server-pids "$pids" | tail -n1 | sed 's/^{//'
  stop
}

records=$(mktemp)
record_of_the_machine "One climb each, in ten steps" >"$records"
for load; do
  say "$load"
  climb "${load%:*}" "${load#*:}" >>"$records"
done
publish_records capacity "$records"
say "written to harness/loadgen/README.md"
