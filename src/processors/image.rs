//! `image-resize` as a processor: options in JSON, and failures in the form of all processors.

use std::io::{self, Write as _};

use serde_json::Value;

use super::image_resize::{self, Checked, Encoded, Input, Options, Output};
use super::inputs::Inputs;
use super::limits::Limits;
use super::outputs::Outputs;
use super::parse_options::{invalid_options, parse};
use super::processor::{Failure, OptionFault, Processor};
use super::result_type::{ResultType, is_result_name};

/// The processor `image-resize`.
pub(super) const IMAGE_RESIZE: Processor = Processor {
    name: "image-resize",
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
    check(options).err().unwrap_or_default()
}

fn check(options: &Value) -> Result<Checked, Vec<OptionFault>> {
    let options: Options = parse(options)?;
    options.check(is_result_name).map_err(|faults| {
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
    let checked = check(options).map_err(|faults| invalid_options(&faults))?;
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
