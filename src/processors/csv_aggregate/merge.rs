//! Merging sorted sources of groups into one.
//!
//! The sources stand in a heap, ordered by their next key. Equal keys are combined, so every group
//! is emitted once, in order. One record a source is in memory.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use super::cells;
use super::failure::Failure;
use super::layout::{Cell, Kind};

/// Why a group could not be read, combined or emitted.
pub(super) enum Stop {
    /// The cell at this index overflows. The key names the group.
    Overflow(usize),
    Failed(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// Groups in the order of their keys.
pub(super) trait Source {
    type Key: Ord + Clone + Default;

    /// Replaces the key and the cells by those of the next group. Returns false at the end.
    fn next(&mut self, key: &mut Self::Key, cells: &mut [Cell]) -> Result<bool, Stop>;
}

/// What receives the merged groups.
pub(super) trait Sink<K> {
    fn emit(&mut self, key: &K, cells: &[Cell]) -> Result<(), Failure>;

    /// The failure of an overflow in the cell at `index` of this group.
    fn overflow(&self, key: &K, index: usize) -> Failure;
}

/// A source and its next group.
struct Head<S: Source> {
    key: S::Key,
    cells: Vec<Cell>,
    source: S,
}

impl<S: Source> Head<S> {
    fn advance(&mut self, sink: &impl Sink<S::Key>) -> Result<bool, Failure> {
        let next = self.source.next(&mut self.key, &mut self.cells);
        next.map_err(|stop| name(stop, &self.key, sink))
    }
}

impl<S: Source> Ord for Head<S> {
    /// The greatest head of the heap is the one with the least key.
    fn cmp(&self, other: &Self) -> Ordering {
        other.key.cmp(&self.key)
    }
}

impl<S: Source> PartialOrd for Head<S> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<S: Source> PartialEq for Head<S> {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl<S: Source> Eq for Head<S> {}

/// Merges the sources into the sink.
pub(super) fn merge<S: Source>(
    sources: Vec<S>,
    kinds: &[Kind],
    sink: &mut impl Sink<S::Key>,
) -> Result<(), Failure> {
    let mut heap = BinaryHeap::with_capacity(sources.len());
    for source in sources {
        let (key, cells) = (S::Key::default(), cells::empty(kinds));
        let mut head = Box::new(Head { key, cells, source });
        if head.advance(sink)? {
            heap.push(head);
        }
    }
    let mut key = S::Key::default();
    let mut merged = cells::empty(kinds);
    let mut started = false;
    while let Some(mut head) = heap.peek_mut() {
        if started && head.key == key {
            let combined = cells::combine(kinds, &mut merged, &mut head.cells);
            combined.map_err(|index| sink.overflow(&key, index))?;
        } else {
            if started {
                sink.emit(&key, &merged)?;
            }
            started = true;
            key.clone_from(&head.key);
            std::mem::swap(&mut merged, &mut head.cells);
        }
        if !head.advance(sink)? {
            PeekMut::pop(head);
        }
    }
    if started {
        sink.emit(&key, &merged)?;
    }
    Ok(())
}

fn name<K>(stop: Stop, key: &K, sink: &impl Sink<K>) -> Failure {
    match stop {
        Stop::Overflow(index) => sink.overflow(key, index),
        Stop::Failed(failure) => failure,
    }
}
