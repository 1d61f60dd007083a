use procfs::process::{Process, all_processes};

/// The processes of a group, by the id of its leader.
#[must_use]
pub fn processes_of_group(leader: i32) -> Vec<i32> {
    let member = |process: &Process| process.stat().is_ok_and(|stat| stat.pgrp == leader);
    let processes = all_processes().into_iter().flatten().flatten();
    processes.filter(member).map(|process| process.pid).collect()
}
