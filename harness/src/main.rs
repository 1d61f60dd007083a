//! The `harness` command.

use std::process::ExitCode;

use clap::Parser as _;
use harness::cli::{Cli, Command, Exit};
use harness::command::{
    autobahn, compare, cost, crowd, export, instructions, list, new, output, readme, report, run, schema,
    tools, verify,
};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match &cli.command {
        Command::Instructions(options) => instructions::instructions(&cli.shared, options),
        Command::List(options) => list::list(&cli.shared, options),
        Command::New(options) => new::new(&cli.shared, options),
        Command::Tools(options) => tools::tools(&cli.shared, options),
        Command::Verify(options) => verify::verify(&cli.shared, options),
        Command::Run(options) => run::run(&cli.shared, options),
        Command::Compare(options) => compare::compare_runs(options),
        Command::Export(options) => export::export_run(&cli.shared, options),
        Command::Report(options) => report::report(&cli.shared, options),
        Command::Readme(options) => readme::readme(&cli.shared, options),
        Command::Autobahn(options) => autobahn::autobahn(&cli.shared, options),
        Command::Crowd(options) => crowd::crowd(&cli.shared, options),
        Command::Cost(options) => cost::cost(&cli.shared, options),
        Command::Schema(options) => schema::schema(&cli.shared, options),
    };
    let exit = done.unwrap_or_else(|error| {
        output::error_line(format_args!("error: {error:#}"));
        Exit::Failed
    });
    if let Some(error) = output::lost() {
        output::error_line(format_args!("error: failed to write to standard output: {error}"));
        return Exit::Failed.into();
    }
    exit.into()
}
