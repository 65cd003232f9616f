//! The text of a document that another service has detected, which Textract does: it only remains to be
//! written.

use serde::Deserialize;
use serde_json::Value;

use super::failure::broken;
use super::page_reader::copy_pages;
use super::page_writer::{PageWriter, TEXT};
use super::report::Found;
use crate::processors::inputs::Inputs;
use crate::processors::limits::Limits;
use crate::processors::outputs::Outputs;
use crate::processors::processor::{Failure, Processor, Source};

/// Writes the results of `pdf-text` from detected text: the text of each page, followed by a form feed.
/// It is no processor of its own that a rule could name.
pub(crate) const DETECTED_TEXT: Processor = Processor {
    name: "pdf-text-detected",
    source: Source::Dataset,
    results: &[TEXT],
    check_options: |_| Vec::new(),
    run,
};

/// What the worker knows of the document.
#[derive(Clone, Copy, Debug, Deserialize)]
struct Options {
    pages: u32,
    /// How many of these could not be read. Their text is empty.
    missing_pages: u32,
}

fn run(
    options: &Value,
    mut inputs: Inputs,
    outputs: &mut Outputs<'_>,
    _: &Limits,
) -> Result<Value, Failure> {
    let invalid =
        |error: serde_json::Error| Failure::permanent("invalid-options", error.to_string());
    let options = Options::deserialize(options).map_err(invalid)?;
    let input = inputs.next().transpose().map_err(broken)?;
    let input = input.ok_or_else(|| Failure::temporary("streams", "there is no input"))?;
    outputs.start(&TEXT, None).map_err(broken)?;
    let mut writer = PageWriter::new(outputs);
    copy_pages(input, options.pages, &mut writer)?;
    let report = writer.finish(Found {
        engine: "textract",
        pages: options.pages,
        missing_pages: options.missing_pages,
        ..Found::default()
    });
    let report = report.map_err(broken)?;
    serde_json::to_value(report).map_err(|error| Failure::permanent("report", error.to_string()))
}
