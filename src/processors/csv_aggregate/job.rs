//! Reading all inputs of a job into its groups.

use std::io::{Read, Write};
use std::rc::Rc;

use super::accumulate::{Accumulator, Bad};
use super::bad_sample::BadSample;
use super::budget::Budget;
use super::checked::Checked;
use super::decode::{self, Status};
use super::detect;
use super::failure::Failure;
use super::groups::Groups;
use super::header;
use super::limits::Limits;
use super::options::Column;
use super::records::{Fault, Records, Step};
use super::report::{BadRows, Formats, Report, excerpt};
use super::spill::Space;
use super::write::CsvWriter;

pub(super) struct Job<'a> {
    checked: &'a Checked,
    /// The group columns, and the columns of the inputs of the aggregates.
    columns: Vec<&'a Column>,
    accumulator: Accumulator,
    /// The header of the output, once it is known.
    output_header: Option<Vec<String>>,
    space: Rc<Space>,
    status: Rc<Status>,
    formats: Formats,
    bad: BadRows,
    inputs: u64,
    rows: u64,
}

impl<'a> Job<'a> {
    /// `budget` is in bytes: see [`Limits::budget`].
    pub(super) fn new(checked: &'a Checked, limits: &Limits, budget: usize) -> Self {
        let space = Space::new(limits.spill_folder.clone(), limits.spill_bytes);
        let kinds = checked
            .aggregates
            .iter()
            .map(|aggregate| aggregate.kind)
            .collect();
        let budget = Budget::new(budget);
        let groups = Groups::new(checked.group_by.len(), kinds, budget, Rc::clone(&space));
        let inputs = Accumulator::input_columns(checked);
        Self {
            checked,
            columns: checked.group_by.iter().chain(inputs).collect(),
            accumulator: Accumulator::new(checked, groups),
            output_header: None,
            space,
            status: Status::new(limits.decoded_bytes, limits.window_log()),
            formats: Formats::default(),
            bad: BadRows::default(),
            inputs: 0,
            rows: 0,
        }
    }

    /// Reads an input to its end.
    pub(super) fn read(&mut self, input: Box<dyn Read>) -> Result<(), Failure> {
        self.inputs += 1;
        let number = self.inputs;
        let forms = (self.checked.compression, self.checked.encoding);
        let decoded = decode::decode(number, input, forms, &self.status)?;
        let delimiter = self.checked.delimiter.unwrap_or_else(|| {
            let names = self.columns.iter().filter_map(|column| match column {
                Column::Name(name) => Some(name.as_str()),
                Column::Position(_) => None,
            });
            detect::delimiter(&decoded.sample, &names.collect::<Vec<_>>())
        });
        let compression = decoded.compression;
        self.formats.add(
            decode::name(compression),
            decoded.encoding.name(),
            delimiter,
        );
        let status = Rc::clone(&self.status);
        let records = Records::new(decoded.text, delimiter);
        let fail = move |fault, line| match fault {
            Fault::Io(error) => status.failure(number, compression, error),
            Fault::OversizedQuoted => Failure::OversizedQuotedRecord {
                input: number,
                line,
            },
        };
        self.read_records(records, &fail)
    }

    fn read_records(
        &mut self,
        mut records: Records<Box<dyn Read>>,
        fail: &dyn Fn(Fault, u64) -> Failure,
    ) -> Result<(), Failure> {
        // The columns and the number of fields, from the first row on.
        let mut shape: Option<(Vec<usize>, usize)> = None;
        loop {
            let step = match records.advance() {
                Ok(step) => step,
                Err(fault) => return Err(fail(fault, records.line())),
            };
            let reason = match step {
                Step::End => break,
                Step::Row => {
                    let row = records.row();
                    let (columns, fields) = match &mut shape {
                        Some(shape) => shape,
                        None => {
                            let header = self.checked.header;
                            let columns =
                                header::resolve(&self.columns, &row, header, self.inputs)?;
                            let shape = shape.insert((columns, row.len()));
                            self.name_columns(header.then_some(&row));
                            if header {
                                continue;
                            }
                            shape
                        }
                    };
                    if row.len() == *fields {
                        match self.accumulator.add(&row, columns)? {
                            Ok(()) => {
                                self.rows += 1;
                                continue;
                            }
                            Err(bad) => describe(bad),
                        }
                    } else {
                        describe(Bad::Fields {
                            has: row.len(),
                            expected: *fields,
                        })
                    }
                }
                Step::Oversized => "it is longer than 1 MiB".to_owned(),
                Step::Unclosed => "a quote is not closed".to_owned(),
            };
            self.drop_row(&records, step, reason)?;
        }
        if shape.is_none() && self.checked.header {
            return Err(Failure::EmptyInput { input: self.inputs });
        }
        Ok(())
    }

    #[cold]
    fn drop_row(
        &mut self,
        records: &Records<Box<dyn Read>>,
        step: Step,
        reason: String,
    ) -> Result<(), Failure> {
        let (raw, bytes) = match step {
            Step::Oversized => (records.oversized.0.as_slice(), records.oversized.1),
            _ => (
                records.raw(),
                u64::try_from(records.raw().len()).unwrap_or(u64::MAX),
            ),
        };
        let (input, line) = (self.inputs, records.line());
        let sample = || BadSample {
            input,
            line,
            reason,
            excerpt: excerpt(raw),
        };
        self.bad.add(sample, bytes, self.checked.max_bad)
    }

    /// Names the columns of the output by the first input.
    fn name_columns(&mut self, row: Option<&super::row::Row<'_>>) {
        if self.output_header.is_none() {
            let names = header::names(self.checked, row);
            let output_header = self.checked.output_header(&names);
            let aggregates = output_header.iter().skip(self.checked.group_by.len());
            self.accumulator
                .groups
                .set_names(aggregates.cloned().collect());
            self.output_header = Some(output_header);
        }
    }

    /// Writes all groups.
    pub(super) fn finish(mut self, output: impl Write) -> Result<Report, Failure> {
        self.name_columns(None);
        self.accumulator.apply()?;
        let groups = self.accumulator.groups;
        let header = self.output_header.unwrap_or_default();
        let mut writer = CsvWriter::new(output, &header, groups.scales.clone());
        groups.finish(&mut writer)?;
        writer.finish()?;
        let (spilled_runs, spilled_bytes) = self.space.totals();
        Ok(Report {
            inputs: self.inputs,
            rows: self.rows,
            groups: writer.groups,
            bad_rows: self.bad,
            raw_bytes: self.status.raw.get(),
            decoded_bytes: self.status.decoded.get(),
            output_bytes: writer.bytes,
            formats: self.formats.into_list(),
            spilled_runs,
            spilled_bytes,
        })
    }
}

fn describe(bad: Bad) -> String {
    match bad {
        Bad::Fields { has, expected } => format!("it has {has} fields instead of {expected}"),
        Bad::NotNumber(index) => format!("column {} is not a number", index + 1),
        Bad::NotUtf8(index) => format!("column {} is not UTF-8", index + 1),
    }
}
