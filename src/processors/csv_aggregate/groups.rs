//! All groups of a job: those in memory, and those in sorted runs.
//!
//! Groups are collected in a table. When the budget is used up, the table is sorted and written as a
//! packed run while the dictionaries stay. When the dictionaries themselves take half of the budget,
//! their packed runs and the table are merged into one run with texts, and both start anew. So the
//! memory is bounded for many groups of few values as well as for many values.

use std::rc::Rc;

use super::budget::Budget;
use super::dictionary::Dictionary;
use super::failure::Failure;
use super::key::{self, Packed};
use super::layout::{Cell, Kind, Layout};
use super::merge::{Sink, merge};
use super::packed_run::{PackedRun, PackedSource, Shared};
use super::rank::Ranks;
use super::spill::Space;
use super::table::Table;
use super::text_run::{TextRun, TextRunWriter, TextSource};

/// The most runs that are merged at once. Each has a buffer of 64 KiB while it is read.
const MAX_RUNS: usize = 48;

pub(super) struct Groups {
    pub(super) budget: Budget,
    /// The first three group columns, and the others together.
    pub(super) dictionaries: Vec<Dictionary>,
    /// The values of each cell of text.
    pub(super) texts: Vec<Dictionary>,
    pub(super) table: Table,
    /// The scale of each cell.
    pub(super) scales: Vec<u8>,
    kinds: Vec<Kind>,
    columns: usize,
    packed_runs: Vec<PackedRun>,
    text_runs: Vec<TextRun>,
    space: Rc<Space>,
    /// The names of the aggregates, for a failure.
    names: Vec<String>,
}

impl Groups {
    pub(super) fn new(columns: usize, kinds: Vec<Kind>, budget: Budget, space: Rc<Space>) -> Self {
        let count = columns.min(key::MAX_DICTIONARIES);
        let layout = Layout::new(count, &kinds, false);
        let texts = kinds.iter().filter(|kind| kind.is_text());
        Self {
            budget,
            dictionaries: (0..count).map(|_| Dictionary::new()).collect(),
            texts: texts.map(|_| Dictionary::new()).collect(),
            table: Table::new(layout, count == 1),
            scales: vec![0; kinds.len()],
            kinds,
            columns,
            packed_runs: Vec::new(),
            text_runs: Vec::new(),
            space,
            names: Vec::new(),
        }
    }

    /// Sets the names of the aggregates, which the error of an overflow contains.
    pub(super) fn set_names(&mut self, names: Vec<String>) {
        self.names = names;
    }

    /// Makes room for groups in the table. Every number that the caller has may be void then.
    #[inline]
    pub(super) fn make_room(&mut self, groups: usize) -> Result<(), Failure> {
        loop {
            let known = self.dictionaries.first().map_or(0, Dictionary::len);
            if self.table.make_room(groups, known, &mut self.budget) {
                return Ok(());
            }
            self.relieve()?;
        }
    }

    /// Makes room by spilling. Every number and place of a group that the caller has is void then.
    #[cold]
    pub(super) fn relieve(&mut self) -> Result<(), Failure> {
        let dictionaries = self.dictionaries.iter().chain(&self.texts);
        let bytes: usize = dictionaries.map(Dictionary::bytes).sum();
        if self.table.is_empty() && bytes == 0 {
            return Err(Failure::MemoryFull {
                limit: self.budget.limit(),
            });
        }
        // A table of one dictionary is as large as it: nothing would be gained by keeping it.
        let keep = self.dictionaries.len() > 1 && bytes <= self.budget.limit() / 2;
        if keep && !self.table.is_empty() && self.packed_runs.len() + 1 < MAX_RUNS {
            return self.spill();
        }
        self.close_texts(self.table.layout().clone())
    }

    /// Spills the table, and keeps the dictionaries.
    #[cold]
    pub(super) fn spill(&mut self) -> Result<(), Failure> {
        if self.table.is_empty() {
            return Err(Failure::MemoryFull {
                limit: self.budget.limit(),
            });
        }
        self.spill_table(self.table.layout().clone())
    }

    /// Goes on with two words a number, because the cell at `index` of a group overflows.
    #[cold]
    pub(super) fn widen_for(&mut self, key: Packed, index: usize) -> Result<(), Failure> {
        if !self.table.layout().wide {
            return self.widen();
        }
        let mut bytes = Vec::new();
        key::to_bytes(&key, &self.dictionaries, self.columns, &mut bytes);
        Err(overflow(&self.names, &bytes, index))
    }

    /// Spills all groups, and goes on with two words a number. The dictionaries stay.
    #[cold]
    pub(super) fn widen(&mut self) -> Result<(), Failure> {
        let wide = Layout::new(self.dictionaries.len(), &self.kinds, true);
        self.spill_table(wide)
    }

