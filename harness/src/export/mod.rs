//! A run in the forms that other tools read.

mod benchmark;
mod hgrm;
mod trials;

use anyhow::Result;
use clap::ValueEnum;

use crate::names::slug;
use crate::results::Run;

/// A form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A file a cell: HdrHistogram's percentile distribution of the latencies, in ms, of all rounds that count.
    Hgrm,
    /// A row a trial, a column a figure (RFC 4180).
    Csv,
    /// Medians as github-action-benchmark takes them, a file for `customSmallerIsBetter` and one for
    /// `customBiggerIsBetter`.
    BenchmarkJson,
}

/// A file to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// Its name.
    pub file: String,
    /// What is in it.
    pub text: String,
}

/// A run in a form.
///
/// # Errors
/// It cannot be written in that form.
pub fn export(run: &Run, format: Format) -> Result<Vec<Export>> {
    match format {
        Format::Hgrm => Ok(hgrm::distributions(run)),
        Format::Csv => {
            Ok(vec![Export { file: format!("{}.csv", slug(&run.header.name)), text: trials::table(run)? }])
        }
        Format::BenchmarkJson => benchmark::medians(run),
    }
}
