//! Which of two representations a client would rather have.
//!
//! Source: RFC 9110, section 12.5.1.

use actix_web::http::header::{self, HeaderMap};
use mime::Mime;

/// The weight of a range that names none, in thousandths.
const FULL: u16 = 1000;

/// Whether a client asks for `wanted` by its name, and not for `usual` more than for that. What it
/// gets where it says nothing, or takes anything, is `usual`.
pub fn prefers(headers: &HeaderMap, wanted: &str, usual: &str) -> bool {
    let ranges = ranges(headers);
    match named(&ranges, wanted) {
        Some(weight) => weight > 0 && weight >= weight_of(&ranges, usual),
        None => false,
    }
}

/// The media ranges of `Accept`, each with its weight. A range that cannot be read is left out.
fn ranges(headers: &HeaderMap) -> Vec<(Mime, u16)> {
    let lines = headers.get_all(header::ACCEPT);
    let lines = lines.filter_map(|line| line.to_str().ok());
    lines
        .flat_map(split)
        .filter_map(|range| range.trim().parse::<Mime>().ok())
        .map(|range| {
            let weight = range
                .get_param("q")
                .map_or(Some(FULL), |q| weight(q.as_str()));
            // A weight that is none says that its range is not understood.
            (range, weight.unwrap_or(0))
        })
        .collect()
}

/// At the commas that stand in no quoted value.
fn split(line: &str) -> Vec<&str> {
    let (mut quoted, mut escaped) = (false, false);
    line.split(|letter: char| {
        let was_escaped = std::mem::take(&mut escaped);
        match letter {
            '"' if !was_escaped => quoted = !quoted,
            '\\' if quoted && !was_escaped => escaped = true,
            _ => {}
        }
        letter == ',' && !quoted
    })
    .collect()
}

/// `0`, `0.5`, `1.000`: at most three digits behind the point (RFC 9110, section 12.4.2).
fn weight(text: &str) -> Option<u16> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    if rest.len() > 3 || !rest.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let rest: u16 = format!("{rest:0<3}").parse().ok()?;
    match whole {
        "0" => Some(rest),
        "1" if rest == 0 => Some(FULL),
        _ => None,
    }
}

/// The weight of the range that names this very type.
fn named(ranges: &[(Mime, u16)], name: &str) -> Option<u16> {
    let of_name = ranges
        .iter()
        .filter(|(range, _)| range.essence_str() == name);
    of_name.map(|(_, weight)| *weight).max()
}

/// The weight of a type: that of the most specific range that it is in.
fn weight_of(ranges: &[(Mime, u16)], name: &str) -> u16 {
    let kind = name.split('/').next().unwrap_or_default();
    let of_kind = || named(ranges, &format!("{kind}/*"));
    (named(ranges, name).or_else(of_kind))
        .or_else(|| named(ranges, "*/*"))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NDJSON: &str = "application/x-ndjson";
    const JSON: &str = "application/json";

    fn wants(lines: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::ACCEPT, line.parse().expect(line));
        }
        prefers(&headers, NDJSON, JSON)
    }

    #[test]
    fn the_more_wanted_one_is_preferred() {
        for lines in [
            &["application/x-ndjson"][..],
            &["Application/X-NDJSON"],
            &["application/x-ndjson;q=0.1"],
            &["text/html, application/x-ndjson"],
            &["text/html", "application/x-ndjson"],
            &["application/json, application/x-ndjson"],
            &["application/json;q=0.4,application/x-ndjson;Q=0.5"],
            &["application/x-ndjson, */*;q=0.1"],
            &["application/x-ndjson;q=0.2, application/json;q=0, */*"],
            &["text/plain;a=\"b,c\", application/x-ndjson"],
        ] {
            assert!(wants(lines), "{lines:?}");
        }
    }

    #[test]
    fn the_usual_one_is_what_everybody_else_gets() {
        for lines in [
            &[][..],
            &[""],
            &["*/*"],
            &["application/*"],
            &["application/json"],
            &["application/x-ndjson;q=0"],
            &["application/x-ndjson;q=0.000, */*"],
            &["application/x-ndjson;q=2"],
            &["application/x-ndjson;q=0.4, application/json;q=0.5"],
            &["application/x-ndjson;q=0.4, application/*;q=0.5"],
            &["application/x-ndjsonp"],
            &["text/plain;a=\"application/x-ndjson\""],
            &["not a type"],
        ] {
            assert!(!wants(lines), "{lines:?}");
        }
    }
}
