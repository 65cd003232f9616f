use proptest::prelude::*;

use super::{NotNumber, Number, format, parse};

fn canonical(cell: &str) -> Option<String> {
    let (mantissa, scale) = match parse(cell.as_bytes()).ok()? {
        Number::Empty => return Some(String::new()),
        Number::Narrow(mantissa, scale) => (i128::from(mantissa), scale),
        Number::Wide(mantissa, scale) => (mantissa, scale),
    };
    let mut out = Vec::new();
    format(mantissa, scale, &mut out);
    Some(String::from_utf8(out).unwrap())
}

#[test]
fn numbers_of_every_form_have_one_canonical_form() {
    for (cell, expected) in [
        ("0", "0"),
        ("-0", "0"),
        ("007", "7"),
        ("+5", "5"),
        (" 12\t", "12"),
        ("", ""),
        ("  ", ""),
        ("1.50", "1.5"),
        ("1.", "1"),
        (".5", "0.5"),
        ("-0.010", "-0.01"),
        ("1e3", "1000"),
        ("1.5E-3", "0.0015"),
        ("12e+2", "1200"),
        ("0e99", "0"),
        ("1.500000000000000000000000000000000000000000000000", "1.5"),
        ("9223372036854775808", "9223372036854775808"),
        ("-9223372036854775808", "-9223372036854775808"),
        (
            "99999999999999999999999999999999999999",
            "99999999999999999999999999999999999999",
        ),
        (
            "0.00000000000000000000000000000000000001",
            "0.00000000000000000000000000000000000001",
        ),
    ] {
        assert_eq!(canonical(cell).as_deref(), Some(expected), "{cell}");
    }
}

#[test]
fn what_is_no_number_or_has_too_many_digits_is_refused() {
    for cell in [
        "x",
        "-",
        "+",
        ".",
        "-.",
        "1.2.3",
        "1,5",
        "1_000",
        "0x10",
        "NaN",
        "Infinity",
        "1e",
        "e5",
        "1e+",
        "1e99999",
        "--1",
        "1 2",
        "1e40",
        "1e-40",
        "٣",
        "999999999999999999999999999999999999999999",
        "0.000000000000000000000000000000000000001",
    ] {
        assert_eq!(parse(cell.as_bytes()), Err(NotNumber), "{cell}");
    }
}

#[test]
fn a_long_cell_of_zeros_is_parsed_in_linear_time() {
    let zeros = "0.".to_owned() + &"0".repeat(1 << 20);
    assert_eq!(canonical(&zeros).as_deref(), Some("0"));
    assert_eq!(canonical(&(zeros + "1")), None);
}

proptest! {
    #[test]
    fn an_integer_is_parsed_and_formatted_without_change(value: i64) {
        prop_assert_eq!(canonical(&value.to_string()), Some(value.to_string()));
    }

    #[test]
    fn the_fast_and_the_general_parser_agree(cell in "[-+ ]?[0-9]{0,9}[.]?[0-9]{0,9}") {
        let fast = super::short(cell.as_bytes());
        let general = super::long(cell.as_bytes().trim_ascii());
        if let Some((mantissa, scale)) = fast {
            let fast = super::shorten(i128::from(mantissa), scale);
            let Ok(Number::Narrow(mantissa, scale)) = general else {
                panic!("{cell}: {general:?}");
            };
            prop_assert_eq!(fast, super::shorten(i128::from(mantissa), scale));
        }
    }
}
