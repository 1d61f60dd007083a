//! `harness verify`.

use std::cell::Cell;
use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;

use anyhow::{Result, bail};
use conformance::{Check, Outcome, Report, Target, checks};
use console::style;
use contract::About;

use super::hostile::withstand;
use super::lines::{Checked, Verdict};
use super::output::{err, out};
use super::session::{Session, scratch};
use crate::cli::{Exit, Shared, VerifyOptions};
use crate::contender::{Boot, Contender, Server, build, find};
use crate::names::suggestion;
use crate::trial::{Failed, Failure};

/// So many failures one after another end the checks of a contender.
const GIVES_UP_AFTER: u32 = 6;

/// Proves the contract for each contender, check by check.
///
/// # Errors
/// A name is unknown or a manifest malformed. What a contender does wrong is no error, but an exit code.
pub fn verify(shared: &Shared, options: &VerifyOptions) -> Result<Exit> {
    let session = Session::begin(shared, &options.place)?;
    let contenders = find(session.root.servers(), &options.contenders)?;
    let wanted = options.check.as_deref().unwrap_or("");
    let selected = |check: &Check| check.name.contains(wanted);
    if !checks().iter().any(selected) {
        bail!("no check {wanted}: {}", suggestion(wanted, checks().iter().map(|check| check.name)));
    }
    let logs = scratch(&session.root.results("results".as_ref()))?;
    let mut exit = Exit::Done;
    for contender in &contenders {
        if !options.json {
            out!("{}", contender.name);
        }
        let show = |check: &Check, outcome: &Outcome| say(&judged(contender, check, outcome), options.json);
        let proved = prove(contender, &session.boot(), &logs, selected, show).and_then(|_| {
            if options.hostile == 0 {
                return Ok(());
            }
            let borne = withstand(contender, &session.boot(), &logs, options, selected)?;
            out!("  ok        {borne}");
            Ok(())
        });
        match proved {
            Ok(()) => {}
            Err(Failed { failure: Failure::Interrupted, .. }) => return Ok(Exit::Interrupted),
            Err(failed) => {
                exit = Exit::Failed;
                if options.json {
                    let name = contender.name.clone();
                    let because = Some(failed.failure.to_string());
                    say(
                        &Checked {
                            contender: name,
                            check: None,
                            standard: None,
                            verdict: Verdict::Failed,
                            because,
                        },
                        true,
                    );
                    continue;
                }
                out!("  {} {}", contender.name, failed.failure);
                for line in failed.log_tail.lines() {
                    out!("    | {line}");
                }
            }
        }
    }
    Ok(exit)
}

/// What is to be said of a check, with what the contender's manifest owns up to.
fn judged(contender: &Contender, check: &Check, outcome: &Outcome) -> Checked {
    let deviation = contender.deviations.iter().find(|deviation| deviation.check == check.name);
    let (verdict, because) = match (outcome, deviation) {
        (Outcome::Passed, _) => (Verdict::Ok, None),
        (Outcome::Failed(_), Some(deviation)) => {
            (Verdict::Deviates, Some(format!("{}; see {}", deviation.because, deviation.source)))
        }
        (Outcome::NotServed(path), _) => (Verdict::Skipped, Some(format!("{path} is not served"))),
        (Outcome::Failed(failure), None) => (Verdict::Failed, Some(failure.to_string())),
    };
    let (check, standard) = (Some(check.name.to_owned()), Some(check.standard.to_owned()));
    Checked { contender: contender.name.clone(), check, standard, verdict, because }
}

/// A check as a line, for people or as JSON.
fn say(checked: &Checked, json: bool) {
    if json {
        match serde_json::to_string(checked) {
            Ok(line) => out!("{line}"),
            Err(error) => err!("this check cannot be written as JSON: {error}"),
        }
        return;
    }
    let word = match checked.verdict {
        Verdict::Ok => style("ok      ").green(),
        Verdict::Deviates => style("deviates").yellow(),
        Verdict::Skipped => style("skipped ").dim(),
        Verdict::Failed => style("FAILED  ").red().bold(),
    };
    let name = checked.check.as_deref().unwrap_or_default();
    let standard = checked.standard.as_deref().unwrap_or_default();
    let because = checked.because.as_ref().map_or(String::new(), |because| format!(": {because}"));
    out!("  {word}  {name} ({standard}){because}");
}

/// Builds and boots a contender, and runs the checks that `only` selects.
///
/// # Errors
/// It does not build or boot, or breaks the contract: with the checks that failed.
pub fn prove(
    contender: &Contender,
    boot: &Boot<'_>,
    logs: &Path,
    only: impl Fn(&Check) -> bool,
    on_result: impl FnMut(&Check, &Outcome),
) -> Result<About, Failed> {
    let name = &contender.name;
    let target = target(contender, boot);
    let boot = &Boot { settings: target.settings(), ..boot.clone() };
    build(contender, boot, &logs.join(format!("{name}.build.log")))?;
    let server = Server::boot(contender, boot, logs.join(format!("{name}.verify.log")))?;
    check(contender, &server, &target, boot, only, on_result)?;
    let about = server.about.clone();
    server.stop()?;
    Ok(about)
}

/// A contender as the checks find it.
pub(super) fn target(contender: &Contender, boot: &Boot<'_>) -> Target {
    Target { not_served: contender.not_served.clone(), ..Target::new(boot.address) }
}

/// Runs the checks that `only` selects on a server that was booted with the target's settings.
///
/// # Errors
/// It breaks the contract: with the checks that failed.
pub(super) fn check(
    contender: &Contender,
    server: &Server,
    target: &Target,
    boot: &Boot<'_>,
    only: impl Fn(&Check) -> bool,
    mut on_result: impl FnMut(&Check, &Outcome),
) -> Result<(), Failed> {
    // A server that has gone silent fails every check after its deadline: some of them say it all.
    let failures_in_a_row = Cell::new(0_u32);
    let going = |check: &Check| {
        !boot.interrupted.load(Relaxed) && failures_in_a_row.get() < GIVES_UP_AFTER && only(check)
    };
    let watch = |check: &Check, outcome: &Outcome| {
        let failed = matches!(outcome, Outcome::Failed(_));
        failures_in_a_row.set(if failed { failures_in_a_row.get() + 1 } else { 0 });
        on_result(check, outcome);
    };
    let report = conformance::verify(target, going, watch);
    if boot.interrupted.load(Relaxed) {
        return Err(Failure::Interrupted.into());
    }
    let checks = broken(contender, &report);
    if checks.is_empty() { Ok(()) } else { Err(server.failed(Failure::BrokeContract { checks })) }
}

/// What a contender does against the contract: failures that its manifest does not own up to, and
/// deviations that it has no longer, which would hide the next failure.
fn broken(contender: &Contender, report: &Report) -> Vec<String> {
    let deviates = |name: &str| contender.deviations.iter().any(|deviation| deviation.check == name);
    let unowned = report.failures().filter(|(check, _)| !deviates(check.name));
    let passed =
        report.results.iter().filter(|(check, outcome)| *outcome == Outcome::Passed && deviates(check.name));
    unowned
        .map(|(check, failure)| format!("{}: {failure}", check.name))
        .chain(
            passed.map(|(check, _)| {
                format!("{}: passes, so take the deviation out of the manifest", check.name)
            }),
        )
        .collect()
}
