#!/usr/bin/env bash
# The main job: set up, build, prove the contract, run the quick profile, print the table and where it is.
# What is given is passed on to `harness run`, e.g. --profile standard --contenders actix,hyper.
# shellcheck source=scripts/lib.sh
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh" || exit 1

# oha takes minutes to build: only for the profiles that name it.
case " $* " in
  *" --profile standard "* | *" --profile=standard "* | *" --profile full "* | *" --profile=full "*) scripts/setup.sh --oha ;;
  *) scripts/setup.sh ;;
esac
say "building the harness, which builds the contenders (some minutes the first time)"
exec cargo run --release --locked --quiet --package harness -- run "$@"
