//! Checks options: every fault that can be seen without an input, by the field that has it.

use std::collections::HashSet;

use super::checked::{Checked, CheckedAggregate, OutputName};
use super::layout::Kind;
use super::options::{
    Aggregate, Column, Function, MAX_AGGREGATES, MAX_GROUP_COLUMNS, OptionFault, Options, ValueType,
};
use super::row::MAX_COLUMNS;

impl Options {
    /// Checks what can be checked without an input.
    pub fn check(&self) -> Result<Checked, Vec<OptionFault>> {
        let mut faults = Faults::default();
        faults.count("group_by", self.group_by.len(), MAX_GROUP_COLUMNS);
        faults.count("aggregates", self.aggregates.len(), MAX_AGGREGATES);
        let mut seen = HashSet::new();
        for (index, column) in self.group_by.iter().enumerate() {
            let field = format!("group_by[{index}]");
            if !seen.insert(column) {
                faults.add(&field, "the column is in the list twice");
            }
            faults.column(&field, column, self.header);
        }
        let mut names = HashSet::new();
        let aggregates = self.aggregates.iter().enumerate();
        let aggregates = aggregates
            .map(|(index, aggregate)| {
                let field = format!("aggregates[{index}]");
                let checked = aggregate.check(&field, self.header, &mut faults);
                if !names.insert((checked.kind, &aggregate.column, &aggregate.name)) {
                    faults.add(&field, "the aggregate is in the list twice");
                }
                checked
            })
            .collect();
        let delimiter = self.check_delimiter(&mut faults);
        if !faults.0.is_empty() {
            return Err(faults.0);
        }
        Ok(Checked {
            group_by: self.group_by.clone(),
            aggregates,
            header: self.header,
            delimiter,
            encoding: self.encoding,
            compression: self.compression,
            max_bad: (self.max_bad_rows, self.max_bad_bytes),
        })
    }

    fn check_delimiter(&self, faults: &mut Faults) -> Option<u8> {
        match self.delimiter.as_bytes() {
            b"auto" => return None,
            [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n' | 0) => {
                return Some(*byte);
            }
            _ => {}
        }
        let detail = "must be `auto` or one ASCII character that is no quote, line end or NUL";
        faults.add("delimiter", detail);
        None
    }
}

impl Aggregate {
    fn check(&self, field: &str, header: bool, faults: &mut Faults) -> CheckedAggregate {
        match &self.column {
            Some(column) => faults.column(&format!("{field}.column"), column, header),
            None if self.function == Function::Count => {}
            None => faults.add(&format!("{field}.column"), "only count may leave it out"),
        }
        let extreme = matches!(self.function, Function::Min | Function::Max);
        if self.value_type.is_some() && !extreme {
            faults.add(&format!("{field}.type"), "only min and max have a type");
        }
        if let Some(name) = &self.name {
            faults.text(&format!("{field}.name"), name);
        }
        let text = self.value_type == Some(ValueType::Text);
        CheckedAggregate {
            kind: match (self.function, text) {
                (Function::Count, _) => Kind::Count,
                (Function::Sum, _) => Kind::Sum,
                (Function::Min, false) => Kind::Min,
                (Function::Max, false) => Kind::Max,
                (Function::Min, true) => Kind::MinText,
                (Function::Max, true) => Kind::MaxText,
            },
            column: self.column.clone(),
            name: match &self.name {
                Some(name) => OutputName::Given(name.clone()),
                None => OutputName::OfFunction,
            },
        }
    }
}

/// The faults that were found so far.
#[derive(Default)]
struct Faults(Vec<OptionFault>);

impl Faults {
    fn add(&mut self, field: &str, detail: impl Into<String>) {
        let (field, detail) = (field.to_owned(), detail.into());
        self.0.push(OptionFault { field, detail });
    }

    fn count(&mut self, field: &str, count: usize, max: usize) {
        if count == 0 || count > max {
            self.add(field, format!("must have 1 to {max} entries, not {count}"));
        }
    }

    fn column(&mut self, field: &str, column: &Column, header: bool) {
        match column {
            Column::Position(1..=MAX_COLUMNS) => {}
            Column::Position(_) => self.add(field, format!("must be 1 to {MAX_COLUMNS}")),
            Column::Name(_) if !header => {
                self.add(field, "without a header a column has only a position");
            }
            Column::Name(name) => self.text(field, name),
        }
    }

    fn text(&mut self, field: &str, text: &str) {
        if text.is_empty() || text.len() > 1024 {
            self.add(field, "must have 1 to 1024 bytes");
        }
    }
}
