//! The last line on the standard error of the bounded process: one JSON object, either
//! `{"report":…,"results":[{"extension":…,"name":…,"size":…}],"records_size":…}` or
//! `{"failure":{"code":…,"message":…,"permanent":…}}`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::outputs::{Written, WrittenResult};
use super::processor::Failure;

/// The largest line, in bytes. A processor with a larger report fails.
pub const MAX_REPORT_BYTES: usize = 1024 * 1024;

/// The outcome of a processor that has succeeded.
#[derive(Clone, Debug, PartialEq)]
pub struct Done {
    /// What the processor found.
    pub report: Value,
    /// What it has written to standard output.
    pub written: Written,
}

/// The line in JSON.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    Done(DoneLine),
    Failed(FailedLine),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DoneLine {
    report: Value,
    results: Vec<WrittenResult>,
    records_size: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FailedLine {
    failure: FailureLine,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FailureLine {
    code: String,
    message: String,
    permanent: bool,
}

/// Writes the outcome of a processor as a line without its end. `None` if it is too large.
pub fn to_line(outcome: &Result<Done, Failure>) -> Option<String> {
    let line = match outcome {
        Ok(done) => Line::Done(DoneLine {
            report: done.report.clone(),
            results: done.written.results.clone(),
            records_size: done.written.records_size,
        }),
        Err(failure) => Line::Failed(FailedLine {
            failure: FailureLine {
                code: failure.code.clone(),
                message: failure.message.clone(),
                permanent: failure.is_permanent,
            },
        }),
    };
    serde_json::to_string(&line)
        .ok()
        .filter(|line| line.len() <= MAX_REPORT_BYTES)
}

/// Reads the last line of `text`, which is the end of what the process has written. `None` if that
/// is not an outcome.
pub fn from_last_line(text: &[u8]) -> Option<Result<Done, Failure>> {
    let text = text.strip_suffix(b"\n")?;
    let line = text.rsplit(|byte| *byte == b'\n').next()?;
    Some(match serde_json::from_slice(line).ok()? {
        Line::Done(done) => Ok(Done {
            report: done.report,
            written: Written {
                results: done.results,
                records_size: done.records_size,
            },
        }),
        Line::Failed(FailedLine { failure }) => Err(Failure {
            code: failure.code,
            message: failure.message,
            is_permanent: failure.permanent,
        }),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn done(report: Value) -> Done {
        Done {
            report,
            written: Written {
                results: vec![WrittenResult {
                    extension: "csv".to_owned(),
                    name: None,
                    size: 7,
                }],
                records_size: 2,
            },
        }
    }

    #[test]
    fn outcomes_round_trip_as_the_last_line() {
        for outcome in [
            Ok(done(json!({"rows": 3, "text": "two\nlines"}))),
            Ok(done(Value::Null)),
            Err(Failure::permanent("csv-header", "no column \"Song\"")),
            Err(Failure::temporary("scratch", "the disk is full")),
        ] {
            let line = to_line(&outcome).expect("a line");
            assert!(!line.contains('\n'), "{line}");
            let text = format!("a warning\n{line}\n");
            assert_eq!(from_last_line(text.as_bytes()), Some(outcome));
        }
    }

    #[test]
    fn anything_else_on_the_last_line_is_no_outcome() {
        for text in [
            "",
            "\n",
            "{\"report\":1,\"results\":[],\"records_size\":0}",
            "{\"report\":1,\"results\":[],\"records_size\":0}\nlater\n",
            "{\"report\":1,\"results\":[],\"records_size\":0,\"failure\":{}}\n",
            "{\"report\":1,\"results\":[],\"records_size\":-1}\n",
            "{\"report\":1}\n",
            "{\"failure\":{\"code\":\"a\"}}\n",
            "{\"report\":\n1}\n",
            "\u{0}\n",
        ] {
            assert_eq!(from_last_line(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(from_last_line(b"\xff\xfe\n"), None);
    }

    #[test]
    fn report_that_is_too_large_has_no_line() {
        let large = Value::from("x".repeat(MAX_REPORT_BYTES));
        assert_eq!(to_line(&Ok(done(large))), None);
    }
}
