//! Documents that LibreOffice, qpdf and poppler have made (`tests/corpus/other_tools`).

use std::path::Path;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::StatusCode;

use super::scene::Scene;

/// Words, and the pages that they are on.
type Words = &'static [(&'static str, u64)];

/// A document, a part of the report or the failure of its job, and its words.
const DOCUMENTS: &[(&str, &str, Words)] = &[
    (
        "libreoffice-writer",
        r#""pages":3"#,
        &[
            ("office file", 1),
            ("déjà", 2),
            ("الميناء", 2),
            ("港湾報告", 2),
            ("lighthouse", 3),
        ],
    ),
    (
        "libreoffice-calc",
        r#""pages":1"#,
        &[("Cormorant", 1), ("4711", 1)],
    ),
    (
        "qpdf-linearized",
        r#""pages":3"#,
        &[("tonnage", 1), ("Grüße", 2), ("lighthouse", 3)],
    ),
    (
        "qpdf-encrypted-owner",
        r#""encrypted":true"#,
        &[("Albatross", 1)],
    ),
    ("qpdf-encrypted-user", "(pdf-encrypted)", &[]),
    (
        "qpdf-rotated",
        r#""pages":2"#,
        &[("Cormorant", 1), ("lighthouse", 2)],
    ),
    (
        "poppler-united",
        r#""pages":4"#,
        &[("Cormorant", 1), ("office", 2), ("lighthouse", 4)],
    ),
    ("poppler-cairo", r#""text_pages":1"#, &[("Cormorant", 1)]),
];

#[tokio::test]
async fn documents_of_other_tools_have_their_words_on_their_pages() {
    let scene = Scene::new().await;
    let worker = scene.worker().spawn();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/other_tools");
    for (name, outcome, words) in DOCUMENTS {
        let bytes = std::fs::read(folder.join(format!("{name}.pdf"))).expect("the document");
        let upload = scene.caller.upload(&format!("/{name}.pdf"), bytes).await;
        let status = match outcome.starts_with('(') {
            true => "Error",
            false => "Processed",
        };
        scene.wait_for_status(&upload, status).await;
        let job = scene.job(&upload).await;
        assert!(job.to_string().contains(outcome), "{name}: {job:#}");
        for (word, page) in *words {
            let word = utf8_percent_encode(word, NON_ALPHANUMERIC);
            let found = scene
                .caller
                .get(&format!("/search?q={word}&prefix=/{name}"))
                .await;
            let found = found.expect(StatusCode::OK);
            let pages: Vec<_> = (found.as_array().expect("an array").iter())
                .filter_map(|hit| hit["page"].as_u64())
                .collect();
            assert_eq!(pages, [*page], "{name}: {word}: {found:#}");
        }
    }
    worker.stop("TERM").await.ok();
}
