//! Content negotiation between two media types by the `Accept` header.
//!
//! Source: RFC 9110, section 12.5.1.

use actix_web::http::header::{self, HeaderMap};
use mime::Mime;

/// The weight of a media range without `q`, in thousandths.
const FULL: u16 = 1000;

/// Whether a client names the media type `wanted` and does not prefer `default` to it. A client
/// without an `Accept` header, or that accepts any type, gets `default`.
pub fn prefers(headers: &HeaderMap, wanted: &str, default: &str) -> bool {
    let ranges = ranges(headers);
    match named(&ranges, wanted) {
        Some(weight) => weight > 0 && weight >= weight_of(&ranges, default),
        None => false,
    }
}

/// The media ranges of `Accept` with their weights. Invalid ranges are ignored.
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
            // A range with an invalid weight is not acceptable.
            (range, weight.unwrap_or(0))
        })
        .collect()
}

/// Splits a header line at the commas outside of quoted values.
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

/// Parses a weight such as `0`, `0.5` or `1.000`, with at most three decimals (RFC 9110, section
/// 12.4.2).
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

/// The weight of the range with exactly this type.
fn named(ranges: &[(Mime, u16)], name: &str) -> Option<u16> {
    let of_name = ranges
        .iter()
        .filter(|(range, _)| range.essence_str() == name);
    of_name.map(|(_, weight)| *weight).max()
}

/// The weight of a type, which is the weight of the most specific range that matches it.
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
    fn named_type_is_preferred() {
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
    fn default_type_is_used_otherwise() {
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
