use super::{Arrivals, Load, Rate};

/// What a load can be: beyond these no machine goes, or the load generator does not.
const MOST_CONNECTIONS: usize = 1 << 24;
const MOST_PROCESSES: usize = 1024;
const MOST_MS: usize = 60_000;
const MOST_FROM: usize = 1_000_000;

impl Load {
    /// Is it within what the contract allows and the load generator can do?
    ///
    /// # Errors
    /// What is beyond it, and what was expected.
    pub fn check(&self) -> Result<(), String> {
        let limits = contract::Limits::default();
        let echo_bytes = |bytes: usize| within("payload_bytes", bytes, 0, limits.echo_bytes);
        // The load generator's note: publisher, number, time, checksum.
        let publication_bytes = |bytes: usize| within("payload_bytes", bytes, 32, limits.publication_bytes);
        match self {
            Self::Echo { pipeline, payload_bytes, rate, arrivals, spin, .. } => {
                if rate.is_some() && pipeline.get() > 1 {
                    return Err(format!(
                        "pipeline = {pipeline}: not with a rate, which leaves open how many messages are outstanding"
                    ));
                }
                within("pipeline", pipeline.get(), 1, 1 << 16)?;
                open_loop_only(*rate, *arrivals, *spin)?;
                echo_bytes(*payload_bytes)
            }
            Self::Broadcast { publishers, payload_bytes, rate, arrivals, spin, .. } => {
                within("publishers", publishers.get(), 1, 1 << 16)?;
                open_loop_only(*rate, *arrivals, *spin)?;
                publication_bytes(*payload_bytes)
            }
            Self::Chat { clients, payload_bytes, rate, arrivals, .. } => {
                within("clients", clients.get(), 1, 1 << 16)?;
                open_loop_only(*rate, *arrivals, false)?;
                publication_bytes(*payload_bytes)
            }
            Self::Feed { .. } => Ok(()),
            Self::Countdown { from, .. } => within("from", from.get() as usize, 1, MOST_FROM),
            Self::Connect { messages, storm, .. } if *storm && messages.get() > 1 => {
                Err(format!("messages = {messages}: not with storm, whose connections are kept"))
            }
            Self::Connect { .. } => Ok(()),
            Self::Xhr { workers, .. } => {
                workers.map_or(Ok(()), |workers| within("workers", workers.get(), 1, 1024))
            }
            Self::Capacity { step, max, limit_ms, processes } => {
                within("max", max.get(), 1, MOST_CONNECTIONS)?;
                within("step", step.get(), 1, max.get())?;
                within("limit_ms", limit_ms.get() as usize, 1, MOST_MS)?;
                within("processes", processes.get(), 1, MOST_PROCESSES)
            }
            Self::EchoLimit { payload_bytes, until_p99_ms, .. } => {
                within("until_p99_ms", until_p99_ms.get() as usize, 1, MOST_MS)?;
                echo_bytes(*payload_bytes)
            }
            Self::BroadcastLimit { rate, payload_bytes, until_p99_ms } => {
                within("rate", rate.get() as usize, 1, 10_000)?;
                within("until_p99_ms", until_p99_ms.get() as usize, 1, MOST_MS)?;
                publication_bytes(*payload_bytes)
            }
        }
    }
}

fn open_loop_only(rate: Option<Rate>, arrivals: Arrivals, spin: bool) -> Result<(), String> {
    match rate {
        None if arrivals != Arrivals::default() => Err("arrivals: only with a rate".to_owned()),
        None if spin => Err("spin: only with a rate".to_owned()),
        _ => Ok(()),
    }
}

fn within(name: &str, value: usize, least: usize, most: usize) -> Result<(), String> {
    let fits = (least..=most).contains(&value);
    fits.then_some(()).ok_or_else(|| format!("{name} = {value}: expected {least} to {most}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_that_makes_no_sense_is_refused_with_what_was_expected() {
        let echo = "workload = \"echo\"\nconnections = 1\npayload_bytes = 1\n";
        for (load, expected) in [
            (format!("{echo}rate = 10\npipeline = 2"), "pipeline = 2: not with a rate"),
            (format!("{echo}arrivals = \"poisson\""), "arrivals: only with a rate"),
            (format!("{echo}spin = true"), "spin: only with a rate"),
            ("workload = \"capacity\"\nstep = 20\nmax = 10".to_owned(), "step = 20: expected 1 to 10"),
            (
                "workload = \"capacity\"\nstep = 1\nmax = 20000000".to_owned(),
                "max = 20000000: expected 1 to 16777216",
            ),
            (
                "workload = \"countdown\"\nclients = 1\nfrom = 1000001\ntransport = \"xhr\"".to_owned(),
                "from = 1000001: expected 1 to 1000000",
            ),
            (
                "workload = \"connect\"\nconnections = 1\nmessages = 2\ntransport = \"xhr\"\nstorm = true"
                    .to_owned(),
                "messages = 2: not with storm",
            ),
            (
                "workload = \"echo-limit\"\nconnections = 1\npayload_bytes = 1\nuntil_p99_ms = 70000"
                    .to_owned(),
                "until_p99_ms = 70000: expected 1 to 60000",
            ),
            ("workload = \"broadcast-limit\"\nrate = 1\npayload_bytes = 8".to_owned(), "payload_bytes = 8"),
        ] {
            let load: Load = toml::from_str(&load).expect("well-formed");
            let error = load.check().expect_err("no sense");
            assert!(error.contains(expected), "{error}");
        }
    }
}
