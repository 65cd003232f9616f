//! `csv-aggregate` as a processor: options in JSON, and failures in the form of all processors.

use std::io::Read;

use serde_json::Value;

use super::csv_aggregate::{self, Checked, Options};
use super::inputs::{Input, Inputs};
use super::limits::Limits;
use super::outputs::Outputs;
use super::parse_options::{invalid_options, parse};
use super::processor::{Failure, OptionFault, Processor, Source};
use super::result_type::ResultType;

/// The most bytes of all inputs after decompression: a bound for files that decompress to far more
/// than anything that is uploaded.
const MAX_DECODED_BYTES: u64 = 1 << 40;

/// The processor `csv-aggregate`.
pub(super) const CSV_AGGREGATE: Processor = Processor {
    name: "csv-aggregate",
    source: Source::Dataset,
    results: &[AGGREGATE],
    check_options: faults_of,
    run,
};

/// The processor `csv-merge`, which makes one result of those of many datasets.
pub(super) const CSV_MERGE: Processor = Processor {
    name: "csv-merge",
    source: Source::ResultsOf(CSV_AGGREGATE.name),
    results: &[AGGREGATE],
    check_options: faults_of_merge,
    run: merge,
};

const AGGREGATE: ResultType = ResultType {
    kind: "aggregate",
    extension: "csv",
    content_type: "text/csv",
};

fn faults_of(options: &Value) -> Vec<OptionFault> {
    parse_and_check(options).err().unwrap_or_default()
}

/// The options of a merge are in the plan, and are checked when it runs.
fn faults_of_merge(options: &Value) -> Vec<OptionFault> {
    match options.as_object().is_some_and(serde_json::Map::is_empty) {
        true => Vec::new(),
        false => vec![OptionFault::new(
            "",
            "must be left out: the options are in the plan",
        )],
    }
}

fn parse_and_check(options: &Value) -> Result<Checked, Vec<OptionFault>> {
    let options: Options = parse(options)?;
    options.check().map_err(|faults| {
        let faults = faults.into_iter();
        faults
            .map(|fault| OptionFault::new(fault.field, fault.detail))
            .collect()
    })
}

fn run(
    options: &Value,
    inputs: Inputs,
    outputs: &mut Outputs<'_>,
    limits: &Limits,
) -> Result<Value, Failure> {
    aggregate(&checked(options)?, inputs, outputs, limits)
}

fn merge(
    options: &Value,
    inputs: Inputs,
    outputs: &mut Outputs<'_>,
    limits: &Limits,
) -> Result<Value, Failure> {
    aggregate(&checked(options)?.for_merge(), inputs, outputs, limits)
}

fn checked(options: &Value) -> Result<Checked, Failure> {
    parse_and_check(options).map_err(|faults| invalid_options(&faults))
}

fn aggregate(
    checked: &Checked,
    inputs: Inputs,
    outputs: &mut Outputs<'_>,
    limits: &Limits,
) -> Result<Value, Failure> {
    let limits = csv_aggregate::Limits {
        memory_bytes: usize::try_from(limits.memory_bytes).unwrap_or(usize::MAX),
        spill_folder: limits.scratch.clone(),
        spill_bytes: limits.spill_bytes,
        decoded_bytes: MAX_DECODED_BYTES,
    };
    let inputs = inputs.map(|input| input.map(boxed));
    let started = outputs.start(&AGGREGATE, None);
    started.map_err(|error| Failure::temporary("output", error.to_string()))?;
    let report = csv_aggregate::aggregate(checked, &limits, inputs, outputs);
    let report = report.map_err(|failure| Failure {
        code: failure.code().replace('_', "-"),
        message: failure.to_string(),
        is_permanent: failure.is_permanent(),
    })?;
    serde_json::to_value(report).map_err(|error| Failure::permanent("report", error.to_string()))
}

fn boxed(input: Input) -> Box<dyn Read> {
    Box::new(input)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn plays() -> Value {
        json!({
            "group_by": ["Song", "Date"],
            "aggregates": [{"function": "sum", "column": "Number of Plays"}],
        })
    }

    #[test]
    fn song_plays_are_added_per_song_and_date() {
        let rows = "Song,Date,Number of Plays\nb,2,1\na,1,40\nb,2,2\n";
        let inputs = Inputs::whole(rows.as_bytes());
        let mut output = Vec::new();
        let limits = Limits {
            memory_bytes: 16 << 20,
            output_bytes: 1 << 20,
            spill_bytes: 1 << 20,
            scratch: std::env::temp_dir(),
        };
        let mut outputs = Outputs::new(&mut output, &limits);
        let report = run(&plays(), inputs, &mut outputs, &limits).expect("a result");
        let written = outputs.finish().expect("no fault");
        drop(outputs);
        assert_eq!(written.results.len(), 1, "{written:?}");
        let output = String::from_utf8(output).expect("UTF-8");
        assert_eq!(output, "Song,Date,sum(Number of Plays)\na,1,40\nb,2,3\n");
        assert_eq!(report["rows"], 3, "{report:#}");
    }

    #[test]
    fn faults_of_options_are_named_by_their_field() {
        assert_eq!(faults_of(&plays()), []);
        for (options, field) in [
            (json!({}), ""),
            (
                json!({"group_by": ["a"], "aggregates": [{"function": "mean"}]}),
                "aggregates",
            ),
            (json!({"group_by": [], "aggregates": []}), "group_by"),
            (json!({"group_by": ["a"], "aggregate": []}), "aggregate"),
        ] {
            let faults = faults_of(&options);
            assert!(
                faults.iter().any(|fault| fault.field.starts_with(field)),
                "{faults:?}"
            );
        }
    }
}
