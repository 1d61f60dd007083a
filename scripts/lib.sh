# shellcheck shell=bash
# What the scripts share: strict mode, the project's folder, and how they speak.
set -euo pipefail
CDPATH="" cd -- "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

say() { printf '\n== %s\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# Runs a command as root where the user is root or may become it without a password.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then sudo -n "$@"
  else return 1
  fi
}

# Installs the Python packages that scripts/NAME.txt pins, into an environment of their own: tools/NAME.
python_packages() {
  local environment=tools/$1 pinned=scripts/$1.txt
  cmp -s "$pinned" "$environment/installed.txt" && return
  say "installing $(grep -o '^[^#= ]*==[^ ]*' "$pinned" | paste -sd' ')"
  command -v python3 >/dev/null || die "no python3 for what $pinned names: install it, with its module venv"
  python3 -m venv --clear "$environment" ||
    die "python3 has no module venv: install it (Debian: apt-get install python3-venv)"
  "$environment/bin/pip" install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
    --requirement "$pinned" || die "could not install what $pinned names"
  cp "$pinned" "$environment/installed.txt"
}

# The first line of a file of records (harness/loadgen/measured): when, where and how they were taken.
record_of_the_machine() {
  printf '{"date":"%s","cpu":"%s","cores":%s,"kernel":"%s","congestion_control":"%s","open_files":"%s","commit":"%s","how":"%s"}\n' \
    "$(date -u +%F)" "$(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -n1)" "$(nproc)" "$(uname -r | cut -d- -f1)" \
    "$(cat /proc/sys/net/ipv4/tcp_congestion_control)" "$(ulimit -Hn)" "$(git rev-parse --short HEAD)" "$1"
}

# Puts new records of this name in place of the old ones, and the table made of them into the README.
publish_records() {
  mkdir -p harness/loadgen/measured
  mv "$2" "harness/loadgen/measured/$1.jsonl"
  cargo run --profile "${PROFILE:-release}" --locked --quiet --package loadgen --example tables
}
