#!/usr/bin/env bash
# How many connections contenders hold, and what each costs: writes the table in harness/loadgen/README.md.
#   scripts/capacity.sh [CONTENDER:CONNECTIONS ...]     default: ceiling, actix and hyper to 200,000
# A million (ceiling:1000000) needs some 12 GB, and fs.file-max above two million, one file at each end.
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[ $# -gt 0 ] || set -- ceiling:200000 actix:200000 hyper:200000
port=${PORT:-9301}
readme=harness/loadgen/README.md
packages() { for load; do sed -n '0,/^name = /s/^name = "\(.*\)"/-p \1/p' "servers/${load%:*}/Cargo.toml"; done; }

say "building"
# shellcheck disable=SC2046 # words on purpose
cargo build --release --locked --quiet $(packages "$@")
cargo build --release --locked --quiet -p loadgen --bins --example capacity_row

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

# Runs one climb, and prints its row of the table.
climb() {
  local contender=$1 connections=$2 allowed processes pids
  allowed=$(ulimit -Hn)
  # A tenth less than a process may hold: SO_REUSEPORT spreads connections by a hash, not evenly.
  processes=1
  [ "$allowed" = unlimited ] || processes=$(((connections * 10 + allowed * 9 - 1) / (allowed * 9)))
  PORT=$port PROCESSES=$processes WORKERS=1 "target/release/$contender-server" >/dev/null &
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
  target/release/loadgen capacity --target "127.0.0.1:$port" --patience-s 30 --step "$((connections / 10))" \
    --max "$connections" --server-pids "$pids" | tail -n1 | target/release/examples/capacity_row "$contender" "$processes"
  stop
}

table=$(mktemp)
{
  echo
  echo "$(date -u +%F), Linux $(uname -r | cut -d- -f1), $(nproc) cores, $(ulimit -Hn) open files a process:"
  echo
  echo '| contender | asked | held | stopped | processes: server, generator | connects/s | connect p50, p99 ms | last sweep s | its p50, p99 ms | B a connection: generator, of it private | server | kernel, both ends |'
  echo '|---|--:|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|'
} >"$table"
for load; do
  say "$load"
  climb "${load%:*}" "${load#*:}" >>"$table"
  tail -n1 "$table" >&2
done
echo >>"$table"

grep -q '<!-- capacity: begin' "$readme" || die "$readme has no line <!-- capacity: begin -->"
sed -i -e "/<!-- capacity: begin/r $table" -e '/<!-- capacity: begin/,/<!-- capacity: end/{/<!-- capacity: /!d}' "$readme"
rm "$table"
say "written to $readme"
