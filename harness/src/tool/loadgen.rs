//! The arguments of our own load generator.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use crate::machine::CoreSet;
use crate::plan::{Kind, Load, Profile};

/// Its name in the results.
pub const NAME: &str = "loadgen";
/// Time for reading what the processes hold, with nothing under way: before the load and after it.
pub const SETTLE: Duration = Duration::from_millis(100);
/// What the connecting and the last replies may take, each.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// The command that drives `target` with `load`: one event loop a core.
#[must_use]
pub fn command(
    bin: &Path,
    load: &Load,
    profile: &Profile,
    target: SocketAddr,
    cores: &CoreSet,
) -> Vec<String> {
    let program = bin.join(NAME).to_string_lossy().into_owned();
    let mut words = vec![program, load.workload().to_owned()];
    let mut flag = |name: &str, value: String| words.extend([format!("--{name}"), value]);
    flag("target", target.to_string());
    flag("threads", cores.len().to_string());
    flag("warmup-s", profile.warmup_s.to_string());
    flag("warmup-max-s", profile.longest_warmup_s().to_string());
    flag("seconds", profile.seconds.to_string());
    flag("settle-s", SETTLE.as_secs_f64().to_string());
    flag("patience-s", PATIENCE.as_secs_f64().to_string());
    match load {
        Load::Echo { connections, pipeline, payload_bytes, kind } => {
            flag("connections", connections.to_string());
            flag("pipeline", pipeline.to_string());
            flag("payload-bytes", payload_bytes.to_string());
            flag("kind", if *kind == Kind::Text { "text" } else { "binary" }.to_owned());
        }
        Load::Broadcast { subscribers, publishers, payload_bytes, rate } => {
            flag("subscribers", subscribers.to_string());
            flag("publishers", publishers.to_string());
            flag("payload-bytes", payload_bytes.to_string());
            if let Some(rate) = rate {
                flag("rate", rate.to_string());
            }
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parses the command with the load generator's own parser: a flag that it does not know fails here.
    fn parsed(load: &str) -> serde_json::Value {
        use clap::Parser as _;
        let text =
            format!("description = \"\"\nrounds = 1\nwarmup_s = 0.25\nseconds = 1.5\n[[load]]\n{load}");
        let profile: Profile = toml::from_str(&text).expect("a profile");
        let target = "127.0.0.1:9001".parse().expect("an address");
        let cores = "2-3".parse().expect("cores");
        let words = command(Path::new("/bin"), &profile.loads[0], &profile, target, &cores);
        let load = ::loadgen::Load::try_parse_from(words).expect("flags that it knows");
        serde_json::to_value(load).expect("JSON")
    }

    #[test]
    fn an_echo_load_reaches_the_load_generator_whole() {
        let load = parsed(
            "workload = \"echo\"\nconnections = 7\npipeline = 3\npayload_bytes = 16\nkind = \"binary\"\n",
        );
        let echo =
            serde_json::json!({"connections": 7, "pipeline": 3, "payload_bytes": 16, "kind": "binary"});
        assert_eq!(load["workload"]["echo"], echo);
        assert_eq!(
            load["timing"],
            serde_json::json!({"warmup_s": 0.25, "warmup_max_s": 1.25, "seconds": 1.5, "settle_s": 0.1, "patience_s": 10.0})
        );
        assert_eq!((&load["threads"], &load["target"]), (&2.into(), &"127.0.0.1:9001".into()));
    }

    #[test]
    fn a_broadcast_load_reaches_the_load_generator_whole() {
        let load = parsed(
            "workload = \"broadcast\"\nsubscribers = 9\npublishers = 2\npayload_bytes = 5\nrate = 40\n",
        );
        let arrivals = serde_json::json!({"rate": 40});
        let broadcast =
            serde_json::json!({"subscribers": 9, "publishers": 2, "payload_bytes": 5, "arrivals": arrivals});
        assert_eq!(load["workload"]["broadcast"], broadcast);
    }
}
