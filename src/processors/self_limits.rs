//! The limits that the bounded process sets for itself before it reads a byte of input.
//!
//! They are limits of the operating system: no bug in a processor can exceed them, and a process
//! that could be made to execute foreign code could not raise them again, because the hard limits
//! are set too.
//!
//! | Limit | Effect when it is reached |
//! |---|---|
//! | address space (`RLIMIT_AS`) | an allocation fails, and the process aborts |
//! | CPU time (`RLIMIT_CPU`) | `SIGXCPU`, a second later `SIGKILL` |
//! | size of a file (`RLIMIT_FSIZE`) | `SIGXFSZ`; it applies to the outputs and to each temporary file |
//! | open files (`RLIMIT_NOFILE`) | opening another file fails |
//! | core dumps (`RLIMIT_CORE`) | none is written: it would have the data of the caller |
//! | end of the parent | `SIGKILL`, on Linux only |
//!
//! Programs that a processor starts inherit all limits, and end with this process, too.
//!
//! Not limited: the number of temporary files times their size, other than by the open files, and
//! reading of files and use of the network, which no processor does.

use std::io;

use rustix::process::{Resource, Rlimit, getppid, setrlimit};

use super::limits::Limits;

/// What the process needs beyond the memory for data, in bytes: buffers, the stack, and what the
/// allocator reserves and cannot use. The test processor can allocate 98 % of its budget with it,
/// from 16 MiB to 1 GiB.
#[cfg(target_os = "linux")]
const HEADROOM_BYTES: u64 = 48 * 1024 * 1024;
/// The address space of the program at its start if the system does not report it, in bytes.
#[cfg(target_os = "linux")]
const UNKNOWN_BASE_BYTES: u64 = 256 * 1024 * 1024;
/// The largest number of open files: the standard streams and temporary files.
const OPEN_FILES: u64 = 256;

/// Sets the limits of this process.
///
/// `parent` is the process id of the process that waits for this one, if one does. This process
/// ends with it.
///
/// # Errors
/// The system refuses a limit, or the parent has ended.
pub fn apply(limits: &Limits, cpu_seconds: u64, parent: Option<u32>) -> io::Result<()> {
    if let Some(parent) = parent {
        end_with(parent)?;
    }
    set(Resource::Core, 0, 0)?;
    set(Resource::Nofile, OPEN_FILES, OPEN_FILES)?;
    set_cpu(cpu_seconds)?;
    let file = limits.output_bytes.max(limits.spill_bytes);
    set(Resource::Fsize, file, file)?;
    #[cfg(target_os = "linux")]
    {
        let base = address_space().unwrap_or(UNKNOWN_BASE_BYTES);
        let all = base
            .saturating_add(limits.memory_bytes)
            .saturating_add(HEADROOM_BYTES);
        set(Resource::As, all, all)?;
    }
    Ok(())
}

/// Limits a process that becomes another program, and has inherited the other limits of its parent.
/// It ends with its parent.
///
/// # Errors
/// The system refuses a limit, or the parent has ended.
pub(super) fn limit_program(cpu_seconds: u64, parent: u32) -> io::Result<()> {
    end_with(parent)?;
    set_cpu(cpu_seconds)
}

/// Limits the CPU time. The soft limit ends the process with a signal that says why, if it is below
/// the hard limit: with both at the same second, the signal would be `SIGKILL`. So it is below the
/// present hard limit, too.
fn set_cpu(seconds: u64) -> io::Result<()> {
    let present = rustix::process::getrlimit(Resource::Cpu).maximum;
    let soft = soft_cpu_limit(seconds, present);
    set(Resource::Cpu, soft, soft.saturating_add(1))
}

fn soft_cpu_limit(seconds: u64, present: Option<u64>) -> u64 {
    let below = present.map_or(u64::MAX, |hard| hard.saturating_sub(1));
    seconds.min(below).max(1)
}

/// Sets a soft and a hard limit, but not above the present hard limit.
fn set(resource: Resource, soft: u64, hard: u64) -> io::Result<()> {
    let present = rustix::process::getrlimit(resource).maximum;
    let within = |limit: u64| Some(present.map_or(limit, |present| present.min(limit)));
    let new = Rlimit {
        current: within(soft),
        maximum: within(hard),
    };
    Ok(setrlimit(resource, new)?)
}

/// Makes the kernel kill this process when its parent ends. On other systems than Linux it notices
/// the end of its parent only by the end of its standard input.
///
/// The parent may have ended before this call; then this process has another parent by now.
fn end_with(parent: u32) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    let present = getppid().map(|pid| pid.as_raw_nonzero().get());
    match present.and_then(|pid| u32::try_from(pid).ok()) == Some(parent) {
        true => Ok(()),
        false => Err(io::Error::other("the parent process has ended")),
    }
}

/// The address space that this process uses now, in bytes: the program, its libraries and its
/// stack. A debug build uses several times as much as a release build.
#[cfg(target_os = "linux")]
fn address_space() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmSize:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn soft_limit_of_cpu_time_is_below_the_inherited_hard_limit() {
        for (seconds, present, soft) in [
            (30, None, 30),
            (30, Some(100), 30),
            (30, Some(31), 30),
            (30, Some(30), 29),
            (30, Some(11), 10),
            // There is no limit below one second.
            (30, Some(1), 1),
        ] {
            assert_eq!(
                soft_cpu_limit(seconds, present),
                soft,
                "{seconds} {present:?}"
            );
        }
    }
}
