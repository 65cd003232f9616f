//! What is a word for the search, whatever a page consists of.

use std::time::{Duration, Instant};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::scene::store_text;
use crate::support::app::App;

async fn search(app: &App, query: &str) -> Value {
    let query = utf8_percent_encode(query, NON_ALPHANUMERIC);
    let found = app.get(&format!("/search?q={query}")).await;
    found.expect(StatusCode::OK)
}

/// The parser of Postgres takes from ten seconds to a minute for each of these pages as they are.
#[tokio::test]
async fn page_of_markup_is_stored_and_searched_about_as_fast_as_a_page_of_words() {
    let app = App::start().await;
    let words = ["book ", "it ", "3 ", "is it ", "two words ", "a b ", "c "];
    let plain = store_and_search_repeated(&app, "/in/words.pdf", &words, "plain").await;
    let markup = ["<!--", "~/", "./", "a_", "-1-e", "a-1.", "a@b."];
    let took = store_and_search_repeated(&app, "/in/markup.pdf", &markup, "findable").await;

    assert!(
        took < 30 * plain,
        "{took:?} with markup, {plain:?} with words"
    );
}

/// Stores pages that consist of these texts, repeated, and one word. Returns how long it took to store them and to
/// find the word.
async fn store_and_search_repeated(app: &App, path: &str, texts: &[&str], word: &str) -> Duration {
    let upload = app.upload(path, "x", json!({})).await;
    let pages = texts.iter().map(|text| {
        let repeated: String = text.chars().cycle().take(59_980).collect();
        format!("{repeated} {word}")
    });
    let pages: Vec<String> = pages.collect();
    let pages: Vec<&str> = pages.iter().map(|page| &**page).collect();
    let started = Instant::now();
    store_text(app, &upload, "default", &pages).await;
    let found = search(app, word).await;
    let took = started.elapsed();
    let found = found.as_array().map(Vec::len);
    assert_eq!(found, Some(pages.len()), "{path}: {found:#?}");
    took
}

#[tokio::test]
async fn words_inside_of_tags_addresses_and_compounds_are_found() {
    let app = App::start().await;
    let upload = app.upload("/in/a.pdf", "x", json!({})).await;
    let text = "a <b hidden word c> of R&D; income/expense, bob_smith@example.com, covid-19 on \
        2026-01-05: 3.14 +49-30-1234 end.Next http://files.example/report_final.pdf?x=y";
    store_text(&app, &upload, "default", &[text]).await;
    for query in [
        "hidden",
        "\"hidden word\"",
        "D",
        "expense",
        "income/expense",
        "smith",
        "bob_smith@example.com",
        "covid",
        "covid-19",
        "19",
        "2026-01-05",
        "3.14",
        "+49-30-1234",
        "1234",
        "next",
        "report",
        "http://files.example/report_final.pdf",
        "hidden -absent",
    ] {
        let found = search(&app, query).await;
        assert_eq!(
            found.as_array().map(Vec::len),
            Some(1),
            "{query}: {found:#}"
        );
    }
    // Such words are phrases, and only a hyphen before a word excludes it.
    for query in [
        "expense/income",
        "19-covid",
        "smith_bob",
        "hidden -word",
        "-19",
    ] {
        assert_eq!(search(&app, query).await, json!([]), "{query}");
    }
    // The snippet has the characters of the page.
    let found = search(&app, "\"word c\"").await;
    let snippet = "⟦word⟧ ⟦c⟧> of R&D; income/expense, bob_smith@example.com, covid-19 on";
    let start = found[0]["snippet"].as_str().expect("a snippet");
    assert!(start.starts_with(snippet), "{start}");
}

/// The locale of the database decides which characters are letters. In the one of the tests, all are
/// that are not ASCII.
#[tokio::test]
async fn query_whose_words_are_none_for_postgres_finds_nothing() {
    let app = App::start().await;
    let upload = app.upload("/in/a.pdf", "x", json!({})).await;
    store_text(&app, &upload, "default", &["apples"]).await;
    assert_eq!(search(&app, "apples").await[0]["page"], 1);
    app.sql()
        .await
        .batch_execute(
            "CREATE OR REPLACE FUNCTION search_query(text) RETURNS tsquery LANGUAGE sql IMMUTABLE
             AS $$ SELECT ''::tsquery $$",
        )
        .await
        .expect("a function");
    assert_eq!(search(&app, "\u{16ea0}").await, json!([]));
}
