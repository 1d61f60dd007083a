#!/usr/bin/env bash
# Every test: scripts, format, lints, documentation, generated files, then unit, integration and end-to-end.
# All is built by one choice of packages: another has other features of their dependencies, which are then built once more.
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
say "building"
cargo build --workspace --bins --tests --examples --locked --quiet
say "generated files"
built=${CARGO_TARGET_DIR:-target}/debug
"$built/harness" readme --check
"$built/harness" report --check
"$built/harness" cost --check
"$built/harness" schema --check
"$built/harness" autobahn --check
"$built/harness" crowd --check
"$built/truth" tables --check
"$built/examples/tables" --check
scripts/mutations.sh --check
say "tests"
cargo test --workspace --locked --doc --quiet
cargo test --workspace --locked --lib --bins --tests
