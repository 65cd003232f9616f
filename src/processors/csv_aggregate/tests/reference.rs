//! A plain aggregation to compare with: the rules of Python's `csv` module, `BTreeMap` and integers.

use std::collections::BTreeMap;

/// Splits a text into records like Python's `csv.reader` does without the strict mode. Blank lines
/// give no record.
pub(super) fn split(input: &str) -> Vec<Vec<String>> {
    #[derive(Clone, Copy, PartialEq)]
    enum State {
        Start,
        Plain,
        Quoted,
        AfterQuote,
    }
    let (mut records, mut record, mut field) = (Vec::new(), Vec::new(), String::new());
    let mut state = State::Start;
    let mut characters = input.chars().chain(['\n']).peekable();
    while let Some(character) = characters.next() {
        state = match (state, character) {
            (State::Quoted, '"') => State::AfterQuote,
            (State::Quoted, character) => {
                field.push(character);
                State::Quoted
            }
            (State::AfterQuote, '"') => {
                field.push('"');
                State::Quoted
            }
            (State::Start, '"') => State::Quoted,
            (_, ',') => {
                record.push(std::mem::take(&mut field));
                State::Start
            }
            (state, '\r' | '\n') => {
                if character == '\r' {
                    characters.next_if_eq(&'\n');
                }
                if state != State::Start || !record.is_empty() {
                    record.push(std::mem::take(&mut field));
                    records.push(std::mem::take(&mut record));
                }
                State::Start
            }
            (_, character) => {
                field.push(character);
                State::Plain
            }
        };
    }
    records
}

/// The rows of `g,h,n,t` by `g,h`: sum, count of rows, count, min and max of `n`, min of `t`.
///
/// Values have at most two decimals. Rows with another number of fields are left out.
pub(super) fn aggregate(inputs: &[String]) -> String {
    #[derive(Default)]
    struct Group {
        rows: u64,
        numbers: Vec<i128>,
        texts: Vec<String>,
    }
    let mut groups: BTreeMap<(String, String), Group> = BTreeMap::new();
    for input in inputs {
        for record in split(input).into_iter().skip(1) {
            let Ok([g, h, n, t]) = <[String; 4]>::try_from(record) else {
                continue;
            };
            let number = match n.trim() {
                "" => None,
                n => match cents(n) {
                    Some(cents) => Some(cents),
                    None => continue,
                },
            };
            let group = groups.entry((g, h)).or_default();
            group.rows += 1;
            group.numbers.extend(number);
            group
                .texts
                .extend(Some(t).filter(|text| !text.trim().is_empty()));
        }
    }
    let mut out = "g,h,sum(n),count,count(n),min(n),max(n),min(t)\n".to_owned();
    for ((g, h), group) in groups {
        let show =
            |number: Option<&i128>| number.map(|number| decimal(*number)).unwrap_or_default();
        let fields = [
            quote(&g),
            quote(&h),
            decimal(group.numbers.iter().sum()),
            group.rows.to_string(),
            group.numbers.len().to_string(),
            show(group.numbers.iter().min()),
            show(group.numbers.iter().max()),
            quote(group.texts.iter().min().map_or("", String::as_str)),
        ];
        out += &(fields.join(",") + "\n");
    }
    out
}

fn cents(number: &str) -> Option<i128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let fraction = format!("{fraction:0<2}");
    if fraction.len() != 2 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    format!("{whole}{fraction}").parse().ok()
}

fn decimal(cents: i128) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    let (whole, fraction) = (cents.abs() / 100, cents.abs() % 100);
    let text = format!("{sign}{whole}.{fraction:02}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn quote(text: &str) -> String {
    if text.contains([',', '"', '\r', '\n']) || text.starts_with('\u{feff}') {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
