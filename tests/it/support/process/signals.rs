//! Sends signals to processes and checks whether they exist, without the programs `kill` and `ps`.

use std::path::Path;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

/// Sends a signal to a process.
pub fn signal(name: &str, id: u32) {
    let signal = match name {
        "HUP" => Signal::HUP,
        "INT" => Signal::INT,
        "KILL" => Signal::KILL,
        "TERM" => Signal::TERM,
        "STOP" => Signal::STOP,
        "CONT" => Signal::CONT,
        other => panic!("unknown signal {other}"),
    };
    let sent = kill_process(pid(id), signal);
    sent.unwrap_or_else(|error| panic!("process {id}: {error}"));
}

/// Returns whether a process is running. A process that has ended and was not reaped does not count.
pub fn is_running(id: u32) -> bool {
    if test_kill_process(pid(id)).is_err() {
        return false;
    }
    // The format is "pid (name) state …", see proc(5). On a system without this file, a process that can be
    // signalled counts as running.
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat"));
    stat.map_or(!Path::new("/proc/self/stat").exists(), |stat| {
        let state = stat.rsplit_once(") ").map(|(_, rest)| rest);
        !state.is_some_and(|rest| rest.starts_with('Z'))
    })
}

fn pid(id: u32) -> Pid {
    let id = i32::try_from(id).ok().and_then(Pid::from_raw);
    id.expect("a process id")
}
