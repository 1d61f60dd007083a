use ::loadgen::Connecting;
use clap::Parser as _;

use super::*;

/// The load generator's own parser must read the command as what it was made from.
fn told(load: &str, level: Option<u32>) -> Workload {
    let load: Load = toml::from_str(load).expect("a load");
    let workload = workload(&load, level.and_then(NonZeroU32::new), 11);
    let told = ::loadgen::Load {
        target: "127.0.0.1:9001".parse().expect("an address"),
        timing: timing(0.25, 1.25, 1.5),
        threads: NonZeroUsize::new(2).expect("not zero"),
        engine: ::loadgen::Engine::IoUring,
        spin: true,
        spin_us: 0,
        connecting: Connecting { ramp: 7, processes: NonZeroUsize::new(3) },
        workload: match workload {
            Workload::Capacity(plan) => Workload::Capacity(CapacityPlan { server_pids: vec![1, 2], ..plan }),
            other => other,
        },
    };
    let read = ::loadgen::Load::try_parse_from(command(Path::new("/bin"), &told));
    assert_eq!(read.expect("flags that it knows"), told);
    told.workload
}

fn json(workload: &Workload) -> serde_json::Value {
    serde_json::to_value(workload).expect("JSON")
}

#[test]
fn a_closed_echo_reaches_the_load_generator_whole() {
    let load = "workload = \"echo\"\nconnections = 7\npipeline = 3\npayload_bytes = 16\nkind = \"binary\"";
    let echo = serde_json::json!({"connections": 7, "pipeline": 3, "payload_bytes": 16, "kind": "binary", "stagger_bytes": 131_072});
    assert_eq!(json(&told(load, None))["echo"], echo);
}

#[test]
fn an_open_loop_has_its_rate_its_process_and_the_seed() {
    let load = "workload = \"echo\"\nconnections = 7\npayload_bytes = 16\nrate = 40\narrivals = \"poisson\"";
    let arrivals = serde_json::json!({"rate": 40, "process": "poisson", "seed": 11});
    assert_eq!(json(&told(load, None))["echo"]["arrivals"], arrivals);
    let load = "workload = \"broadcast\"\nsubscribers = 9\npublishers = 2\npayload_bytes = 32\nrate = 40";
    let broadcast = serde_json::json!(
        {"subscribers": 9, "publishers": 2, "payload_bytes": 32, "arrivals": {"rate": 40}}
    );
    assert_eq!(json(&told(load, None))["broadcast"], broadcast);
    for transport in ["sse", "long-poll", "mixed"] {
        let load = format!("{load}\ntransport = {transport:?}");
        assert_eq!(json(&told(&load, None))["broadcast"]["transport"], transport);
    }
}

#[test]
fn a_chat_and_the_feed_reach_the_load_generator_whole() {
    let chat = "workload = \"chat\"\nclients = 9\ntransport = \"mixed\"\npayload_bytes = 32\nrate = 40";
    let expected = serde_json::json!(
        {"clients": 9, "transport": "mixed", "payload_bytes": 32, "arrivals": {"rate": 40}}
    );
    assert_eq!(json(&told(chat, None))["chat"], expected);
    for transport in ["xhr", "sse", "websocket"] {
        let feed = format!("workload = \"feed\"\nclients = 9\ntransport = {transport:?}");
        let expected = serde_json::json!({"clients": 9, "transport": transport});
        assert_eq!(json(&told(&feed, None))["feed"], expected);
    }
}

#[test]
fn a_share_is_a_closed_loop_until_the_capacity_is_known() {
    let load =
        "workload = \"echo\"\nconnections = 7\npayload_bytes = 16\nrate = \"80%\"\narrivals = \"poisson\"";
    assert!(json(&told(load, None))["echo"].get("arrivals").is_none());
    assert_eq!(json(&told(load, Some(900)))["echo"]["arrivals"]["rate"], 900);
}

#[test]
fn requests_climbs_and_searches_reach_the_load_generator_whole() {
    assert_eq!(json(&told("workload = \"xhr\"\nconnections = 7", None))["xhr"]["connections"], 7);
    let capacity = json(&told("workload = \"capacity\"\nstep = 10\nmax = 25\nlimit_ms = 70", None));
    let plan = serde_json::json!({"step": 10, "max": 25, "limit_ms": 70.0, "outstanding": 256, "server_pids": [1, 2]});
    assert_eq!(capacity["capacity"], plan);
    let echo = told("workload = \"echo-limit\"\nconnections = 7\npayload_bytes = 16", Some(3000));
    assert_eq!(json(&echo)["echo"]["arrivals"]["rate"], 3000);
    let broadcast = told("workload = \"broadcast-limit\"\nrate = 10\npayload_bytes = 32", Some(300));
    let broadcast = &json(&broadcast)["broadcast"];
    assert_eq!((&broadcast["subscribers"], &broadcast["arrivals"]["rate"]), (&300.into(), &10.into()));
}

#[test]
fn countdowns_and_connections_reach_the_load_generator_whole() {
    let countdown = "workload = \"countdown\"\nclients = 7\nfrom = 30\ntransport = \"xhr\"";
    let expected = serde_json::json!({"clients": 7, "from": 30, "transport": "xhr"});
    assert_eq!(json(&told(countdown, None))["countdown"], expected);
    let connect = "workload = \"connect\"\nconnections = 7\nmessages = 3\ntransport = \"websocket\"";
    let expected = serde_json::json!({"connections": 7, "messages": 3, "transport": "websocket"});
    assert_eq!(json(&told(connect, None))["connect"], expected);
    let storm = "workload = \"connect\"\nconnections = 7\ntransport = \"websocket\"\nstorm = true";
    assert_eq!(json(&told(storm, None))["connect"]["storm"], true);
}
