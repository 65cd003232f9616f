//! Where this program is.

use std::io;
use std::path::PathBuf;

/// The file of this program; on Linux the one that this process was started from, even if an
/// upgrade has replaced it meanwhile.
///
/// # Errors
/// The system does not say where the program is.
pub(super) fn this_program() -> io::Result<PathBuf> {
    match cfg!(target_os = "linux") {
        true => Ok(PathBuf::from("/proc/self/exe")),
        false => std::env::current_exe(),
    }
}
