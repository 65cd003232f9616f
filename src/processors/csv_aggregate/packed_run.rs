//! Runs of packed groups: the words of a table as they are.
//!
//! Such a run has numbers of the dictionaries and not texts, so it is small and is read and compared
//! fast, but it is of use only while those dictionaries are there. Two runs that were sorted at
//! different times agree on the order of their texts, so they can be merged by the final ranks.

use std::rc::Rc;

use super::dictionary::Dictionary;
use super::failure::Failure;
use super::key;
use super::layout::{Cell, Layout};
use super::merge::{Source, Stop};
use super::rank::Ranks;
use super::spill::{RunFile, RunReader, RunWriter, Space};
use super::table::Table;

/// A run, and how to read it.
pub(super) struct PackedRun {
    file: RunFile,
    layout: Layout,
    /// The scales of the cells when it was written.
    pub(super) scales: Vec<u8>,
}

impl PackedRun {
    /// Writes a table that was sorted by `ranks`.
    pub(super) fn write(
        table: &Table,
        ranks: &[Ranks],
        scales: Vec<u8>,
        space: &Rc<Space>,
    ) -> Result<Self, Failure> {
        let layout = table.layout().clone();
        let mut writer = RunWriter::create(space)?;
        for group in table.sorted() {
            let (words, cells) = group.split_at(layout.key_words);
            let mut numbers = [0; 2];
            let numbers = numbers.get_mut(..layout.key_words).unwrap_or(&mut []);
            numbers.copy_from_slice(words);
            key::to_numbers(numbers, ranks);
            for word in numbers.iter().chain(cells) {
                writer.buffer.extend_from_slice(&word.to_le_bytes());
            }
            writer.relieve()?;
        }
        Ok(Self {
            file: writer.finish()?,
            layout,
            scales,
        })
    }
}

/// What all packed sources of one merge share.
#[derive(Clone, Copy)]
pub(super) struct Shared<'a> {
    pub(super) ranks: &'a [Ranks],
    pub(super) texts: &'a [Dictionary],
    /// The scales of the result.
    pub(super) scales: &'a [u8],
}

/// Groups of a run or of a sorted table.
pub(super) enum PackedSource<'a> {
    Run {
        shared: Shared<'a>,
        layout: Layout,
        powers: Vec<u8>,
        reader: RunReader,
        bytes: Vec<u8>,
        words: Vec<u64>,
    },
    Table {
        shared: Shared<'a>,
        layout: &'a Layout,
        groups: Box<dyn Iterator<Item = &'a [u64]> + 'a>,
    },
}

impl<'a> PackedSource<'a> {
    pub(super) fn of_run(run: PackedRun, shared: Shared<'a>) -> Result<Self, Failure> {
        let scales = run.scales.iter().zip(shared.scales);
        let powers = scales.map(|(scale, last)| last - scale).collect();
        let (bytes, words) = (vec![0; run.layout.stride * 8], vec![0; run.layout.stride]);
        let reader = RunReader::open(run.file)?;
        Ok(Self::Run {
            shared,
            layout: run.layout,
            powers,
            reader,
            bytes,
            words,
        })
    }

    pub(super) fn of_table(table: &'a Table, shared: Shared<'a>) -> Self {
        let groups = Box::new(table.sorted());
        Self::Table {
            shared,
            layout: table.layout(),
            groups,
        }
    }
}

impl Source for PackedSource<'_> {
    /// The ranks, of which the second word is 0 if the layout has one.
    type Key = (u64, u64);

    fn next(&mut self, key: &mut Self::Key, cells: &mut [Cell]) -> Result<bool, Stop> {
        match self {
            Self::Table {
                shared,
                layout,
                groups,
            } => {
                let Some(group) = groups.next() else {
                    return Ok(false);
                };
                *key = key_of(group, layout);
                layout.read(group, shared.texts, cells);
            }
            Self::Run {
                shared,
                layout,
                powers,
                reader,
                bytes,
                words,
            } => {
                if reader.is_at_end() {
                    return Ok(false);
                }
                reader.read(bytes)?;
                for (word, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
                    *word = u64::from_le_bytes(*bytes);
                }
                layout.read(words, shared.texts, cells);
                if let Some(numbers) = words.get_mut(..layout.key_words) {
                    key::to_ranks(numbers, shared.ranks);
                }
                *key = key_of(words, layout);
                super::cells::rescale(cells, powers).map_err(Stop::Overflow)?;
            }
        }
        Ok(true)
    }
}

fn key_of(group: &[u64], layout: &Layout) -> (u64, u64) {
    match (group, layout.key_words) {
        ([first, second, ..], 2) => (*first, *second),
        ([first, ..], _) => (*first, 0),
        _ => (0, 0),
    }
}
