//! Options without faults, and the options that merge their partial outputs.

use super::layout::Kind;
use super::options::{Column, Compression, Encoding};

/// Options that were checked. [`aggregate`](super::aggregate) takes nothing else.
#[derive(Clone, Debug)]
pub struct Checked {
    pub(super) group_by: Vec<Column>,
    pub(super) aggregates: Vec<CheckedAggregate>,
    pub(super) header: bool,
    /// `None` if it is detected.
    pub(super) delimiter: Option<u8>,
    pub(super) encoding: Encoding,
    pub(super) compression: Compression,
    /// The most bad rows, and their most bytes.
    pub(super) max_bad: (u64, u64),
}

/// An aggregate that was checked.
#[derive(Clone, Debug)]
pub(super) struct CheckedAggregate {
    pub(super) kind: Kind,
    pub(super) column: Option<Column>,
    pub(super) name: OutputName,
}

/// Where the name of an output column comes from.
#[derive(Clone, Debug)]
pub(super) enum OutputName {
    /// From the options.
    Given(String),
    /// From the function and the column: `sum(Number of Plays)`.
    OfFunction,
    /// From the column, as it is.
    OfColumn,
}

impl Checked {
    /// The options that aggregate outputs of these options, so that the result is byte for byte the
    /// output over all their inputs at once.
    ///
    /// The partial outputs must come in the order of their inputs if a group column is a position,
    /// because the first input then names it.
    #[must_use]
    pub fn for_merge(&self) -> Self {
        let columns = 1..=self.group_by.len();
        let first = self.group_by.len() + 1;
        let aggregates = self.aggregates.iter().zip(first..);
        Self {
            group_by: columns.map(Column::Position).collect(),
            aggregates: aggregates
                .map(|(aggregate, position)| CheckedAggregate {
                    kind: match aggregate.kind {
                        Kind::Count => Kind::Sum,
                        kind => kind,
                    },
                    column: Some(Column::Position(position)),
                    name: OutputName::OfColumn,
                })
                .collect(),
            header: true,
            delimiter: Some(b','),
            encoding: Encoding::Utf8,
            compression: Compression::Auto,
            // Every row of a partial output counts: a bad one means that the output is damaged.
            max_bad: (0, 0),
        }
    }

    /// The header of the output. `columns` has the names of the group columns, then those of the
    /// columns of the aggregates that have one.
    pub(super) fn output_header(&self, columns: &[String]) -> Vec<String> {
        let (groups, mut rest) = columns.split_at(self.group_by.len().min(columns.len()));
        let mut header = groups.to_vec();
        for aggregate in &self.aggregates {
            let column = aggregate.column.as_ref().and_then(|_| {
                let (name, others) = rest.split_first()?;
                rest = others;
                Some(name.as_str())
            });
            header.push(match (&aggregate.name, column) {
                (OutputName::Given(name), _) => name.clone(),
                (OutputName::OfColumn, Some(name)) => name.to_owned(),
                (_, Some(name)) => format!("{}({name})", aggregate.kind.name()),
                (_, None) => aggregate.kind.name().to_owned(),
            });
        }
        header
    }

    /// The columns of the options: first the group columns, then those of the aggregates.
    pub(super) fn columns(&self) -> impl Iterator<Item = &Column> {
        let aggregates = self.aggregates.iter();
        let of_aggregates = aggregates.filter_map(|aggregate| aggregate.column.as_ref());
        self.group_by.iter().chain(of_aggregates)
    }
}

#[cfg(test)]
mod tests;
