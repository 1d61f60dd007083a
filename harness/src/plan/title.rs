use std::fmt;

use super::{Arrivals, Kind, Load, Rate, Subscription, ToolName};

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Echo { connections, pipeline, payload_bytes, kind, rate, arrivals, spin, tool } => {
                write!(f, "echo, {connections} × {payload_bytes} B")?;
                if pipeline.get() > 1 {
                    write!(f, ", {pipeline} outstanding")?;
                }
                if *kind == Kind::Binary {
                    write!(f, ", binary")?;
                }
                pace(f, *rate, *arrivals, *spin)?;
                by(f, *tool)
            }
            Self::Broadcast {
                subscribers,
                publishers,
                transport,
                payload_bytes,
                rate,
                arrivals,
                spin,
                tool,
            } => {
                write!(f, "broadcast, {subscribers} subscribers × {payload_bytes} B")?;
                if publishers.get() > 1 {
                    write!(f, ", {publishers} publishers")?;
                }
                if *transport != Subscription::default() {
                    write!(f, ", {transport}")?;
                }
                pace(f, *rate, *arrivals, *spin)?;
                by(f, *tool)
            }
            Self::Chat { clients, transport, payload_bytes, rate, arrivals } => {
                write!(f, "chat, {clients} clients × {payload_bytes} B, {transport}")?;
                pace(f, *rate, *arrivals, false)
            }
            Self::Feed { clients, transport } => write!(f, "feed, {clients} clients, {transport}"),
            Self::Xhr { connections, requests, workers, tool } => {
                write!(f, "xhr, {connections} connections")?;
                if let Some(requests) = requests {
                    write!(f, ", {requests} requests")?;
                }
                if let Some(workers) = workers {
                    write!(f, ", {workers} worker{}", plural(workers.get()))?;
                }
                by(f, *tool)
            }
            Self::Countdown { clients, from, transport, tool } => {
                write!(f, "countdown from {from}, {clients} client{}, {transport}", plural(clients.get()))?;
                by(f, *tool)
            }
            Self::Connect { connections, transport, storm: true, .. } => {
                write!(f, "connect, storm of {connections}, {transport}")
            }
            Self::Connect { connections, messages, transport, storm: false } => {
                let s = plural(messages.get() as usize);
                write!(f, "connect, {connections} at a time × {messages} message{s}, {transport}")
            }
            Self::Capacity { step, max, limit_ms, processes } => {
                write!(f, "capacity, up to {max} connections by {step}, sweep p99 ≤ {limit_ms} ms")?;
                if processes.get() > 1 {
                    write!(f, ", {processes} server processes")?;
                }
                Ok(())
            }
            Self::EchoLimit { connections, payload_bytes, until_p99_ms } => {
                write!(f, "echo limit, {connections} × {payload_bytes} B, p99 ≤ {until_p99_ms} ms")
            }
            Self::BroadcastLimit { rate, payload_bytes, until_p99_ms } => {
                write!(f, "broadcast limit, {rate}/s × {payload_bytes} B, p99 ≤ {until_p99_ms} ms")
            }
        }
    }
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// Our own is not named.
fn by(f: &mut fmt::Formatter<'_>, tool: ToolName) -> fmt::Result {
    if tool == ToolName::Loadgen { Ok(()) } else { write!(f, ", by {tool}") }
}

fn pace(f: &mut fmt::Formatter<'_>, rate: Option<Rate>, arrivals: Arrivals, spin: bool) -> fmt::Result {
    if let Some(rate) = rate {
        write!(f, ", {rate}")?;
    }
    if arrivals == Arrivals::Poisson {
        write!(f, ", Poisson")?;
    }
    if spin {
        write!(f, ", spinning")?;
    }
    Ok(())
}
