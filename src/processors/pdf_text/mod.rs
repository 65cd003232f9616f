//! `pdf-text`: extracts the text of a PDF document, page by page.
//!
//! ```text
//!   document (temporary file) ─▶ engine ─▶ PageWriter ─▶ the dataset .txt: the text of each page
//!                                                  └──▶ a record for each page: normalized, for the search
//! ```
//!
//! The engine is [`poppler`]: the programs `pdfinfo` and `pdftotext`, which run in processes of their
//! own. Poppler is licensed under the GPL; it is never linked. If another service has detected the
//! text, [`detected`] gives it the same outputs.
//!
//! | The document | Outcome |
//! |---|---|
//! | has text | success, with the number of pages and of pages with text |
//! | has only images | success, `scanned` in the report, no text |
//! | is damaged, and some pages can be read | success, `partial` in the report, with the number of missing pages |
//! | is damaged, and no page can be read | failure `pdf-damaged` |
//! | is no PDF | failure `pdf-not-recognized` |
//! | can be opened only with a password | failure `pdf-encrypted` |
//! | is encrypted, but opens without a password | success, whatever its author permits |
//! | has more than [`MAX_PAGES`](crate::domain::document::MAX_PAGES) pages | failure `pdf-too-many-pages` |
//! | needs more CPU time, memory or temporary files than allowed | failure that names the limit |
//!
//! | Fault | Outcome |
//! |---|---|
//! | the disk is full while a program writes its output | `scratch`, not permanent |
//! | `pdfinfo` ends without an error and without a number of pages | `program`, not permanent |
//! | the text of all pages is larger than the database takes | the rest is only in the dataset; `cut_pages` in the report |

mod detected;
mod document;
mod failure;
mod options;
mod page_reader;
mod page_writer;
mod poppler;
mod report;

use serde_json::Value;

use self::document::Document;
use self::failure::broken;
use self::page_writer::{PageWriter, TEXT};
use super::inputs::Inputs;
use super::limits::Limits;
use super::outputs::Outputs;
use super::parse_options::invalid_options;
use super::processor::{Failure, Processor, Source};

/// The programs that it starts.
pub(super) const PROGRAMS: &[&str] = &[poppler::PDFTOTEXT, poppler::PDFINFO];

pub(crate) use detected::DETECTED_TEXT;

/// The processor `pdf-text`.
pub(super) const PDF_TEXT: Processor = Processor {
    name: "pdf-text",
    source: Source::Dataset,
    results: &[TEXT],
    check_options: options::faults_of,
    run,
};

fn run(
    options: &Value,
    mut inputs: Inputs,
    outputs: &mut Outputs<'_>,
    limits: &Limits,
) -> Result<Value, Failure> {
    let options = options::parse(options).map_err(|faults| invalid_options(&faults))?;
    let input = inputs.next().transpose().map_err(broken)?;
    let input = input.ok_or_else(|| Failure::temporary("streams", "there is no input"))?;
    let document = Document::copy(input, limits)?;
    outputs.start(&TEXT, None).map_err(broken)?;
    let mut writer = PageWriter::new(outputs);
    let found = poppler::extract(&document, options.max_cpu_seconds, limits, &mut writer)?;
    let report = writer.finish(found).map_err(broken)?;
    serde_json::to_value(report).map_err(|error| Failure::permanent("report", error.to_string()))
}
