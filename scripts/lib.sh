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
