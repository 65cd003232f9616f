//! Tests of whole aggregations.

mod faults;
mod formats;
mod properties;
mod reference;

use std::io::{self, Read};

use super::job::Job;
use super::{Checked, Failure, Limits, Options, Report};

fn options(json: serde_json::Value) -> Checked {
    let options: Options = serde_json::from_value(json).unwrap();
    options.check().unwrap()
}

/// Plays per song and date, as in the documentation.
fn plays() -> Checked {
    options(serde_json::json!({
        "group_by": ["Song", "Date"],
        "aggregates": [{"function": "sum", "column": "Number of Plays"}],
    }))
}

fn limits() -> Limits {
    Limits {
        memory_bytes: 16 << 20,
        spill_folder: std::env::temp_dir(),
        spill_bytes: 1 << 30,
        decoded_bytes: 1 << 30,
    }
}

type Input = io::Result<Box<dyn Read>>;

fn open(inputs: &[Vec<u8>]) -> Vec<Input> {
    let inputs = inputs.iter().cloned().map(io::Cursor::new);
    inputs
        .map(|input| -> Input { Ok(Box::new(input)) })
        .collect()
}

fn run(checked: &Checked, inputs: &[impl AsRef<[u8]>]) -> Result<(String, Report), Failure> {
    let inputs: Vec<_> = inputs.iter().map(|input| input.as_ref().to_vec()).collect();
    let mut output = Vec::new();
    let report = super::aggregate(checked, &limits(), open(&inputs).into_iter(), &mut output)?;
    Ok((String::from_utf8(output).unwrap(), report))
}

/// Aggregates with a budget that may be smaller than a worker can set.
fn run_within(
    budget: usize,
    checked: &Checked,
    inputs: &[Vec<u8>],
) -> Result<(Vec<u8>, Report), Failure> {
    let limits = limits();
    let mut job = Job::new(checked, &limits, budget);
    for input in open(inputs) {
        job.read(input.unwrap())?;
    }
    let mut output = Vec::new();
    let report = job.finish(&mut output)?;
    Ok((output, report))
}

#[test]
fn plays_are_summed_by_song_and_date() {
    let input = "Song,Date,Number of Plays\n\
                 Trambone,2020-01-02,100\n\
                 Born,2020-01-01,50\n\
                 Trambone,2020-01-01,1\n\
                 Born,2020-01-01,7\n";
    let (output, report) = run(&plays(), &[input]).unwrap();
    let expected = "Song,Date,sum(Number of Plays)\n\
                    Born,2020-01-01,57\n\
                    Trambone,2020-01-01,1\n\
                    Trambone,2020-01-02,100\n";
    assert_eq!(output, expected);
    assert_eq!(
        (report.rows, report.groups, report.bad_rows.count),
        (4, 3, 0)
    );
    assert_eq!(report.output_bytes, u64::try_from(expected.len()).unwrap());
}

#[test]
fn every_function_ignores_blank_cells() {
    let checked = options(serde_json::json!({
        "group_by": ["g"],
        "aggregates": [
            {"function": "sum", "column": "n"},
            {"function": "count"},
            {"function": "count", "column": "n"},
            {"function": "min", "column": "n"},
            {"function": "max", "column": "n", "name": "most"},
            {"function": "min", "column": "t", "type": "text"},
            {"function": "max", "column": "t", "type": "text"},
        ],
    }));
    let input = "g,n,t\na,1.5,x\na,,\na, ,\"y,\"\na,-2,\nb,,\n";
    let (output, _) = run(&checked, &[input]).unwrap();
    let expected = "g,sum(n),count,count(n),min(n),most,min(t),max(t)\n\
                    a,-0.5,4,2,-2,1.5,x,\"y,\"\nb,0,1,0,,,,\n";
    assert_eq!(output, expected);
}

#[test]
fn columns_are_named_by_position_with_and_without_a_header() {
    let json = serde_json::json!({
        "group_by": [2],
        "aggregates": [{"function": "sum", "column": 1}],
        "header": false,
    });
    let (output, _) = run(&options(json.clone()), &["1,a\n2,b\n3,a\n"]).unwrap();
    assert_eq!(output, "column_2,sum(column_1)\na,4\nb,2\n");
    let mut json = json;
    json["header"] = true.into();
    let (output, _) = run(&options(json), &["n,g\n2,b\n3,a\n"]).unwrap();
    assert_eq!(output, "g,sum(n)\na,3\nb,2\n");
}

#[test]
fn a_sum_beyond_64_bits_is_exact() {
    let checked = options(serde_json::json!({
        "group_by": ["g"],
        "aggregates": [{"function": "count"}, {"function": "sum", "column": "n"}],
    }));
    let input = format!(
        "g,n\na,{0}\nb,1\na,{0}\na,0.5\na,-9223372036854775808\n",
        i64::MAX
    );
    let (output, report) = run(&checked, &[input]).unwrap();
    assert_eq!(output, "g,count,sum(n)\na,4,9223372036854775806.5\nb,1,1\n");
    assert_eq!(report.rows, 5);
}

#[test]
fn no_inputs_and_no_rows_give_a_header() {
    let none: [&str; 0] = [];
    let (output, report) = run(&plays(), &none).unwrap();
    assert_eq!(output, "Song,Date,sum(Number of Plays)\n");
    assert_eq!((report.inputs, report.groups), (0, 0));
    let (output, _) = run(&plays(), &["Number of Plays,Date,Song\r\n"]).unwrap();
    assert_eq!(output, "Song,Date,sum(Number of Plays)\n");
}

#[test]
fn more_group_columns_than_dictionaries_are_kept_apart() {
    let checked = options(serde_json::json!({
        "group_by": [1, 2, 3, 4, 5, 6],
        "aggregates": [{"function": "count"}],
        "header": false,
    }));
    let input = "a,b,c,d,e,f\na,b,c,d,ef,\na,b,c,d,e,f\na,b,c,\"d\0\",,ef\n";
    let (output, _) = run(&checked, &[input]).unwrap();
    let header = "column_1,column_2,column_3,column_4,column_5,column_6,count\n";
    let rows = "a,b,c,d,e,f,2\na,b,c,d,ef,,1\na,b,c,d\0,,ef,1\n";
    assert_eq!(output, format!("{header}{rows}"));
}
