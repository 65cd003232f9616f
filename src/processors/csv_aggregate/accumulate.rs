//! From a row to its group.
//!
//! A row is checked as a whole before anything is changed, so a bad row leaves no trace. Checked rows
//! wait in a [`batch`], so that the groups of several rows come from memory at the same time. If a
//! cell overflows in the middle of a row, the table is spilled, and the row goes on at that cell: in a
//! new group, which is merged with the spilled one at the end.

mod align;
mod apply;
mod batch;
mod texts;

use super::checked::Checked;
use super::dictionary::Interned;
use super::failure::Failure;
use super::groups::Groups;
use super::key::{self, Packed};
use super::layout::Kind;
use super::number::{self, Number};
use super::options::Column;
use super::row::Row;
use super::update::Aligned;
use batch::Batch;

/// Why a row is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bad {
    /// It has another number of fields than the header.
    Fields { has: usize, expected: usize },
    /// The column at this index, from 0, is not a number.
    NotNumber(usize),
    /// The column at this index, from 0, is not UTF-8.
    NotUtf8(usize),
}

/// A column that aggregates read.
struct Input {
    number: bool,
    /// The scale of the cells that are computed from it.
    scale: u8,
    value: Aligned,
}

pub(super) struct Accumulator {
    /// The number of group columns.
    columns: usize,
    inputs: Vec<Input>,
    /// The input of each cell. `None` counts rows.
    cells: Vec<(Kind, Option<usize>)>,
    /// The numbers of a row, as they were written.
    numbers: Vec<Number>,
    joined: Vec<u8>,
    /// The rows that are not in their groups yet.
    batch: Batch,
    pub(super) groups: Groups,
}

/// Why a row has no key.
enum Refused {
    /// A dictionary is full.
    Full,
    Bad(Bad),
}

impl Accumulator {
    pub(super) fn new(checked: &Checked, groups: Groups) -> Self {
        let (known, cells) = align::plan(checked);
        let inputs = known.iter().map(|(_, number)| {
            let (number, scale, value) = (*number, 0, Aligned::Empty);
            Input {
                number,
                scale,
                value,
            }
        });
        let inputs: Vec<_> = inputs.collect();
        Self {
            columns: checked.group_by.len(),
            numbers: vec![Number::Empty; inputs.len()],
            batch: Batch::new(inputs.len()),
            inputs,
            cells,
            joined: Vec::new(),
            groups,
        }
    }

    /// The columns of the inputs, in the order in which [`add`](Self::add) wants their indexes.
    pub(super) fn input_columns(checked: &Checked) -> Vec<&Column> {
        let (known, _) = align::plan(checked);
        known.into_iter().map(|(column, _)| column).collect()
    }

    /// Adds a row. `columns` has the indexes of the group columns and then of the inputs.
    #[inline]
    pub(super) fn add(
        &mut self,
        row: &Row<'_>,
        columns: &[usize],
    ) -> Result<Result<(), Bad>, Failure> {
        let (group_columns, input_columns) = columns.split_at(self.columns);
        if let Err(bad) = self.parse(row, input_columns) {
            return Ok(Err(bad));
        }
        self.align()?;
        if !self.groups.texts.is_empty() {
            return self.add_with_texts(row, group_columns, input_columns);
        }
        loop {
            if self.batch.is_empty() {
                self.groups.make_room(batch::ROWS)?;
            }
            match self.key(row, group_columns) {
                Ok(key) => {
                    let values = self.inputs.iter().map(|input| input.value);
                    if self.batch.push(key, values) {
                        self.apply()?;
                    }
                    return Ok(Ok(()));
                }
                Err(Refused::Bad(bad)) => return Ok(Err(bad)),
                Err(Refused::Full) => {
                    self.apply()?;
                    self.groups.relieve()?;
                }
            }
        }
    }

    /// Parses the numbers of a row, and finds its blank cells.
    #[inline]
    fn parse(&mut self, row: &Row<'_>, columns: &[usize]) -> Result<(), Bad> {
        let inputs = self.inputs.iter_mut().zip(&mut self.numbers);
        for ((input, number), column) in inputs.zip(columns) {
            let cell = row.field(*column);
            if input.number {
                *number = number::parse(cell).map_err(|_| Bad::NotNumber(*column))?;
            } else if number::is_blank(cell) {
                input.value = Aligned::Empty;
            } else if std::str::from_utf8(cell).is_err() {
                return Err(Bad::NotUtf8(*column));
            } else {
                input.value = Aligned::Text;
            }
        }
        Ok(())
    }

    /// The packed key of a row. New values are added to the dictionaries.
    #[inline]
    fn key(&mut self, row: &Row<'_>, columns: &[usize]) -> Result<Packed, Refused> {
        let mut packed = [0; 2];
        let groups = &mut self.groups;
        for (index, dictionary) in groups.dictionaries.iter_mut().enumerate() {
            let mut column = columns.get(index).copied().unwrap_or(0);
            let interned = if key::is_joined(index, columns.len()) {
                self.joined.clear();
                for other in columns.iter().skip(index) {
                    column = *other;
                    key::push_text(&mut self.joined, row.field(*other));
                }
                dictionary.intern(&self.joined, &mut groups.budget)
            } else {
                dictionary.intern(row.field(column), &mut groups.budget)
            };
            match interned {
                Interned::Id(id) => key::put(&mut packed, index, id),
                Interned::Full => return Err(Refused::Full),
                Interned::NotUtf8 => return Err(Refused::Bad(Bad::NotUtf8(column))),
            }
        }
        Ok(packed)
    }
}
