//! Bad rows and failures.

use std::io::{self, Read};

use super::super::{Failure, Limits, aggregate};
use super::{limits, open, options, plays, run};

const HEADER: &str = "Song,Date,Number of Plays\n";

fn failure(input: &str) -> Failure {
    run(&plays(), &[input]).unwrap_err()
}

#[test]
fn bad_rows_are_counted_and_sampled_with_their_lines() {
    let input =
        format!("{HEADER}a,d,1\na,d,x\u{1b}[0m\n\"two\nlines\",d\na,d,2\n\n,,,\na,d,\"open\nquote");
    let (output, report) = run(&plays(), &[input]).unwrap();
    assert_eq!(output, "Song,Date,sum(Number of Plays)\na,d,3\n");
    let shown: Vec<_> = report
        .bad_rows
        .samples
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        shown,
        [
            "input 1, line 3: column 3 is not a number: a,d,x\u{fffd}[0m",
            "input 1, line 4: it has 2 fields instead of 3: \"two\u{fffd}lines\",d",
            "input 1, line 8: it has 4 fields instead of 3: ,,,",
            "input 1, line 9: a quote is not closed: a,d,\"open\u{fffd}quote",
        ]
    );
    assert_eq!(
        (report.rows, report.bad_rows.count, report.bad_rows.bytes),
        (2, 4, 40)
    );
}

#[test]
fn at_most_20_bad_rows_are_sampled() {
    let (_, report) = run(&plays(), &[HEADER.to_owned() + &"x\n".repeat(100)]).unwrap();
    assert_eq!(
        (report.bad_rows.count, report.bad_rows.samples.len()),
        (100, 20)
    );
    let failure = failure(&(HEADER.to_owned() + &"x\n".repeat(101)));
    assert!(failure.is_permanent());
    let text = "101 bad rows of 101 bytes are more than the job allows; first: input 1, line 2: it \
                has 1 fields instead of 3: x; ";
    assert!(failure.to_string().starts_with(text), "{failure}");
}

#[test]
fn few_bad_rows_with_many_bytes_fail_the_job() {
    let row = format!("{},d,none\n", "x".repeat(600_000));
    assert!(run(&plays(), &[format!("{HEADER}{row}")]).is_ok());
    assert_eq!(
        failure(&format!("{HEADER}{row}{row}")).code(),
        "too_many_bad_rows"
    );
}

#[test]
fn an_unclosed_quote_that_swallows_many_rows_always_fails_the_job() {
    let checked = options(serde_json::json!({
        "group_by": ["Song"],
        "aggregates": [{"function": "count"}],
        "max_bad_rows": u64::MAX,
        "max_bad_bytes": u64::MAX,
    }));
    let input = format!("{HEADER}a,\"b,1\n{}", "a,b,1\n".repeat(400_000));
    let failure = run(&checked, &[input]).unwrap_err();
    assert!(matches!(
        failure,
        Failure::OversizedQuotedRecord { input: 1, line: 2 }
    ));
    assert!(failure.is_permanent());
}

#[test]
fn a_missing_column_is_named_with_those_that_exist() {
    let failure = failure("Song,Day,Plays\na,b,1\n");
    let text = "input 1 has no column \"Date\": it has \"Song\", \"Day\", \"Plays\"";
    assert_eq!(
        (failure.to_string().as_str(), failure.is_permanent()),
        (text, true)
    );
}

#[test]
fn a_name_that_two_columns_have_is_ambiguous() {
    assert_eq!(
        failure("Song,Date,Song,Number of Plays\n").code(),
        "column_ambiguous"
    );
    let input = "Song,Date, Number of Plays ,Number of Plays\na,b,1,2\n";
    assert_eq!(
        run(&plays(), &[input]).unwrap().0.lines().nth(1),
        Some("a,b,2")
    );
}

#[test]
fn an_input_without_a_header_fails() {
    for input in ["", "\n\r\n"] {
        assert_eq!(failure(input).code(), "empty_input");
    }
}

#[test]
fn an_overflow_names_its_aggregate_and_its_group() {
    let large = "9".repeat(38);
    let rows = [format!("b\",d,{large}\n"), format!("b\",d,{large}\n")].concat();
    for rows in [rows, format!("a,d,1\nb\",d,{large}\na,d,0.5\n")] {
        let failure = failure(&format!("{HEADER}{rows}"));
        let text = "sum(Number of Plays) overflows 38 digits in the group \"b\"\", \"d\"";
        assert_eq!(
            (failure.to_string().as_str(), failure.is_permanent()),
            (text, true)
        );
    }
}

#[test]
fn the_bounds_of_decoded_and_of_spilled_bytes_hold() {
    let input = HEADER.to_owned() + &"a,b,1\n".repeat(100_000);
    let mut limits = Limits {
        decoded_bytes: 100_000,
        ..limits()
    };
    let inputs = [input.into_bytes()];
    let failure = aggregate(&plays(), &limits, open(&inputs).into_iter(), io::sink()).unwrap_err();
    assert!(
        matches!(failure, Failure::TooManyDecodedBytes { limit: 100_000 }),
        "{failure}"
    );
    assert!(failure.is_permanent());

    limits = Limits {
        spill_bytes: 1000,
        memory_bytes: 0,
        ..super::limits()
    };
    let rows = (0..300_000).map(|row| format!("song {row},date,{row}\n"));
    let inputs = [(HEADER.to_owned() + &rows.collect::<String>()).into_bytes()];
    let failure = aggregate(&plays(), &limits, open(&inputs).into_iter(), io::sink()).unwrap_err();
    assert!(
        matches!(failure, Failure::SpillFull { limit: 1000 }),
        "{failure}"
    );
}

/// Fails after a few bytes.
struct Broken(usize);

impl Read for Broken {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        let count = self.0.min(buffer.len());
        self.0 -= count;
        buffer[..count].copy_from_slice(&b"\x1f\x8b\x08\0"[..count]);
        Ok(count)
    }
}

#[test]
fn a_read_error_is_not_taken_for_a_damaged_file() {
    for before in [0, 4] {
        let inputs: [super::Input; 1] = [Ok(Box::new(Broken(before)))];
        let failure = aggregate(&plays(), &limits(), inputs.into_iter(), io::sink()).unwrap_err();
        assert_eq!(
            (failure.code(), failure.is_permanent()),
            ("read_failed", false)
        );
    }
}

#[test]
fn an_output_that_cannot_be_written_is_no_permanent_fault() {
    let mut full: &mut [u8] = &mut [0; 10];
    let inputs = open(&[HEADER.as_bytes().to_vec()]);
    let failure = aggregate(&plays(), &limits(), inputs.into_iter(), &mut full).unwrap_err();
    assert_eq!(
        (failure.code(), failure.is_permanent()),
        ("write_failed", false)
    );
}

#[test]
fn a_row_that_needs_more_than_the_budget_fails() {
    let row = format!("{HEADER}{},d,1\n", "x".repeat(100_000));
    let failure = super::run_within(50_000, &plays(), &[row.into_bytes()]).unwrap_err();
    assert!(
        matches!(failure, Failure::MemoryFull { limit: 50_000 }),
        "{failure}"
    );
}
