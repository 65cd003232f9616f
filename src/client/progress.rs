//! How far a transfer is: a bar on a terminal, a line now and then elsewhere.

use std::io::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::size::human;

/// Between two lines where there is no terminal.
const EVERY: Duration = Duration::from_secs(5);
const KNOWN: &str = "{msg:30!} {wide_bar} {binary_bytes:>10}/{binary_total_bytes} {binary_bytes_per_sec:>12} {eta:>4}";
const OPEN: &str = "{msg:30!} {spinner} {binary_bytes:>10} {binary_bytes_per_sec:>12}";

/// One transfer. May be told of from several tasks at once; what it shows ends when it is dropped.
#[derive(Debug)]
pub struct Transfer {
    done: AtomicU64,
    total: Option<u64>,
    shown: Shown,
}

#[derive(Debug)]
enum Shown {
    Bar(ProgressBar),
    Lines { label: String, pace: Mutex<Pace> },
    Nothing,
}

/// Since when, and how much there was then.
#[derive(Debug)]
struct Pace {
    begun: Instant,
    begun_at: u64,
    last: Instant,
}

impl Transfer {
    /// A bar among others.
    pub fn bar(bars: &MultiProgress, label: &str, total: Option<u64>, done: u64) -> Self {
        let bar = match total {
            Some(total) => ProgressBar::new(total),
            None => ProgressBar::no_length(),
        };
        let template = if total.is_some() { KNOWN } else { OPEN };
        // A template that does not parse is a bar in the default style.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        let bar = bars.add(bar);
        bar.set_message(label.to_owned());
        bar.set_position(done);
        bar.reset_eta();
        Self {
            done: AtomicU64::new(done),
            total,
            shown: Shown::Bar(bar),
        }
    }

    /// Lines, or nothing at all.
    pub fn lines(label: &str, total: Option<u64>, done: u64, quiet: bool) -> Self {
        let now = Instant::now();
        let shown = if quiet {
            Shown::Nothing
        } else {
            Shown::Lines {
                label: label.to_owned(),
                pace: Mutex::new(Pace {
                    begun: now,
                    begun_at: done,
                    last: now,
                }),
            }
        };
        Self {
            done: AtomicU64::new(done),
            total,
            shown,
        }
    }

    /// So many bytes more are there.
    pub fn advance(&self, bytes: u64) {
        let done = self
            .done
            .fetch_add(bytes, Ordering::Relaxed)
            .saturating_add(bytes);
        self.show(done);
    }

    /// So many bytes are not there after all: they have to be sent again.
    pub fn retreat(&self, bytes: u64) {
        let done = self
            .done
            .fetch_sub(bytes, Ordering::Relaxed)
            .saturating_sub(bytes);
        self.show(done);
    }

    fn show(&self, done: u64) {
        match &self.shown {
            Shown::Bar(bar) => bar.set_position(done),
            Shown::Lines { label, pace } => {
                // Whoever cannot have the lock need not say what another one is saying.
                let Ok(mut pace) = pace.try_lock() else {
                    return;
                };
                if pace.last.elapsed() >= EVERY {
                    pace.last = Instant::now();
                    let line = self.line(label, &pace, done);
                    // Progress that cannot be written stops nothing.
                    let _ = writeln!(std::io::stderr().lock(), "{line}");
                }
            }
            Shown::Nothing => {}
        }
    }

    fn line(&self, label: &str, pace: &Pace, done: u64) -> String {
        let seconds = pace.begun.elapsed().as_secs().max(1);
        let rate = done.saturating_sub(pace.begun_at) / seconds;
        let so_far = human(done);
        let Some(total) = self.total else {
            return format!("{label}: {so_far}, {}/s", human(rate));
        };
        let percent = done.saturating_mul(100) / total.max(1);
        let left = total.saturating_sub(done).checked_div(rate);
        let left = left.map_or_else(String::new, |left| format!(", {left} s left"));
        let (total, rate) = (human(total), human(rate));
        format!("{label}: {so_far} of {total} ({percent} %), {rate}/s{left}")
    }
}

impl Drop for Transfer {
    fn drop(&mut self) {
        if let Shown::Bar(bar) = &self.shown {
            bar.finish_and_clear();
        }
    }
}
