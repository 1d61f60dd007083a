#!/usr/bin/env bash
# What running and testing need: the compiler, a C linker, git. Safe to run twice; needs root only to
# install a package that is missing. --test adds what the tests alone need, --measure what the load generator is held against.
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

say "fetching the locked dependencies"
cargo fetch --locked --quiet
