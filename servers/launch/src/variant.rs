use clap::Parser;
use contract::Settings;

/// How a contender is started of which there are tuned variants: the same program by another name, with
/// settings of its framework that are not the default.
#[derive(Debug, Clone, Parser)]
pub struct Variant {
    /// Name of the contender; by default that of the plain one.
    #[arg(long)]
    pub contender: Option<String>,

    /// Read buffer of a WebSocket, in bytes; by default the framework's.
    #[arg(long)]
    pub read_buffer_bytes: Option<usize>,

    /// What is the same for every contender.
    #[command(flatten)]
    pub settings: Settings,
}

impl Variant {
    /// The flags and the environment; ends the process with a message if they are wrong.
    #[must_use]
    pub fn from_args() -> Self {
        Self::parse()
    }

    /// Its name, of a contender whose plain one has the name `plain`.
    #[must_use]
    pub fn name<'a>(&'a self, plain: &'a str) -> &'a str {
        self.contender.as_deref().unwrap_or(plain)
    }
}
