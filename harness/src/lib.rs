//! The harness: from a profile to a table.
//!
//! Data flows one way: [`plan`] makes cells and their order, [`trial`] measures one of them on a
//! [`contender`] with a [`tool`] on this [`machine`], [`results`] keep every trial, [`stats`], [`report`], [`page`],
//! [`compare`], [`export`] and [`guide`] read them. The statistics know nothing of processes, the reports nothing of the trials' making.

pub mod autobahn;
pub mod cli;
pub mod command;
pub mod compare;
pub mod contender;
pub mod cost;
pub mod crowd;
pub mod export;
pub mod guide;
pub mod machine;
pub mod names;
pub mod page;
pub mod plan;
pub mod report;
pub mod results;
pub mod root;
pub mod rounds;
pub mod stats;
pub mod tool;
pub mod trial;
