//! One answer with results of a run.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_textract::operation::get_document_text_detection::GetDocumentTextDetectionOutput;
use aws_sdk_textract::types::{Block, BlockType, JobStatus};

use crate::domain::text_detection::DetectedText;

/// The answer to a call for the results of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The run has not ended yet.
    Running,
    /// The run has failed, for the reason that Textract gives.
    Failed {
        /// The reason.
        reason: String,
    },
    /// The run has ended, and this is a part of its results.
    Results(ResultPage),
}

/// A part of the results of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResultPage {
    /// The number of pages of the document.
    pub pages: u32,
    /// The lines of this part, in the order of the pages. Each line ends with a line feed.
    pub texts: Vec<DetectedText>,
    /// Pages that could not be read.
    pub missing: BTreeSet<u32>,
    /// The token of the next part; `None` if this is the last one.
    pub next_answer: Option<String>,
}

impl From<GetDocumentTextDetectionOutput> for Answer {
    fn from(output: GetDocumentTextDetectionOutput) -> Self {
        match output.job_status() {
            Some(JobStatus::Succeeded | JobStatus::PartialSuccess) => {
                Self::Results(ResultPage::from(output))
            }
            Some(JobStatus::Failed) => Self::Failed {
                reason: output.status_message.unwrap_or_default(),
            },
            _ => Self::Running,
        }
    }
}

impl From<GetDocumentTextDetectionOutput> for ResultPage {
    fn from(output: GetDocumentTextDetectionOutput) -> Self {
        let pages = output.document_metadata.and_then(|document| document.pages);
        let warnings = output.warnings.unwrap_or_default();
        let missing = warnings.iter().flat_map(|warning| warning.pages());
        let mut texts: BTreeMap<u32, String> = BTreeMap::new();
        for block in output.blocks.unwrap_or_default() {
            if let Some((page, line)) = line_of(block) {
                let text = texts.entry(page).or_default();
                text.push_str(&line);
                text.push('\n');
            }
        }
        let texts = texts.into_iter();
        Self {
            pages: pages.map_or(0, page_number),
            texts: texts
                .map(|(page, text)| DetectedText { page, text })
                .collect(),
            missing: missing.copied().map(page_number).collect(),
            next_answer: output.next_token,
        }
    }
}

/// The number of the page and the text of a line; `None` for other blocks. The words of a line are
/// blocks, too.
fn line_of(block: Block) -> Option<(u32, String)> {
    if block.block_type != Some(BlockType::Line) {
        return None;
    }
    // A document with one page has no page numbers.
    let page = block.page.map_or(1, page_number);
    // What separates lines and pages later, and NUL, which Postgres cannot store.
    let text = block.text?;
    Some((page, text.replace(['\n', '\r', '\u{c}', '\0'], " ")))
}

fn page_number(number: i32) -> u32 {
    u32::try_from(number).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use aws_sdk_textract::types::{DocumentMetadata, Warning};

    use super::*;

    fn block(kind: BlockType, page: Option<i32>, text: &str) -> Block {
        let block = Block::builder().block_type(kind).set_page(page);
        block.text(text).build()
    }

    #[test]
    fn lines_are_collected_by_page() {
        let warning = Warning::builder().error_code("X").pages(3).pages(2).build();
        let output = GetDocumentTextDetectionOutput::builder()
            .job_status(JobStatus::PartialSuccess)
            .document_metadata(DocumentMetadata::builder().pages(4).build())
            .blocks(Block::builder().block_type(BlockType::Page).page(1).build())
            .blocks(block(BlockType::Line, Some(1), "one\ntwo"))
            .blocks(block(BlockType::Word, Some(1), "one"))
            .blocks(block(BlockType::Line, Some(4), "four"))
            .blocks(block(BlockType::Line, None, "no number"))
            .warnings(warning)
            .next_token("next");
        let text = |page, text: &str| DetectedText {
            page,
            text: text.to_owned(),
        };
        let expected = ResultPage {
            pages: 4,
            texts: vec![text(1, "one two\nno number\n"), text(4, "four\n")],
            missing: BTreeSet::from([2, 3]),
            next_answer: Some("next".to_owned()),
        };
        assert_eq!(Answer::from(output.build()), Answer::Results(expected));
    }

    #[test]
    fn run_without_an_end_is_running() {
        let output = GetDocumentTextDetectionOutput::builder();
        let in_progress = output.clone().job_status(JobStatus::InProgress).build();
        assert_eq!(Answer::from(in_progress), Answer::Running);
        assert_eq!(Answer::from(output.clone().build()), Answer::Running);
        let failed = output.job_status(JobStatus::Failed).status_message("why");
        let reason = "why".to_owned();
        assert_eq!(Answer::from(failed.build()), Answer::Failed { reason });
    }
}
