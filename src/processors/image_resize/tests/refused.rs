//! Images that are cut off, damaged or too large.

use image::ImageFormat;
use serde_json::json;

use super::super::samples::{self, encoded};
use super::{MEMORY, make_of, options};

#[test]
fn image_that_is_cut_off_anywhere_is_refused() {
    let picture = samples::picture(24, 16);
    for format in samples::FORMATS {
        let bytes = encoded(&picture, format);
        for length in 0..bytes.len() {
            let made = make_of(options("auto", &[9]), MEMORY, &bytes[..length]);
            let code = made
                .map_err(|failure| failure.code())
                .expect_err("a failure");
            assert!(
                matches!(code, "truncated-image" | "not-an-image"),
                "{format:?} cut at {length} of {}: {code}",
                bytes.len()
            );
        }
    }
}

#[test]
fn damaged_image_has_an_outcome_whatever_byte_is_damaged() {
    let picture = samples::picture(24, 16);
    let limited = json!({
        "sizes": [{"name": "a", "max_width": 9, "max_height": 9}],
        "max_pixels": 1_000_000,
    });
    for format in samples::FORMATS {
        let bytes = encoded(&picture, format);
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= [0x01, 0x80, 0xff][at % 3];
            match make_of(limited.clone(), MEMORY, &damaged[..]) {
                Ok(made) => assert_eq!(made.results.len(), 1, "{format:?} at {at}"),
                Err(failure) => assert!(failure.is_permanent(), "{format:?} at {at}: {failure}"),
            }
        }
    }
}

#[test]
fn image_with_more_pixels_than_allowed_is_refused() {
    let picture = samples::picture(24, 16);
    for format in samples::FORMATS {
        let bytes = encoded(&picture, format);
        for (max_pixels, is_allowed) in [(24 * 16 - 1, false), (24 * 16, true)] {
            let mut options = options("auto", &[9]);
            options["max_pixels"] = json!(max_pixels);
            let made = make_of(options, MEMORY, &bytes[..]);
            let code = made
                .map(|_| "a result")
                .unwrap_or_else(|failure| failure.code());
            let expected = if is_allowed {
                "a result"
            } else {
                "too-many-pixels"
            };
            assert_eq!(code, expected, "{format:?}");
        }
    }
}

#[test]
fn image_that_needs_more_memory_than_there_is_is_refused_and_a_png_is_averaged() {
    let picture = samples::picture(900, 600);
    let made = |format, memory| {
        let bytes = encoded(&picture, format);
        let made = make_of(options("auto", &[50]), memory, &bytes[..]);
        made.map(|_| "a result")
            .unwrap_or_else(|failure| failure.code())
    };
    // The pixels have 1.6 MB.
    let little = 1 << 20;
    assert_eq!(made(ImageFormat::Jpeg, little), "image-too-large");
    assert_eq!(made(ImageFormat::WebP, little), "image-too-large");
    assert_eq!(made(ImageFormat::Png, little), "a result");
    assert_eq!(made(ImageFormat::Png, 100_000), "image-too-large");
    assert_eq!(made(ImageFormat::Jpeg, 1000), "image-too-large");
}
