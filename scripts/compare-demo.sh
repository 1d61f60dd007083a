#!/usr/bin/env bash
# Shows what `harness compare` makes of no change and of a known one: three runs of a server, the third with as much CPU time
# burnt for each message as a tenth of what one took. Writes the table in harness/METHOD.md, from results/truth/changes.json.
# Takes some four minutes on a quiet machine; needs two cores. ROUNDS=8, SECONDS_EACH=2, PORT=9151, PROFILE=release.
# shellcheck source=scripts/lib.sh
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh" || exit 1

profile=${PROFILE:-release}
bin=target/${profile/#dev/debug}
records=results/truth

say "building"
cargo build --profile "$profile" --locked --quiet --package harness --package loadgen --package truth
mkdir -p "$records"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat >"$work/demo.toml" <<END
description = "A server as it is, and with CPU time burnt"
control = "truth"
rounds = ${ROUNDS:-8}
warmup_s = 0.5
seconds = ${SECONDS_EACH:-2}.0

[[load]]
workload = "echo"
connections = 64
payload_bytes = 64
END

# A folder of contenders: the ceiling, untouched, and the server with these options.
servers() {
  local folder=$work/servers/$1 run='"{bin}/truth-server"' option
  shift
  for option; do run+=", \"$option\""; done
  mkdir -p "$folder/truth"
  cp -r servers/ceiling "$folder"
  cat >"$folder/truth/contender.toml" <<END
name = "truth"
title = "a server with known costs"
language = "Rust"
build = ["cargo", "build", "--locked", "--profile", "{profile}", "-p", "truth"]
run = [$run]
serves = ["echo"]
END
}

# A run, whose results are then in a file of its name. It serves only what an echo needs, so it is not proved.
run() {
  say "$1"
  "$bin/harness" --servers "$work/servers/$2" run --profile-file "$work/demo.toml" --results "$work/$1" --machine demo \
    --skip-verify --port "${PORT:-9151}" >"$work/log" || say "not every trial was valid: those that are not do not count"
  mv "$work/$1"/*.json "$work/$1.json" || die "there are no results: $(cat "$work/log")"
}

servers plain
run before plain
run again plain
burn_ns=$("$bin/truth" tenth "$work/before.json")
servers burnt --burn-ns "$burn_ns" --record "$work/given"
run slower burnt

printf '{"again":%s,"slower":%s,"given":[%s]}\n' "$("$bin/harness" compare --json "$work"/{before,again}.json)" \
  "$("$bin/harness" compare --json "$work"/{before,slower}.json)" "$(paste -sd, "$work/given")" >"$work/changes"
mv "$work/changes" "$records/changes.json"
"$bin/truth" tables
say "harness/METHOD.md shows it"
