//! The commands: each reads its options, and calls the modules in the order of the data's flow.

pub mod autobahn;
pub mod compare;
pub mod cost;
pub mod crowd;
mod eta;
pub mod export;
mod fresh;
mod hostile;
pub mod instructions;
mod keep;
mod kept;
mod lines;
pub mod list;
pub mod new;
pub mod output;
mod prepare;
mod progress;
pub mod readme;
pub mod report;
pub mod run;
pub mod schema;
mod session;
pub mod tools;
pub mod verify;
