//! Images of each format, from their bytes to their results.

mod refused;

use std::io::{self, Read};

use image::metadata::Orientation;
use image::{
    DynamicImage, GenericImageView as _, GrayImage, ImageFormat, Luma, Rgb, RgbImage, Rgba,
    RgbaImage,
};
use moxcms::ColorProfile;
use serde_json::{Value, json};

use super::samples::{self, encoded};
use super::{Failure, Input, Options, Output, Report, resize};

const MEMORY: u64 = 64 << 20;

/// What was made of an image.
#[derive(Debug)]
struct Made {
    report: Report,
    results: Vec<(String, Output, DynamicImage)>,
}

fn make_of(options: Value, memory: u64, reader: impl Read) -> Result<Made, Failure> {
    let options: Options = serde_json::from_value(options).expect("options");
    let checked = options.into_checked(|_| true).expect("valid options");
    let mut results = Vec::new();
    let input = Input { reader, size: None };
    let report = resize(&checked, memory, input, |encoded| {
        let picture = image::load_from_memory(&encoded.bytes).expect("an image");
        results.push((encoded.name.to_owned(), encoded.output, picture));
        Ok(())
    })?;
    Ok(Made { report, results })
}

fn options(output: &str, sides: &[u32]) -> Value {
    let sizes = sides
        .iter()
        .map(|side| json!({"name": side.to_string(), "max_width": side, "max_height": side}));
    json!({"sizes": sizes.collect::<Vec<_>>(), "format": output})
}

/// The only result of an image, at most `side` pixels a side, as PNG.
fn one(bytes: &[u8], side: u32) -> DynamicImage {
    let made = make_of(options("png", &[side]), MEMORY, bytes).expect("a result");
    let [(_, _, picture)] = <[_; 1]>::try_from(made.results).expect("one result");
    picture
}

fn assert_near(found: &DynamicImage, expected: &DynamicImage, allowed: u8, what: &str) {
    assert_eq!(found.dimensions(), expected.dimensions(), "{what}");
    let (found, expected) = (found.to_rgba8(), expected.to_rgba8());
    for (x, y, pixel) in found.enumerate_pixels() {
        let wanted = expected.get_pixel(x, y);
        let channels = pixel.0.iter().zip(wanted.0);
        let most = channels.map(|(found, wanted)| found.abs_diff(wanted)).max();
        assert!(
            most <= Some(allowed),
            "{what}: {pixel:?} at {x}, {y}, and not {wanted:?}"
        );
    }
}

#[test]
fn each_format_gives_each_size_the_largest_first() {
    let picture = samples::picture(200, 120);
    for (format, allowed) in [
        (ImageFormat::Jpeg, 24),
        (ImageFormat::Png, 0),
        (ImageFormat::WebP, 0),
        // 256 colours.
        (ImageFormat::Gif, 48),
    ] {
        let bytes = encoded(&picture, format);
        let made = make_of(options("png", &[50, 1000, 100]), MEMORY, &bytes[..]).expect("results");
        let sizes = made.results.iter().map(|(name, output, picture)| {
            assert_eq!(*output, Output::Png);
            (name.as_str(), picture.dimensions())
        });
        let expected = [("1000", (200, 120)), ("100", (100, 60)), ("50", (50, 30))];
        assert_eq!(sizes.collect::<Vec<_>>(), expected, "{format:?}");
        assert_near(
            &made.results[0].2,
            &picture,
            allowed,
            &format!("{format:?}"),
        );
        let report = &made.report;
        assert_eq!((report.width, report.height), (200, 120), "{report:?}");
        assert_eq!(report.results.len(), 3, "{report:?}");
        assert!(!report.is_animated, "{report:?}");
    }
}

#[test]
fn small_and_flat_jpegs_are_read_to_their_last_pixel() {
    for (width, height) in [
        (1, 1),
        (8, 8),
        (16, 16),
        (16, 32),
        (8, 64),
        (20, 17),
        (32, 200),
        (64, 64),
    ] {
        let grey = DynamicImage::ImageLuma8(GrayImage::from_pixel(width, height, Luma([120])));
        let colour =
            DynamicImage::ImageRgb8(RgbImage::from_pixel(width, height, Rgb([90, 160, 40])));
        for picture in [grey, colour] {
            let made = one(&encoded(&picture, ImageFormat::Jpeg), 200);
            assert_near(&made, &picture, 4, &format!("{width} x {height}"));
        }
    }
}

#[test]
fn largest_result_decides_the_format_of_all() {
    let mut picture = RgbaImage::from_pixel(512, 512, Rgba([10, 20, 30, 255]));
    picture.put_pixel(7, 9, Rgba([10, 20, 30, 200]));
    let bytes = encoded(&DynamicImage::ImageRgba8(picture), ImageFormat::Png);
    let made = make_of(options("auto", &[16, 512]), MEMORY, &bytes[..]).expect("results");
    let outputs: Vec<Output> = made.results.iter().map(|(_, output, _)| *output).collect();
    assert_eq!(outputs, [Output::Png, Output::Png]);
}

#[test]
fn averaging_while_rows_arrive_is_close_to_resizing_at_once() {
    let picture = samples::picture(1000, 700);
    let at_once = picture.resize_exact(60, 42, image::imageops::FilterType::Lanczos3);
    let bytes = encoded(&picture, ImageFormat::Png);
    assert_near(&one(&bytes, 60), &at_once, 8, "averaged");
}

