//! What is in a document, and the blocks that the service finds in it.

use serde_json::{Value, json};

/// A document.
#[derive(Clone, Debug)]
pub struct Document {
    /// The lines of each page.
    pub pages: Vec<Vec<String>>,
    /// How a run on it ends.
    pub end: End,
    /// The numbers of the pages that cannot be read.
    pub missing: Vec<u32>,
}

/// How a run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Succeeded,
    PartialSuccess,
    Failed,
}

impl End {
    pub fn as_str(self) -> &'static str {
        match self {
            End::Succeeded => "SUCCEEDED",
            End::PartialSuccess => "PARTIAL_SUCCESS",
            End::Failed => "FAILED",
        }
    }
}

impl Document {
    /// A document with these lines on each of its pages.
    pub fn new(pages: &[&[&str]]) -> Document {
        let lines = |page: &&[&str]| page.iter().map(|line| (*line).to_owned()).collect();
        Document {
            pages: pages.iter().map(lines).collect(),
            end: End::Succeeded,
            missing: Vec::new(),
        }
    }

    /// A document whose run ends in this way.
    pub fn ending(self, end: End) -> Document {
        Document { end, ..self }
    }

    /// A document of which these pages cannot be read.
    pub fn without(self, missing: &[u32]) -> Document {
        Document {
            missing: missing.to_vec(),
            end: End::PartialSuccess,
            ..self
        }
    }

    /// The blocks of the document: each page, its lines, and their words.
    pub fn blocks(&self) -> Vec<Value> {
        let mut blocks = Vec::new();
        for (number, lines) in (1_u32..).zip(&self.pages) {
            if self.missing.contains(&number) {
                continue;
            }
            blocks.push(block("PAGE", number, None, blocks.len()));
            for line in lines {
                blocks.push(block("LINE", number, Some(line), blocks.len()));
            }
            for word in lines.iter().flat_map(|line| line.split_whitespace()) {
                blocks.push(block("WORD", number, Some(word), blocks.len()));
            }
        }
        blocks
    }
}

fn block(kind: &str, page: u32, text: Option<&str>, number: usize) -> Value {
    let mut block = json!({
        "BlockType": kind,
        "Geometry": {
            "BoundingBox": {"Width": 0.5, "Height": 0.02, "Left": 0.1, "Top": 0.1},
            "Polygon": [{"X": 0.1, "Y": 0.1}, {"X": 0.6, "Y": 0.12}],
        },
        "Id": format!("00000000-0000-4000-8000-{number:012}"),
        "Page": page,
    });
    if let Some(text) = text {
        block["Text"] = json!(text);
        block["Confidence"] = json!(99.5);
    }
    block
}
