//! From a row to its group.
//!
//! A row is checked as a whole before anything is changed, so a bad row leaves no trace. If the
//! table is full in the middle of a row, it is spilled, and the row goes on at the cell at which it
//! stopped: in a new group, which is merged with the spilled one at the end.

mod align;

use super::checked::Checked;
use super::dictionary::Interned;
use super::failure::Failure;
use super::groups::Groups;
use super::key::{self, Packed};
use super::layout::Kind;
use super::number::{self, Number};
use super::options::Column;
use super::row::Row;
use super::update::{self, Aligned, Overflow};

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
    pub(super) groups: Groups,
}

/// What stopped a row.
enum Stop {
    /// No memory is left.
    Full,
    /// The cell at this index overflows.
    Overflow(usize),
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
        let mut from = 0;
        loop {
            let stop = match self.update(row, group_columns, input_columns, &mut from) {
                Ok(()) => return Ok(Ok(())),
                Err(stop) => stop,
            };
            match stop {
                Stop::Bad(bad) => return Ok(Err(bad)),
                Stop::Full => self.groups.relieve()?,
                Stop::Overflow(index) if self.groups.table.layout().wide => {
                    let mut key = Vec::new();
                    for column in group_columns {
                        key::push_text(&mut key, row.field(*column));
                    }
                    return Err(self.groups.overflow(&key, index));
                }
                Stop::Overflow(_) => self.groups.widen()?,
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

    /// Updates the cells from `from` on. It is then the cell at which the update stopped.
    #[inline]
    fn update(
        &mut self,
        row: &Row<'_>,
        group_columns: &[usize],
        input_columns: &[usize],
        from: &mut usize,
    ) -> Result<(), Stop> {
        let key = self.key(row, group_columns)?;
        let groups = &mut self.groups;
        let at = groups
            .table
            .locate(key, &mut groups.budget)
            .ok_or(Stop::Full)?;
        let mut texts = groups.texts.iter_mut();
        for (cell, (kind, input)) in self.cells.iter().enumerate() {
            let text = if kind.is_text() { texts.next() } else { None };
            if cell < *from {
                continue;
            }
            *from = cell;
            let value = input
                .and_then(|input| self.inputs.get(input))
                .map(|input| input.value);
            let wide = groups.table.layout().wide;
            let place = groups
                .table
                .layout()
                .cells
                .get(cell)
                .copied()
                .unwrap_or((*kind, 0));
            let group = groups.table.group(at);
            match (text, input) {
                (Some(text), Some(input)) if matches!(value, Some(Aligned::Text)) => {
                    let column = input_columns.get(*input).copied().unwrap_or(0);
                    let field = row.field(column);
                    let id = u32::try_from(super::layout::get(group, place.1)).unwrap_or(0);
                    let current = text.text(id);
                    let least = *kind == Kind::MinText;
                    if id == 0
                        || if least {
                            field < current
                        } else {
                            field > current
                        }
                    {
                        match text.intern(field, &mut groups.budget) {
                            Interned::Id(id) => super::layout::set(group, place.1, u64::from(id)),
                            Interned::Full => return Err(Stop::Full),
                            Interned::NotUtf8 => return Err(Stop::Bad(Bad::NotUtf8(column))),
                        }
                    }
                }
                (Some(_), _) => {}
                (None, _) => update::update(group, place, wide, value.unwrap_or(Aligned::Text))
                    .map_err(|Overflow| Stop::Overflow(cell))?,
            }
        }
        Ok(())
    }

    /// The packed key of a row. New values are added to the dictionaries.
    #[inline]
    fn key(&mut self, row: &Row<'_>, columns: &[usize]) -> Result<Packed, Stop> {
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
                Interned::Full => return Err(Stop::Full),
                Interned::NotUtf8 => return Err(Stop::Bad(Bad::NotUtf8(column))),
            }
        }
        Ok(packed)
    }
}
