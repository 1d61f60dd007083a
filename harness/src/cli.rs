//! The command line.

use std::net::IpAddr;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::export::Format;
use crate::machine::CoreSet;

/// Boots identical servers in turn, drives each, and tabulates what it measured.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
pub struct Cli {
    /// What every command may be told.
    #[command(flatten)]
    pub shared: Shared,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "Exit codes:
  0    all went well
  1    something failed: a contender, a check, a trial or a file; what was measured is kept
  2    the command line is wrong
  3    compare: a figure became worse by more than --fail-on-regression allows
  4    compare: none did, but with --fail-on-regression not all that the first run has could be compared, or the machine
       changed between the runs, so that nobody can tell
  130  interrupted; what was measured is kept";

/// What every command may be told.
#[derive(Debug, Clone, Args)]
pub struct Shared {
    /// The project's folder; by default the nearest above the current one.
    #[arg(long, global = true, value_name = "DIR")]
    pub root: Option<PathBuf>,

    /// Folder of the contenders.
    #[arg(long, global = true, value_name = "DIR", default_value = "servers")]
    pub servers: PathBuf,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show contenders, workloads and profiles.
    List(ListOptions),
    /// Make the folder of a new contender out of another's.
    New(NewOptions),
    /// Show the load generators: which are there, and what each can measure.
    Tools(ToolsOptions),
    /// Prove the contract, check by check, on real sockets.
    Verify(VerifyOptions),
    /// Measure, and write the results.
    Run(RunOptions),
    /// Count the instructions that a message takes in user space, under valgrind. A gauge for regressions, never a measure
    /// of speed.
    Instructions(InstructionsOptions),
    /// Show what changed from one run to another, and what is noise.
    Compare(CompareOptions),
    /// Write a results file in a form that other tools read.
    Export(ExportOptions),
    /// Write the tables of a results file again, and print them.
    Report(ReportOptions),
    /// Put an overview of results and the guide made of them into the README.
    Readme(ReadmeOptions),
    /// Run the Autobahn cases against the contenders, and write servers/AUTOBAHN.md.
    Autobahn(AutobahnOptions),
    /// Count the lines and crates of the contenders, time a clean build of each, and write servers/COST.md.
    Cost(CostOptions),
    /// Have a crowd of subscribers of whom one in ten reads nothing at the contenders, and write servers/CROWD.md.
    Crowd(CrowdOptions),
    /// Write the JSON Schema of what the other commands write: results/schema.json.
    Schema(SchemaOptions),
}

/// Options of `list`.
#[derive(Debug, Args)]
pub struct ListOptions {}

/// Options of `new`.
#[derive(Debug, Args)]
pub struct NewOptions {
    /// Its name, and its folder's: a-z, 0-9 and dashes.
    pub name: String,
    /// The contender whose folder is copied.
    #[arg(long, value_name = "CONTENDER", default_value = "hyper")]
    pub from: String,
}

/// Options of `tools`.
#[derive(Debug, Args)]
pub struct ToolsOptions {
    /// Print JSON: an array of `Found` of results/schema.json, without our own.
    #[arg(long)]
    pub json: bool,
}

/// Options of `verify`.
#[derive(Debug, Args)]
pub struct VerifyOptions {
    /// Contenders to verify; all by default.
    pub contenders: Vec<String>,
    /// Run only checks whose name contains this.
    #[arg(long, value_name = "TEXT")]
    pub check: Option<String>,
    /// Then has so many hostile clients at each, which must survive them within its memory, and runs the checks again.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub hostile: u64,
    /// Seed of the first hostile client; the next has the next.
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    pub seed: u64,
    /// How long the hostile clients may go on at each, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub hostile_seconds: u64,
    /// Print JSON: a line a check, `Checked` of results/schema.json.
    #[arg(long, conflicts_with = "hostile")]
    pub json: bool,
    /// Where the servers run.
    #[command(flatten)]
    pub place: Place,
}

/// Options of `run`.
#[derive(Debug, Args)]
pub struct RunOptions {
    /// A profile of harness/profiles.
    #[arg(long, default_value = "quick")]
    pub profile: String,
    /// A profile of your own, in place of one by name.
    #[arg(long, value_name = "FILE", conflicts_with = "profile")]
    pub profile_file: Option<PathBuf>,
    /// Goes on with a run that was cut off, by its name: takes the trials that its journal does not hold.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["profile", "profile_file", "contenders", "workloads", "rounds", "until", "until_s", "control", "seed", "machine", "skip_verify"])]
    pub resume: Option<String>,
    /// Only these contenders.
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub contenders: Vec<String>,
    /// Only these workloads.
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub workloads: Vec<String>,
    /// Rounds, in place of the profile's.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub rounds: Option<u32>,
    /// After these rounds, more of each load until its servers' CPU a message and its rate are known this well: the 95 %
    /// interval no wider than ± PCT % of the figure, of at least 6 valid trials in one state of the machine.
    #[arg(long, value_name = "PCT")]
    pub until: Option<f64>,
    /// With --until: begin no further round when those behind the profile's have taken so long; half an hour by default.
    #[arg(long, value_name = "SECONDS", requires = "until")]
    pub until_s: Option<f64>,
    /// Contender that is entered twice, in place of the profile's; `none` for none. What its two entries differ by is
    /// the run's noise floor.
    #[arg(long, value_name = "NAME")]
    pub control: Option<String>,
    /// How often a trial is taken again during which the machine's state changed.
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub repeats: u32,
    /// Order of the trials; the results record it.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Name of this machine in the results' file name; by default its processor's.
    #[arg(long, value_name = "NAME")]
    pub machine: Option<String>,
    /// Folder for the results.
    #[arg(long, value_name = "DIR", default_value = "results")]
    pub results: PathBuf,
    /// Measure contenders that have not just proved the contract. The results say so.
    #[arg(long)]
    pub skip_verify: bool,
    /// Print JSON in place of tables: a line a trial and one at the end, `RunLine` of results/schema.json.
    #[arg(long)]
    pub json: bool,
    /// Where the processes run.
    #[command(flatten)]
    pub place: Place,
}

/// Where processes run.
#[derive(Debug, Clone, Args)]
pub struct Place {
    /// Address that the contenders listen on.
    #[arg(long, default_value = "127.0.0.1")]
    pub host: IpAddr,
    /// Port that the contenders listen on.
    #[arg(long, default_value_t = 9001, value_parser = clap::value_parser!(u16).range(1..))]
    pub port: u16,
    /// Cores of the server, such as 0-1,4; by default the first half of those allowed.
    #[arg(long, value_name = "CORES")]
    pub server_cores: Option<CoreSet>,
    /// Cores of the load generator; by default the rest.
    #[arg(long, value_name = "CORES")]
    pub tool_cores: Option<CoreSet>,
}

/// Options of `instructions`.
#[derive(Debug, Args)]
pub struct InstructionsOptions {
    /// Contenders; all that serve echo by default.
    pub contenders: Vec<String>,
    /// Connections, each with one message outstanding. With more than one, how many are handled at a time is chance.
    #[arg(long, value_name = "N", default_value = "1")]
    pub connections: NonZeroU64,
    /// Messages of each connection that are counted: the difference between so many, and twice as many.
    #[arg(long, value_name = "N", default_value = "2000")]
    pub messages: NonZeroU64,
    /// Length of each message, in bytes.
    #[arg(long, value_name = "BYTES", default_value_t = 64)]
    pub payload_bytes: usize,
    /// How often it is counted; the output tells how far the counts differ.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub repeats: u32,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// Where the processes run.
    #[command(flatten)]
    pub place: Place,
}

/// Options of `compare`.
#[derive(Debug, Args)]
pub struct CompareOptions {
    /// The first results file, `.json` or `.md`.
    pub before: PathBuf,
    /// The second.
    pub after: PathBuf,
    /// End with 3 if a figure is shown to be worse by more than so many percent, and with 4 if none is, but one of the
    /// first run could not be compared.
    #[arg(long, value_name = "PCT")]
    pub fail_on_regression: Option<f64>,
    /// Write a page as well, which needs no network.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Print JSON: `Compared` of results/schema.json.
    #[arg(long)]
    pub json: bool,
}

/// Options of `export`.
#[derive(Debug, Args)]
pub struct ExportOptions {
    /// A results file; by default the latest.
    pub file: Option<PathBuf>,
    /// The form.
    #[arg(long)]
    pub format: Format,
    /// Folder for the files; `-` prints, if there is but one.
    #[arg(long, value_name = "DIR", default_value = "-")]
    pub output: PathBuf,
}

/// Options of `report`.
#[derive(Debug, Args)]
pub struct ReportOptions {
    /// A results file; by default the latest.
    pub file: Option<PathBuf>,
    /// Write nothing; fail if the tables on disk differ from what the results give.
    #[arg(long)]
    pub check: bool,
}

/// Options of `readme`.
#[derive(Debug, Args)]
pub struct ReadmeOptions {
    /// Results to show from now on; by default those that the README shows, written again.
    pub file: Option<PathBuf>,
    /// Write nothing; fail if the README is not fresh.
    #[arg(long)]
    pub check: bool,
}

/// Options of `autobahn`.
#[derive(Debug, Args)]
pub struct AutobahnOptions {
    /// Contenders to run them against; all by default. What is known of the others stays.
    pub contenders: Vec<String>,
    /// The suite: kosoku, which `scripts/autobahn.sh` installs.
    #[arg(long, value_name = "PROGRAM", required_unless_present = "check")]
    pub suite: Option<PathBuf>,
    /// Run nothing and write nothing; fail if the table is not what servers/autobahn.json gives.
    #[arg(long)]
    pub check: bool,
    /// Where the servers run.
    #[command(flatten)]
    pub place: Place,
}

/// Options of `cost`.
#[derive(Debug, Args)]
pub struct CostOptions {
    /// Contenders to look at; all by default. What is known of the others stays.
    pub contenders: Vec<String>,
    /// Build nothing: sizes and times stay as they were.
    #[arg(long)]
    pub no_build: bool,
    /// Look at nothing and write nothing; fail if the table is not what servers/cost.json gives.
    #[arg(long)]
    pub check: bool,
}

/// Options of `crowd`.
#[derive(Debug, Args)]
pub struct CrowdOptions {
    /// Contenders to have it at; all by default. What is known of the others stays.
    pub contenders: Vec<String>,
    /// How many subscribe: 20 to as many as a process here may have files.
    #[arg(long, value_name = "N", default_value = "10000")]
    pub subscribers: NonZeroUsize,
    /// Keep nothing of it, and print the table.
    #[arg(long)]
    pub no_record: bool,
    /// Run nothing and write nothing; fail if the page is not what servers/crowd.json gives.
    #[arg(long, conflicts_with = "no_record")]
    pub check: bool,
    /// Where the servers run.
    #[command(flatten)]
    pub place: Place,
}

/// Options of `schema`.
#[derive(Debug, Args)]
pub struct SchemaOptions {
    /// Write nothing; fail if the schema on disk differs from the program's types.
    #[arg(long)]
    pub check: bool,
}

/// How the process ends; the numbers are documented in the help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All went well.
    Done,
    /// Something failed.
    Failed,
    /// A figure became worse.
    Regression,
    /// Not all figures could be compared.
    NotComparable,
    /// Ctrl-C.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Done => Self::SUCCESS,
            Exit::Failed => Self::FAILURE,
            Exit::Regression => Self::from(3),
            Exit::NotComparable => Self::from(4),
            Exit::Interrupted => Self::from(130),
        }
    }
}