    /// Writes the table as a packed run, and starts the next one empty.
    fn spill_table(&mut self, next: Layout) -> Result<(), Failure> {
        if !self.table.is_empty() {
            let ranks = self.ranks();
            self.table.sort(&ranks);
            let scales = self.scales.clone();
            let run = PackedRun::write(&self.table, &ranks, scales, &self.space)?;
            self.packed_runs.push(run);
        }
        let dictionaries = self.dictionaries.iter().chain(&self.texts);
        let dictionaries: usize = dictionaries.map(Dictionary::bytes).sum();
        // The dictionaries may grow by a part of what is left, the table takes the rest.
        self.table.restart(next.clone(), 0, &mut self.budget);
        let spare = (dictionaries / 2 + (64 << 10)).min(self.budget.free() / 2);
        let bytes = self.budget.free() - spare;
        self.table.restart(next, bytes, &mut self.budget);
        Ok(())
    }

    fn ranks(&self) -> Vec<Ranks> {
        self.dictionaries.iter().map(Ranks::new).collect()
    }

    /// Merges all groups that need the dictionaries into the sink, in order.
    fn drain(&mut self, sink: &mut impl Sink<Vec<u8>>) -> Result<(), Failure> {
        let ranks = self.ranks();
        self.table.sort(&ranks);
        let shared = Shared {
            ranks: &ranks,
            texts: &self.texts,
            scales: &self.scales,
        };
        let mut sources = vec![PackedSource::of_table(&self.table, shared)];
        for run in self.packed_runs.drain(..) {
            sources.push(PackedSource::of_run(run, shared)?);
        }
        let (columns, dictionaries) = (self.columns, &self.dictionaries);
        let mut sink = WithTexts {
            sink,
            ranks: &ranks,
            dictionaries,
            columns,
            key: Vec::new(),
        };
        merge(sources, &self.kinds, &mut sink)
    }

    /// Writes all groups that need the dictionaries as a run with texts, and empties both.
    fn close_texts(&mut self, next: Layout) -> Result<(), Failure> {
        let names = self.names.clone();
        let overflow = |key: &[u8], index| overflow(&names, key, index);
        let mut writer = TextRunWriter::create(&self.space, &overflow)?;
        self.drain(&mut writer)?;
        self.text_runs.push(writer.finish(self.scales.clone(), 0)?);
        self.table.restart(next, 0, &mut self.budget);
        for dictionary in self.dictionaries.iter_mut().chain(&mut self.texts) {
            dictionary.reset(&mut self.budget);
        }
        self.merge_levels(&overflow)
    }

    /// Merges the runs of the last level, if there are as many as can be merged.
    fn merge_levels(&mut self, overflow: &dyn Fn(&[u8], usize) -> Failure) -> Result<(), Failure> {
        while let Some(level) = self.text_runs.last().map(|run| run.level) {
            let before = self
                .text_runs
                .iter()
                .take_while(|run| run.level > level)
                .count();
            if self.text_runs.len() - before < MAX_RUNS {
                return Ok(());
            }
            let runs = self.text_runs.split_off(before);
            let mut writer = TextRunWriter::create(&self.space, overflow)?;
            merge(open(runs, &self.scales)?, &self.kinds, &mut writer)?;
            let run = writer.finish(self.scales.clone(), level.saturating_add(1))?;
            self.text_runs.push(run);
        }
        Ok(())
    }

    /// Merges all groups into the sink, in order.
    pub(super) fn finish(mut self, sink: &mut impl Sink<Vec<u8>>) -> Result<(), Failure> {
        if self.text_runs.is_empty() {
            return self.drain(sink);
        }
        self.close_texts(self.table.layout().clone())?;
        let runs = std::mem::take(&mut self.text_runs);
        merge(open(runs, &self.scales)?, &self.kinds, sink)
    }
}

/// The failure of an overflow in the cell at `index` of the group.
pub(super) fn overflow(names: &[String], key: &[u8], index: usize) -> Failure {
    let aggregate = names.get(index).cloned().unwrap_or_default();
    Failure::Overflow {
        aggregate,
        group: key::show(key),
    }
}

fn open(runs: Vec<TextRun>, scales: &[u8]) -> Result<Vec<TextSource>, Failure> {
    runs.into_iter()
        .map(|run| TextSource::open(run, scales))
        .collect()
}

/// A sink of packed ranks that passes key bytes on.
struct WithTexts<'a, S> {
    sink: &'a mut S,
    ranks: &'a [Ranks],
    dictionaries: &'a [Dictionary],
    columns: usize,
    key: Vec<u8>,
}

impl<S: Sink<Vec<u8>>> Sink<(u64, u64)> for WithTexts<'_, S> {
    fn emit(&mut self, key: &(u64, u64), cells: &[Cell]) -> Result<(), Failure> {
        let mut words = [key.0, key.1];
        key::to_numbers(&mut words, self.ranks);
        key::to_bytes(&words, self.dictionaries, self.columns, &mut self.key);
        self.sink.emit(&self.key, cells)
    }

    fn overflow(&self, key: &(u64, u64), index: usize) -> Failure {
        let (mut words, mut bytes) = ([key.0, key.1], Vec::new());
        key::to_numbers(&mut words, self.ranks);
        key::to_bytes(&words, self.dictionaries, self.columns, &mut bytes);
        self.sink.overflow(&bytes, index)
    }
}
