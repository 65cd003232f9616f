//! Shows the progress of a transfer: a bar on a terminal, otherwise a line now and then.

use std::io::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::size::human;

/// The time between two lines where there is no terminal.
const LINE_INTERVAL: Duration = Duration::from_secs(5);
const WITH_TOTAL: &str = "{msg:30!} {wide_bar} {binary_bytes:>10}/{binary_total_bytes} {binary_bytes_per_sec:>12} {eta:>4}";
const WITHOUT_TOTAL: &str = "{msg:30!} {spinner} {binary_bytes:>10} {binary_bytes_per_sec:>12}";

/// The progress of one transfer. May be updated by several tasks; the display ends when it is
/// dropped.
#[derive(Debug)]
pub struct Transfer {
    done: AtomicU64,
    total: Option<u64>,
    display: Display,
}

#[derive(Debug)]
enum Display {
    Bar(ProgressBar),
    Lines {
        label: String,
        measurement: Mutex<Measurement>,
    },
    Nothing,
}

/// What the transfer rate is computed from.
#[derive(Debug)]
struct Measurement {
    start: Instant,
    start_bytes: u64,
    last_line: Instant,
}

impl Transfer {
    /// Shows the progress as one of several bars.
    pub fn bar(bars: &MultiProgress, label: &str, total: Option<u64>, done: u64) -> Self {
        let bar = match total {
            Some(total) => ProgressBar::new(total),
            None => ProgressBar::no_length(),
        };
        let template = if total.is_some() {
            WITH_TOTAL
        } else {
            WITHOUT_TOTAL
        };
        // An invalid template leaves the bar in the default style.
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
            display: Display::Bar(bar),
        }
    }

    /// Shows the progress as lines, or not at all.
    pub fn lines(label: &str, total: Option<u64>, done: u64, quiet: bool) -> Self {
        let now = Instant::now();
        let display = if quiet {
            Display::Nothing
        } else {
            Display::Lines {
                label: label.to_owned(),
                measurement: Mutex::new(Measurement {
                    start: now,
                    start_bytes: done,
                    last_line: now,
                }),
            }
        };
        Self {
            done: AtomicU64::new(done),
            total,
            display,
        }
    }

    /// Adds bytes that were transferred.
    pub fn advance(&self, bytes: u64) {
        let done = self
            .done
            .fetch_add(bytes, Ordering::Relaxed)
            .saturating_add(bytes);
        self.show(done);
    }

    /// Subtracts bytes that have to be transferred again.
    pub fn rewind(&self, bytes: u64) {
        let done = self
            .done
            .fetch_sub(bytes, Ordering::Relaxed)
            .saturating_sub(bytes);
        self.show(done);
    }

    fn show(&self, done: u64) {
        match &self.display {
            Display::Bar(bar) => bar.set_position(done),
            Display::Lines { label, measurement } => {
                // If another task holds the lock, it is printing a line just now.
                let Ok(mut measurement) = measurement.try_lock() else {
                    return;
                };
                if measurement.last_line.elapsed() >= LINE_INTERVAL {
                    measurement.last_line = Instant::now();
                    let line = self.line(label, &measurement, done);
                    // A progress line that cannot be written is no reason to fail.
                    let _ = writeln!(std::io::stderr().lock(), "{line}");
                }
            }
            Display::Nothing => {}
        }
    }

    fn line(&self, label: &str, measurement: &Measurement, done: u64) -> String {
        let seconds = measurement.start.elapsed().as_secs().max(1);
        let rate = done.saturating_sub(measurement.start_bytes) / seconds;
        let transferred = human(done);
        let Some(total) = self.total else {
            return format!("{label}: {transferred}, {}/s", human(rate));
        };
        let percent = done.saturating_mul(100) / total.max(1);
        let left = total.saturating_sub(done).checked_div(rate);
        let left = left.map_or_else(String::new, |left| format!(", {left} s left"));
        let (total, rate) = (human(total), human(rate));
        format!("{label}: {transferred} of {total} ({percent} %), {rate}/s{left}")
    }
}

impl Drop for Transfer {
    fn drop(&mut self) {
        if let Display::Bar(bar) = &self.display {
            bar.finish_and_clear();
        }
    }
}
