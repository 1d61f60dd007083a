#!/usr/bin/env bash
# Every test: scripts, format, lints, documentation, generated files, then unit, integration and end-to-end.
# shellcheck source=scripts/lib.sh
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh" || exit 1

scripts/setup.sh --test
say "scripts"
shellcheck --external-sources scripts/*.sh .ci/run
say "container file and workflow"
# Their syntax alone: building an image takes a registry and a daemon, running a workflow its host.
python_packages linters
tools/linters/bin/hadolint Containerfile
tools/linters/bin/python -c 'import sys; from ruamel.yaml import YAML; YAML(typ="safe", pure=True).load(sys.stdin)' \
  <.github/workflows/ci.yml >/dev/null
say "format"
cargo fmt --all --check
say "lints"
cargo clippy --workspace --all-targets --locked -- --deny warnings
say "documentation"
RUSTDOCFLAGS="--deny warnings" cargo doc --workspace --no-deps --locked --quiet
say "tests"
cargo test --workspace --locked --doc --quiet
cargo test --workspace --locked --exclude harness
say "generated files"
cargo run --locked --quiet --package harness -- readme --check
cargo run --locked --quiet --package harness -- report --check
cargo run --locked --quiet --package harness -- cost --check
cargo run --locked --quiet --package harness -- schema --check
cargo run --locked --quiet --package truth -- tables --check
cargo run --locked --quiet --package loadgen --example tables -- --check
cargo run --locked --quiet --package harness -- autobahn --check
cargo run --locked --quiet --package harness -- crowd --check
scripts/mutations.sh --check
# Last, since it boots the binaries that the tests above have built, and others that it builds itself.
say "the harness, end to end"
cargo test --locked --package harness --lib
cargo test --locked --package harness --test '*'
