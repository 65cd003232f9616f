//! The body of a CompleteMultipartUpload in XML.

use xmlparser::{ElementEnd, Token, Tokenizer};

use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind;
use crate::usecases::uppy::complete::NamedPart;

/// Reads the parts, in the order of the document.
pub fn parse(body: &[u8]) -> Result<Vec<NamedPart>, Problem> {
    let text = std::str::from_utf8(body).map_err(|_| malformed())?;
    let mut parts = Vec::new();
    let (mut element, mut number, mut etag) = ("", String::new(), String::new());
    for token in Tokenizer::from(text) {
        match token.map_err(|_| malformed())? {
            Token::ElementStart { local, .. } => element = local.as_str(),
            Token::Text { text } | Token::Cdata { text, .. } => match element {
                "PartNumber" => number.push_str(text.as_str().trim()),
                "ETag" => etag.push_str(&unescape(text.as_str().trim())),
                _ => {}
            },
            Token::ElementEnd {
                end: ElementEnd::Close(_, local),
                ..
            } => {
                element = "";
                if local.as_str() == "Part" {
                    parts.push(NamedPart {
                        number: number.parse().map_err(|_| malformed())?,
                        etag: std::mem::take(&mut etag),
                    });
                    number.clear();
                }
            }
            Token::DtdStart { .. } | Token::EmptyDtd { .. } | Token::EntityDeclaration { .. } => {
                return Err(malformed());
            }
            _ => {}
        }
    }
    Ok(parts)
}

fn unescape(text: &str) -> String {
    text.replace("&quot;", "\"")
        .replace("&#34;", "\"")
        .replace("&apos;", "'")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

fn malformed() -> Problem {
    Problem::new(
        Kind::InvalidJson,
        "The body is not a CompleteMultipartUpload in XML.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recorded_body_is_read() {
        let body = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>etag-x</ETag></Part>\n<Part><PartNumber>2</PartNumber><ETag>&quot;etag-y&quot;</ETag></Part></CompleteMultipartUpload>";
        let parts = parse(body.as_bytes()).expect("parts");
        let found: Vec<_> = (parts.iter())
            .map(|part| (part.number, part.etag.as_str()))
            .collect();
        assert_eq!(found, [(1, "etag-x"), (2, "\"etag-y\"")]);
    }

    #[test]
    fn other_bodies_are_refused() {
        for body in [
            "<CompleteMultipartUpload><Part><PartNumber>x</PartNumber></Part></CompleteMultipartUpload>",
            "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>",
            "<a",
            "{}",
        ] {
            let parts = parse(body.as_bytes()).unwrap_or_default();
            assert!(parts.is_empty(), "{body}");
        }
        assert!(parse(b"\xff").is_err());
    }
}
