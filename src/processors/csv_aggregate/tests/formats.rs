//! Encodings, compressions and delimiters.

use std::io::Write;

use super::super::Failure;
use super::{options, plays, run};

const INPUT: &str =
    "Song,Date,Number of Plays\nCafé,2020-01-01,5\nÜber,2020-01-02,7\nCafé,2020-01-01,1\n";
const OUTPUT: &str = "Song,Date,sum(Number of Plays)\nCafé,2020-01-01,6\nÜber,2020-01-02,7\n";

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zstd(text: &[u8]) -> Vec<u8> {
    zstd::encode_all(text, 1).unwrap()
}

fn utf16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(to_bytes).collect()
}

fn format_of(input: Vec<u8>) -> (&'static str, &'static str, char) {
    let (output, report) = run(&plays(), &[input]).unwrap();
    assert_eq!(output, OUTPUT);
    let format = &report.formats[0];
    (format.compression, format.encoding, format.delimiter)
}

#[test]
fn encodings_are_detected() {
    let with_mark = format!("\u{feff}{INPUT}");
    let latin1 = INPUT
        .chars()
        .map(|character| u8::try_from(character).unwrap())
        .collect();
    assert_eq!(format_of(INPUT.into()), ("none", "utf-8", ','));
    assert_eq!(format_of(with_mark.clone().into()), ("none", "utf-8", ','));
    assert_eq!(format_of(latin1), ("none", "latin-1", ','));
    for text in [INPUT, &with_mark] {
        assert_eq!(
            format_of(utf16(text, u16::to_le_bytes)),
            ("none", "utf-16le", ',')
        );
        assert_eq!(
            format_of(utf16(text, u16::to_be_bytes)),
            ("none", "utf-16be", ',')
        );
    }
}

#[test]
fn compressions_are_detected_with_several_members() {
    let (first, second) = INPUT.as_bytes().split_at(40);
    assert_eq!(format_of(gzip(INPUT.as_bytes())).0, "gzip");
    assert_eq!(format_of([gzip(first), gzip(second)].concat()).0, "gzip");
    assert_eq!(format_of([zstd(first), zstd(second)].concat()).0, "zstd");
    let both = gzip(&utf16(INPUT, u16::to_be_bytes));
    assert_eq!(format_of(both), ("gzip", "utf-16be", ','));
}

#[test]
fn delimiters_are_detected() {
    for delimiter in [",", ";", "\t", "|"] {
        let input = INPUT.replace(',', delimiter);
        assert_eq!(format_of(input.into()).2, delimiter.chars().next().unwrap());
    }
    let input = "Song;Date;Number of Plays;Note\nCafé;2020-01-01;6;a, b, c\nÜber;2020-01-02;7;d\n";
    assert_eq!(format_of(input.into()).2, ';');
}

#[test]
fn a_set_delimiter_is_used() {
    let checked = options(serde_json::json!({
        "group_by": [1],
        "aggregates": [{"function": "sum", "column": 2}],
        "delimiter": "x",
    }));
    assert_eq!(
        run(&checked, &["gxn\na,x1\na,x2\n"]).unwrap().0,
        "g,sum(n)\n\"a,\",3\n"
    );
}

#[test]
fn inputs_of_different_forms_are_aggregated_together() {
    let other = "Number of Plays;Other;Date;Song\r\n10;;2020-01-01;Café\r\n";
    let inputs = [gzip(INPUT.as_bytes()), other.into()];
    let (output, report) = run(&plays(), &inputs).unwrap();
    assert_eq!(output, OUTPUT.replace(",6", ",16"));
    assert_eq!((report.inputs, report.formats.len()), (2, 2));
}

#[test]
fn truncated_and_damaged_compressed_inputs_are_permanent_faults() {
    let text = INPUT.to_owned() + &"Café,2020-01-01,1\n".repeat(1000);
    for compressed in [gzip(text.as_bytes()), zstd(text.as_bytes())] {
        for cut in [5, compressed.len() / 2, compressed.len() - 1] {
            let failure = run(&plays(), &[&compressed[..cut]]).unwrap_err();
            assert!(
                matches!(failure, Failure::Truncated { input: 1, .. }),
                "{cut}: {failure}"
            );
            assert!(failure.is_permanent());
        }
    }
    let mut damaged = gzip(text.as_bytes());
    let end = damaged.len() - 6;
    damaged[end] ^= 1;
    let failure = run(&plays(), &[damaged]).unwrap_err();
    assert_eq!(failure.code(), "corrupt");
}

#[test]
fn a_fault_in_utf16_makes_only_its_row_bad() {
    let mut input = utf16(INPUT, u16::to_le_bytes);
    input.extend(utf16("a", u16::to_le_bytes));
    input.extend([0x00, 0xd8]);
    input.extend(utf16(",2020-01-01,5\n", u16::to_le_bytes));
    let (output, report) = run(&plays(), &[input]).unwrap();
    assert_eq!((output.as_str(), report.bad_rows.count), (OUTPUT, 1));
    assert_eq!(report.bad_rows.samples[0].reason, "column 1 is not UTF-8");
}
