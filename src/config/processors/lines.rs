//! The lines of a text.

use std::ops::Range;

/// Converts positions in a text to numbers of lines.
pub(super) struct Lines {
    /// The positions of the line breaks, ascending.
    breaks: Vec<usize>,
}

impl Lines {
    pub(super) fn of(text: &str) -> Self {
        let breaks = text.match_indices('\n').map(|(at, _)| at).collect();
        Self { breaks }
    }

    /// The line on which the span begins, starting at 1.
    pub(super) fn line(&self, span: &Range<usize>) -> usize {
        let before = self.breaks.partition_point(|at| *at < span.start);
        before.saturating_add(1)
    }
}
