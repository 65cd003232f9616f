use std::io::{self, Read};

use csv_core::{ReadRecordResult, ReaderBuilder};
use proptest::prelude::*;

use super::{Fault, RECORD_CAP, Records, Step};

/// A reader that returns only a few bytes at a time.
struct Dripping<'a>(&'a [u8], usize);

impl Read for Dripping<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let limit = self.1.min(buffer.len());
        self.0.read(&mut buffer[..limit])
    }
}

type Record = Vec<Vec<u8>>;

/// All records with the lines on which they start, and whether the last quote is not closed.
fn read(input: &[u8], step: usize) -> (Vec<(u64, Record)>, bool) {
    let mut records = Records::new(Dripping(input, step), b',');
    let mut all = Vec::new();
    loop {
        match records.advance().unwrap() {
            Step::Row => {
                let row = records.row();
                let fields = (0..row.len()).map(|index| row.field(index).to_vec());
                all.push((records.line(), fields.collect()));
            }
            Step::Unclosed => return (all, true),
            Step::Oversized => panic!("oversized"),
            Step::End => return (all, false),
        }
    }
}

/// The same by `csv-core` alone. It counts lines by LF only, so it gives none.
fn reference(input: &[u8]) -> (Vec<Record>, bool) {
    let mut reader = ReaderBuilder::new().build();
    // Not at the start, so that a byte-order mark stays.
    reader.read_record(b"\n", &mut [0], &mut [0]);
    let mut all = Vec::new();
    let (mut output, mut ends) = (vec![0; input.len() + 8], vec![0; input.len() + 8]);
    let with_end = [input, b"\n"].concat();
    let mut rest = with_end.as_slice();
    while !rest.is_empty() {
        let (result, used, _, fields) = reader.read_record(rest, &mut output, &mut ends);
        rest = &rest[used..];
        match result {
            ReadRecordResult::Record => {
                let starts = [0].into_iter().chain(ends.iter().copied());
                let spans = starts.zip(&ends).take(fields);
                all.push(
                    spans
                        .map(|(start, end)| output[start..*end].to_vec())
                        .collect(),
                );
            }
            ReadRecordResult::InputEmpty => {
                // Outside of quotes, this is a record.
                let last = reader.read_record(b"x\n", &mut output, &mut ends).0;
                return (all, last != ReadRecordResult::Record);
            }
            result => panic!("{result:?}"),
        }
    }
    (all, false)
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        "a",
        "bc",
        ",",
        ",",
        "\n",
        "\r\n",
        "\r",
        "\"",
        "\"",
        "\"\"",
        "\"x\"",
        ",\"y,z\"",
        "\0",
        " ",
        "long text that goes over the end of a block of sixty-four bytes",
        "\u{feff}",
    ]);
    prop::collection::vec(pieces, 0..60).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn records_are_those_of_csv_core(input in text(), step in 1_usize..200) {
        let (records, unclosed) = read(&input, step);
        let (expected, expected_unclosed) = reference(&input);
        prop_assert_eq!(unclosed, expected_unclosed);
        let records: Vec<_> = records.into_iter().map(|(_, record)| record).collect();
        prop_assert_eq!(records, expected);
    }

    #[test]
    fn lines_do_not_depend_on_how_the_input_is_cut(input in text(), step in 1_usize..200) {
        prop_assert_eq!(read(&input, step), read(&input, usize::MAX));
    }
}

#[test]
fn lines_are_counted_through_quotes_and_all_line_ends() {
    let input = b"a\n\nb\r\n\"c\n\r\nd\"\re\n\"f\"\"\ng\"\nh";
    let lines: Vec<_> = read(input, 3).0.into_iter().map(|(line, _)| line).collect();
    assert_eq!(lines, [1, 3, 4, 7, 8, 10]);
}

#[test]
fn a_long_record_without_quotes_is_broken_and_the_next_one_is_read() {
    for end in ["\n", "\r", "\r\n"] {
        let long = "x".repeat(RECORD_CAP + 1);
        let input = format!("a{end}{long}{end}b{end}");
        for step in [1000, usize::MAX] {
            let mut records = Records::new(Dripping(input.as_bytes(), step), b',');
            assert_eq!(records.advance().unwrap(), Step::Row);
            assert_eq!(records.advance().unwrap(), Step::Oversized);
            assert_eq!(records.oversized.1, 1_048_577);
            assert_eq!(records.line(), 2);
            assert_eq!(records.advance().unwrap(), Step::Row);
            assert_eq!(
                (records.line(), records.row().field(0)),
                (3, b"b".as_slice())
            );
            assert_eq!(records.advance().unwrap(), Step::End);
        }
    }
}

#[test]
fn a_record_of_exactly_the_cap_is_read() {
    let input = "x".repeat(RECORD_CAP) + "\n";
    assert_eq!(read(input.as_bytes(), usize::MAX).0.len(), 1);
}

#[test]
fn a_long_record_with_a_quoted_field_is_a_fault() {
    let rows = "1,2\n".repeat(RECORD_CAP / 4 + 1);
    let long = "x".repeat(RECORD_CAP + 1);
    for input in [
        format!("a\n\"b{rows}"),
        format!("a\n\"b{rows}\"\n"),
        format!("a\n\"b\"\"{rows}"),
        format!("a\n{long},\"c\nd\"\n"),
        format!("a\n\"c\",{long}\n"),
    ] {
        for step in [4096, usize::MAX] {
            let mut records = Records::new(Dripping(input.as_bytes(), step), b',');
            assert_eq!(records.advance().unwrap(), Step::Row);
            assert!(matches!(records.advance(), Err(Fault::OversizedQuoted)));
            assert_eq!(records.line(), 2);
        }
    }
}
