//! Runs of groups with their texts, which need no dictionary.
//!
//! A record has the key bytes without the prefix that it shares with the record before it, and the
//! cells. Neighbours in a sorted run share most of their key, so the records are short.

use std::rc::Rc;

use super::cells;
use super::failure::Failure;
use super::layout::Cell;
use super::merge::{Sink, Source, Stop};
use super::spill::{RunFile, RunReader, RunWriter, Space, push_varint};

/// A run, and how to read it.
pub(super) struct TextRun {
    file: RunFile,
    /// The scales of its cells.
    pub(super) scales: Vec<u8>,
    /// How many times its groups were merged. Runs of one level are merged together.
    pub(super) level: u8,
}

/// A run that is being written.
pub(super) struct TextRunWriter<'a> {
    writer: RunWriter,
    last: Vec<u8>,
    overflow: &'a dyn Fn(&[u8], usize) -> Failure,
}

impl<'a> TextRunWriter<'a> {
    pub(super) fn create(
        space: &Rc<Space>,
        overflow: &'a dyn Fn(&[u8], usize) -> Failure,
    ) -> Result<Self, Failure> {
        let (writer, last) = (RunWriter::create(space)?, Vec::new());
        Ok(Self {
            writer,
            last,
            overflow,
        })
    }

    pub(super) fn finish(self, scales: Vec<u8>, level: u8) -> Result<TextRun, Failure> {
        Ok(TextRun {
            file: self.writer.finish()?,
            scales,
            level,
        })
    }
}

impl Sink<Vec<u8>> for TextRunWriter<'_> {
    fn emit(&mut self, key: &Vec<u8>, cells: &[Cell]) -> Result<(), Failure> {
        let same = self.last.iter().zip(key);
        let shared = same.take_while(|(left, right)| left == right).count();
        let (_, rest) = key.split_at(shared);
        let out = &mut self.writer.buffer;
        push_varint(u128::try_from(shared).unwrap_or(0), out);
        push_varint(u128::try_from(rest.len()).unwrap_or(0), out);
        out.extend_from_slice(rest);
        cells::push(cells, out);
        self.last.truncate(shared);
        self.last.extend_from_slice(rest);
        self.writer.relieve()
    }

    fn overflow(&self, key: &Vec<u8>, index: usize) -> Failure {
        (self.overflow)(key, index)
    }
}

/// Groups of a run.
pub(super) struct TextSource {
    reader: RunReader,
    powers: Vec<u8>,
    /// The key of the last record: the caller may swap its own away.
    key: Vec<u8>,
}

impl TextSource {
    /// Reads a run at the scales of the result.
    pub(super) fn open(run: TextRun, scales: &[u8]) -> Result<Self, Failure> {
        let powers = run.scales.iter().zip(scales);
        let powers = powers.map(|(scale, last)| last - scale).collect();
        Ok(Self {
            reader: RunReader::open(run.file)?,
            powers,
            key: Vec::new(),
        })
    }
}

impl Source for TextSource {
    type Key = Vec<u8>;

    fn next(&mut self, key: &mut Vec<u8>, cells: &mut [Cell]) -> Result<bool, Stop> {
        if self.reader.is_at_end() {
            return Ok(false);
        }
        let shared = usize::try_from(self.reader.read_varint()?).unwrap_or(0);
        let rest = usize::try_from(self.reader.read_varint()?).unwrap_or(0);
        self.key.resize(shared + rest, 0);
        if let Some(rest) = self.key.get_mut(shared..) {
            self.reader.read(rest)?;
        }
        key.clone_from(&self.key);
        cells::read(&mut self.reader, cells)?;
        cells::rescale(cells, &self.powers).map_err(Stop::Overflow)?;
        Ok(true)
    }
}
