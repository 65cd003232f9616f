//! What the first bytes of a file are.

use super::failure::Failure;

/// How many of the first bytes decide.
pub(super) const SNIFFED_BYTES: usize = 1024;

/// A format that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Jpeg,
    Png,
    Gif,
    WebP,
}

impl Format {
    /// The name in reports.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::Gif => "GIF",
            Self::WebP => "WebP",
        }
    }

    /// Decides by the first bytes of a file: [`SNIFFED_BYTES`], or all if it has fewer.
    pub(super) fn of(start: &[u8]) -> Result<Self, Failure> {
        if start.starts_with(b"\xff\xd8\xff") {
            return Ok(Self::Jpeg);
        }
        if start.starts_with(b"\x89PNG\r\n\x1a\n") {
            return Ok(Self::Png);
        }
        if start.starts_with(b"GIF87a") || start.starts_with(b"GIF89a") {
            return Ok(Self::Gif);
        }
        if start.starts_with(b"RIFF") && at(start, 8).starts_with(b"WEBP") {
            return Ok(Self::WebP);
        }
        Err(unsupported(start).map_or(Failure::NotAnImage, Failure::Unsupported))
    }
}

/// The name of a format that is known and not supported.
fn unsupported(start: &[u8]) -> Option<&'static str> {
    const SIGNATURES: &[(&[u8], &str)] = &[
        (b"II*\0", "TIFF"),
        (b"MM\0*", "TIFF"),
        (b"BM", "BMP"),
        (b"\0\0\x01\0", "ICO"),
        (b"\xff\x0a", "JPEG XL"),
        (b"\0\0\0\x0cJXL ", "JPEG XL"),
        (b"\0\0\0\x0cjP  ", "JPEG 2000"),
        (b"\xff\x4f\xff\x51", "JPEG 2000"),
        (b"8BPS", "PSD"),
        (b"%PDF-", "PDF"),
        (b"qoif", "QOI"),
    ];
    let signature = SIGNATURES.iter();
    let known = signature
        .clone()
        .find(|(bytes, _)| start.starts_with(bytes));
    if let Some((_, name)) = known {
        return Some(name);
    }
    if at(start, 4).starts_with(b"ftyp") {
        return brand(at(start, 8));
    }
    is_svg(start).then_some("SVG")
}

/// The format of an ISO base media file, by its major brand and those that it is compatible with.
fn brand(brands: &[u8]) -> Option<&'static str> {
    let mut brands = brands.chunks_exact(4).take(16);
    brands.find_map(|brand| match brand {
        b"avif" | b"avis" => Some("AVIF"),
        b"heic" | b"heix" | b"hevc" | b"heim" | b"heis" => Some("HEIC"),
        _ => None,
    })
}

/// Whether this is the start of an XML or HTML text that has an SVG element.
fn is_svg(start: &[u8]) -> bool {
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    let is_markup = start.trim_ascii_start().starts_with(b"<");
    is_markup && start.windows(4).any(|window| window == b"<svg")
}

fn at(bytes: &[u8], offset: usize) -> &[u8] {
    bytes.get(offset..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_decide() {
        let svg = b"\xef\xbb\xbf\n<?xml version=\"1.0\"?>\n<!-- a --><svg width=\"9\"/>";
        for (start, expected) in [
            (&b"\xff\xd8\xff\xe0"[..], Ok("JPEG")),
            (b"\x89PNG\r\n\x1a\n", Ok("PNG")),
            (b"GIF89a", Ok("GIF")),
            (b"RIFF\0\0\0\0WEBPVP8 ", Ok("WebP")),
            (b"RIFF\0\0\0\0WAVE", Err("not-an-image")),
            (b"\0\0\0\x1cftypavif\0\0\0\0", Err("AVIF")),
            (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif", Err("AVIF")),
            (b"\0\0\0\x1cftypheic\0\0\0\0", Err("HEIC")),
            (b"\0\0\0\x1cftypisom\0\0\0\0", Err("not-an-image")),
            (b"II*\0", Err("TIFF")),
            (b"BM", Err("BMP")),
            (svg, Err("SVG")),
            (b"<html>", Err("not-an-image")),
            (b"", Err("not-an-image")),
            (b"\xff\xd8", Err("not-an-image")),
        ] {
            let found = Format::of(start).map(Format::as_str);
            let found = found.map_err(|failure| match failure {
                Failure::Unsupported(name) => name,
                other => other.code(),
            });
            assert_eq!(found, expected, "{start:?}");
        }
    }
}
