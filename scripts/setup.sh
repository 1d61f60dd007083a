#!/usr/bin/env bash
# What running and testing need: the compiler, a C linker, git, and load generators of others, without which runs go on.
# Safe to run twice; needs root only to install a package that is missing. --test adds what the tests alone need, --measure what
# the load generator is held against, --oha builds oha, which takes minutes.
# shellcheck source=scripts/lib.sh
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh" || exit 1

packages=()
command -v cc >/dev/null || packages+=(gcc libc6-dev)
command -v git >/dev/null || packages+=(git)
# One of the contenders is a script.
command -v python3 >/dev/null || packages+=(python3)
if [ "${1:-}" = --test ]; then
  command -v shellcheck >/dev/null || packages+=(shellcheck)
  command -v valgrind >/dev/null || packages+=(valgrind)
  # The page's tests are skipped, with a line that says so, where there is no browser to be had.
  command -v chromium chromium-browser google-chrome >/dev/null || browser=chromium
elif [ "${1:-}" = --measure ]; then
  command -v wrk >/dev/null || packages+=(wrk)
fi
if [ -n "${browser:-}" ] && command -v apt-get >/dev/null; then
  say "installing $browser"
  { as_root apt-get update -qq && as_root apt-get install -y -qq --no-install-recommends "$browser"; } >&2 ||
    say "no $browser: the page is not tested in a browser"
fi
if [ ${#packages[@]} -gt 0 ]; then
  say "installing ${packages[*]}"
  { as_root apt-get update -qq && as_root apt-get install -y -qq --no-install-recommends "${packages[@]}"; } >&2 ||
    die "missing: ${packages[*]}; install them with your package manager (Debian: apt-get install ${packages[*]})"
fi

wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
command -v cargo >/dev/null || die "no cargo: install Rust $wanted or newer with rustup, see https://rustup.rs"
found=$(rustc --version | cut -d' ' -f2)
[ "$(printf '%s\n' "$wanted" "$found" | sort -V | head -n1)" = "$wanted" ] ||
  die "rustc $found is older than $wanted: rustup update stable"

# Load generators of others. What cannot be had is a clear line here and an empty row in the tables.
tools=()
for tool in wrk hey; do command -v "$tool" >/dev/null || tools+=("$tool"); done
if [ ${#tools[@]} -gt 0 ]; then
  say "installing ${tools[*]}"
  { command -v apt-get >/dev/null && as_root apt-get update -qq && as_root apt-get install -y -qq --no-install-recommends "${tools[@]}"; } >&2 ||
    say "without ${tools[*]}: as root, apt-get install ${tools[*]}"
fi
wanted=$(sed -n 's/.*"artillery": "\(.*\)".*/\1/p' artillery/package.json)
if ! grep -qs "\"version\": \"$wanted\"" artillery/node_modules/artillery/package.json; then
  if ! command -v npm >/dev/null; then
    say "without Artillery: it needs Node 20 and npm, see https://nodejs.org"
  else
    say "installing Artillery $wanted from its lock file (590 MB in artillery/node_modules)"
    # No scripts of its packages are run, and no browser is fetched.
    (cd artillery && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) >&2 ||
      say "without Artillery: npm ci failed in artillery/"
  fi
fi
oha=1.16.0
if [ "${1:-}" = --oha ] && ! grep -qs "oha $oha" <(tools/bin/oha --version 2>/dev/null); then
  # Without its default features 1.16.0 does not compile.
  say "building oha $oha into tools/"
  cargo install --locked --quiet --root tools --version "$oha" oha >&2 || say "without oha: it does not build"
fi

say "fetching the locked dependencies"
cargo fetch --locked --quiet
