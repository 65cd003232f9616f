//! Other programs that a processor starts inside of its bounded process.
//!
//! They inherit the limits of that process ([`self_limits`](super::self_limits)), and are started
//! through this program ([`trampoline`]), which first makes the kernel kill them together with the
//! bounded process. Their input is a file, their output is a temporary file without a name, and
//! what they write to standard error is read for a few known phrases only: it has data of the caller.
//!
//! | Fault | What happens |
//! |---|---|
//! | the program is not installed | `program-missing`, not permanent: another worker may have it |
//! | it exceeds its CPU time, memory or output | the kernel ends it: a permanent failure that names the limit |
//! | it crashes | `crashed`, permanent |
//! | it is killed from outside | `killed`, not permanent |
//! | the bounded process ends, even by `kill -9` | the kernel kills the program (Linux) |

mod end;
mod messages;
mod run;
pub mod trampoline;

pub use end::Finished;
pub use messages::Messages;
pub use run::{Start, run};
