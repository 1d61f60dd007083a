#!/usr/bin/env bash
# Breaks the contract's crates and the servers on purpose, by one patch of servers/mutations at a time in a copy of the tree, and expects
# `harness verify` to fail the check that the patch names. Writes the table of servers/mutations/README.md. Takes some minutes. PORT=9261.
#   scripts/mutations.sh            tries them all
#   scripts/mutations.sh --check    tries nothing, and fails if the table is of other patches
# shellcheck source=scripts/lib.sh
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh" || exit 1

page=servers/mutations/README.md
digest=$(cat servers/mutations/*.patch | sha256sum | cut -c1-16)
begin="<!-- begin: the mutations of digest $digest, by scripts/mutations.sh -->"
if [ "${1:-}" = --check ]; then
  grep -qxF -- "$begin" "$page" || die "$page is of other patches than are there: scripts/mutations.sh tries them"
  exit
fi

work=$PWD/target/mutations
tree=$work/tree
rm -rf "$tree"
mkdir -p "$tree" "$work/build/debug"
git ls-files -z -- ':!results' | xargs -0 cp --parents -t "$tree"
say "building the harness"
cargo build --locked --quiet --package harness
# It builds the contenders into the folder that it is in.
cp target/debug/harness "$work/build/debug"
verify() { "$work/build/debug/harness" --root "$tree" verify "$@" --port "${PORT:-9261}" 2>&1; }
field() { sed -n "s/^$2: //p" "$1"; }

say "as they are"
# shellcheck disable=SC2046 # a word each
said=$(verify $(sed -n 's/^contender: //p' servers/mutations/*.patch | sort -u)) || die "they fail before anything is broken: $said"
rows=
for patch in servers/mutations/*.patch; do
  name=$(basename "$patch" .patch) contender=$(field "$patch" contender) check=$(field "$patch" check)
  say "$name"
  patch --quiet --strip 1 --directory "$tree" <"$patch"
  said=$(verify "$contender" --check "$check") && die "$name is not caught: $said"
  seen=$(grep -F "  FAILED    $check (" <<<"$said" | head -n1 | sed 's/^.*; observed //' | cut -c1-100) || true
  [ -n "$seen" ] || die "$name is not caught by $check, but: $said"
  rows+="| $name | $(sed -n 's|^+++ b/||p' "$patch") | $contender | $check | ${seen//|/\\|} |"$'\n'
  patch --quiet --reverse --strip 1 --directory "$tree" <"$patch"
done

{
  sed '/^<!-- begin/,$d' "$page"
  printf '%s\n| broken | in | contender | caught by | which saw |\n|---|---|---|---|---|\n%s<!-- end -->\n' "$begin" "$rows"
} >"$work/page"
mv "$work/page" "$page"
say "$page shows them"
