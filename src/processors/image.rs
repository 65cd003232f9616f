//! `image-resize` as a processor: options in JSON, and failures in the form of all processors.

use std::io::{self, Write as _};

use serde_json::Value;

use super::image_resize::{self, Checked, Encoded, Input, Options, Output};
use super::inputs::Inputs;
use super::limits::Limits;
use super::outputs::Outputs;
use super::parse_options::{invalid_options, parse};
use super::processor::{Failure, OptionFault, Processor, Source};
use super::result_type::{ResultType, is_result_name};

/// The processor `image-resize`.
pub(super) const IMAGE_RESIZE: Processor = Processor {
    name: "image-resize",
    source: Source::Dataset,
    results: &[JPEG, PNG, WEBP],
    check_options: faults_of,
    run,
};

const JPEG: ResultType = thumbnail("jpg", "image/jpeg");
const PNG: ResultType = thumbnail("png", "image/png");
const WEBP: ResultType = thumbnail("webp", "image/webp");

const fn thumbnail(extension: &'static str, content_type: &'static str) -> ResultType {
    ResultType {
        kind: "thumbnail",
        extension,
        content_type,
    }
}

fn faults_of(options: &Value) -> Vec<OptionFault> {
    parse_and_check(options).err().unwrap_or_default()
}

fn parse_and_check(options: &Value) -> Result<Checked, Vec<OptionFault>> {
    let options: Options = parse(options)?;
    options.into_checked(is_result_name).map_err(|faults| {
        let faults = faults.into_iter();
        faults
            .map(|fault| OptionFault::new(fault.field, fault.detail))
            .collect()
    })
}

fn run(
    options: &Value,
    mut inputs: Inputs,
    outputs: &mut Outputs<'_>,
    limits: &Limits,
) -> Result<Value, Failure> {
    let checked = parse_and_check(options).map_err(|faults| invalid_options(&faults))?;
    let input = inputs.next().unwrap_or_else(|| Err(no_input()));
    let input = input.map_err(|error| Failure::temporary("read", error.to_string()))?;
    let input = Input {
        size: input.size(),
        reader: input,
    };
    let write = |encoded: &Encoded<'_>| {
        let result_type = match encoded.output {
            Output::Jpeg => &JPEG,
            Output::Png => &PNG,
            Output::WebP => &WEBP,
        };
        outputs.start(result_type, Some(encoded.name))?;
        outputs.write_all(&encoded.bytes)
    };
    let report = image_resize::resize(&checked, limits.memory_bytes, input, write);
    let report = report.map_err(|failure| Failure {
        code: failure.code().to_owned(),
        message: failure.to_string(),
        is_permanent: failure.is_permanent(),
    })?;
    serde_json::to_value(report).map_err(|error| Failure::permanent("report", error.to_string()))
}

fn no_input() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "there is no input")
}

#[cfg(test)]
mod tests {
    use image::{DynamicImage, ImageFormat, RgbImage};
    use serde_json::json;

    use super::*;
    use crate::processors::outputs::Written;

    fn limits() -> Limits {
        Limits {
            memory_bytes: 16 << 20,
            output_bytes: 1 << 20,
            spill_bytes: 1 << 20,
            scratch: std::env::temp_dir(),
        }
    }

    fn sizes() -> Value {
        json!({"sizes": [
            {"name": "small", "max_width": 10, "max_height": 10},
            {"name": "large", "max_width": 40, "max_height": 40},
        ]})
    }

    fn run_on(bytes: Vec<u8>, options: &Value) -> Result<(Value, Written), Failure> {
        let limits = limits();
        let mut outputs = Outputs::new(io::sink(), &limits);
        let inputs = Inputs::whole(io::Cursor::new(bytes));
        let report = run(options, inputs, &mut outputs, &limits)?;
        Ok((report, outputs.finish().expect("no fault")))
    }

    #[test]
    fn each_size_is_a_result_with_its_name() {
        let picture = DynamicImage::ImageRgb8(RgbImage::new(80, 40));
        let mut bytes = io::Cursor::new(Vec::new());
        picture
            .write_to(&mut bytes, ImageFormat::Png)
            .expect("an image");
        let (report, written) = run_on(bytes.into_inner(), &sizes()).expect("results");
        assert_eq!(report["width"], 80, "{report:#}");
        let results = written.results.iter();
        let results = results.map(|result| (&*result.extension, result.name.as_deref()));
        let expected = [("jpg", Some("large")), ("jpg", Some("small"))];
        assert_eq!(results.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn refused_image_is_a_permanent_failure_that_names_the_format() {
        let avif = b"\0\0\0\x1cftypavif\0\0\0\0".to_vec();
        let failure = run_on(avif, &sizes()).expect_err("a failure");
        assert_eq!(failure.code, "unsupported-format");
        assert!(failure.message.contains("AVIF"), "{failure:?}");
        assert!(failure.is_permanent, "{failure:?}");
    }

    #[test]
    fn faults_of_options_are_named_by_their_field() {
        assert_eq!(faults_of(&sizes()), []);
        for (options, field) in [
            (json!({}), ""),
            (json!({"sizes": []}), "sizes"),
            (json!({"sizes": [{"name": "a"}]}), "sizes[0]"),
            (
                json!({"sizes": [{"name": "A", "max_width": 1, "max_height": 1}]}),
                "sizes[0].name",
            ),
            (json!({"sizes": [], "format": "avif"}), "format"),
        ] {
            let faults = faults_of(&options);
            assert!(
                faults.iter().any(|fault| fault.field == field),
                "{field}: {faults:?}"
            );
        }
    }
}