#[test]
fn result_is_upright_and_without_metadata() {
    let upright = samples::picture(60, 40);
    for orientation in (1..=8).filter_map(Orientation::from_exif) {
        let mut stored = upright.clone();
        stored.apply_orientation(match orientation {
            Orientation::Rotate90 => Orientation::Rotate270,
            Orientation::Rotate270 => Orientation::Rotate90,
            own_inverse => own_inverse,
        });
        let bytes = samples::with_orientation(&stored, orientation);
        let made = make_of(options("png", &[60]), MEMORY, &bytes[..]).expect("a result");
        assert_near(&made.results[0].2, &upright, 0, &format!("{orientation:?}"));
        assert_eq!(made.report.orientation, orientation.to_exif());
        // The box is that of the upright image.
        let sizes = json!([{"name": "a", "max_width": 30, "max_height": 1000}]);
        let made = make_of(json!({"sizes": sizes}), MEMORY, &bytes[..]).expect("a result");
        assert_eq!(made.results[0].2.dimensions(), (30, 20), "{orientation:?}");
    }
}

#[test]
fn transparent_image_becomes_png_and_any_other_jpeg() {
    let opaque = DynamicImage::ImageRgba8(samples::picture(40, 40).to_rgba8());
    let mut pixels = opaque.to_rgba8();
    pixels
        .pixels_mut()
        .take(800)
        .for_each(|pixel| pixel.0 = [9, 8, 7, 0]);
    let transparent = DynamicImage::ImageRgba8(pixels);
    for format in [ImageFormat::Png, ImageFormat::WebP, ImageFormat::Gif] {
        let output = |picture: &DynamicImage, wanted| {
            let bytes = encoded(picture, format);
            let made = make_of(options(wanted, &[40]), MEMORY, &bytes[..]).expect("a result");
            let (_, output, picture) = made.results.into_iter().next().expect("a result");
            (output, picture)
        };
        assert_eq!(output(&opaque, "auto").0, Output::Jpeg, "{format:?}");
        let (found, picture) = output(&transparent, "auto");
        assert_eq!(found, Output::Png, "{format:?}");
        assert_eq!(picture.get_pixel(5, 5).0[3], 0, "{format:?}");
        let (found, picture) = output(&transparent, "jpeg");
        assert_eq!(found, Output::Jpeg, "{format:?}");
        let ground = picture.get_pixel(5, 5).0;
        assert!(
            ground.iter().all(|channel| *channel > 250),
            "{format:?}: {ground:?}"
        );
        assert_eq!(output(&transparent, "webp").0, Output::WebP, "{format:?}");
    }
}

#[test]
fn colours_of_a_profile_are_converted_to_srgb() {
    let profile = ColorProfile::new_display_p3().encode().expect("a profile");
    let orange = DynamicImage::ImageRgb8(image::RgbImage::from_pixel(
        9,
        9,
        image::Rgb([200, 100, 50]),
    ));
    let made = |profile: Vec<u8>| {
        let bytes = samples::with_profile(&orange, profile);
        let made = make_of(options("png", &[9]), MEMORY, &bytes[..]).expect("a result");
        let colour = made.results[0].2.get_pixel(4, 4).0;
        let profile = serde_json::to_value(made.report.profile).expect("JSON");
        (profile, [colour[0], colour[1], colour[2]])
    };
    let (profile_use, colour) = made(profile);
    assert_eq!(profile_use, "applied");
    // As LittleCMS converts it.
    for (found, expected) in colour.into_iter().zip([215_u8, 93, 31]) {
        assert!(found.abs_diff(expected) <= 2, "{colour:?}");
    }
    assert_eq!(
        made(b"no profile".to_vec()),
        (json!("ignored"), [200, 100, 50])
    );
    let grey = ColorProfile::new_gray_with_gamma(2.2)
        .encode()
        .expect("a profile");
    assert_eq!(made(grey), (json!("ignored"), [200, 100, 50]));
}

#[test]
fn animation_gives_its_first_frame() {
    let (first, second) = (
        samples::picture(40, 30),
        samples::picture(40, 30).rotate180(),
    );
    let bytes = samples::animation(&[&first, &second]);
    let made = make_of(options("png", &[40]), MEMORY, &bytes[..]).expect("a result");
    assert!(made.report.is_animated);
    assert_near(&made.results[0].2, &first, 48, "the first frame");
}

#[test]
fn input_that_breaks_is_a_temporary_failure_and_not_the_end_of_the_image() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
    }
    for format in samples::FORMATS {
        let bytes = encoded(&samples::picture(100, 100), format);
        let broken = bytes[..bytes.len() - 1].chain(Broken);
        let failure = make_of(options("auto", &[9]), MEMORY, broken).expect_err("a failure");
        assert_eq!(failure.code(), "read", "{format:?}: {failure}");
        assert!(!failure.is_permanent(), "{format:?}: {failure}");
    }
}

#[test]
fn results_that_cannot_be_written_are_a_temporary_failure() {
    let options: Options = serde_json::from_value(options("auto", &[9])).expect("options");
    let checked = options.into_checked(|_| true).expect("valid options");
    let bytes = encoded(&samples::picture(9, 9), ImageFormat::Png);
    let input = Input {
        reader: &bytes[..],
        size: None,
    };
    let failure = resize(&checked, MEMORY, input, |_| {
        Err(io::ErrorKind::StorageFull.into())
    })
    .expect_err("a failure");
    assert_eq!(failure.code(), "write");
    assert!(!failure.is_permanent());
}
