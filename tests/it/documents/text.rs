//! The text of an upload, page by page.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::scene::Scene;
use crate::support::app::id;
use crate::support::reply::Reply;

fn numbers(text: &Value) -> Vec<u64> {
    let pages = text["text"].as_array().expect("an array").iter();
    pages
        .map(|page| page["page"].as_u64().expect("a number"))
        .collect()
}

#[tokio::test]
async fn text_of_each_page_is_read_alone_in_order_and_as_a_stream() {
    let scene = Scene::new().await;
    let worker = scene.worker().spawn();
    let upload = scene.upload("pages-12").await;
    scene.wait_for_status(&upload, "Processed").await;
    let job = scene.job(&upload).await;
    assert_eq!(job["report"]["pages"], 12, "{job:#}");
    assert_eq!(job["report"]["text_pages"], 12, "{job:#}");
    assert_eq!(job["report"]["partial"], false, "{job:#}");
    let third = scene.text(&upload, "?page=3").await.expect(StatusCode::OK);
    assert_eq!(third["pages"], 12, "{third:#}");
    assert_eq!(numbers(&third), [3], "{third:#}");
    let text = third["text"][0]["text"].as_str().expect("a text");
    assert!(text.starts_with("page number3\n"), "{text}");
    let beyond = scene.text(&upload, "?page=13").await;
    assert_eq!(numbers(&beyond.expect(StatusCode::OK)), [0; 0]);
    // Pages of pages.
    let (mut path, mut read) = (format!("/uploads/{}/text?limit=5", id(&upload)), vec![]);
    loop {
        let reply = scene.caller.get(&path).await;
        let next = reply.header("link").map(str::to_owned);
        read.push(numbers(&reply.expect(StatusCode::OK)));
        let Some(link) = next else {
            break;
        };
        let link = link.trim_start_matches('<').split('>').next();
        path = link.expect("a path").to_owned();
    }
    let all: Vec<u64> = (1..=12).collect();
    assert_eq!(read, [&all[..5], &all[5..10], &all[10..]]);
    // All of them as NDJSON.
    let request = scene
        .caller
        .request(Method::GET, &format!("/uploads/{}/text", id(&upload)))
        .header("accept", "application/x-ndjson");
    let lines = Reply::of(request).await.expect_ok().body;
    let lines: Vec<Value> = (lines.lines())
        .map(|line| serde_json::from_str(line).expect(line))
        .collect();
    assert_eq!(lines.len(), 12, "{lines:#?}");
    assert_eq!(lines[2], third["text"][0]);
    // The same as a dataset, in which a form feed ends each page.
    let results = format!("/uploads/{}/results", id(&upload));
    let results = scene.caller.get(&results).await.expect(StatusCode::OK);
    assert_eq!(results[0]["kind"], "text", "{results:#}");
    let url = results[0]["download_url"].as_str().expect("a URL");
    let whole = Reply::of(scene.caller.http.get(url)).await.expect_ok().body;
    let pages: Vec<&str> = whole.split('\x0c').collect();
    assert_eq!(pages.len(), 13, "{}", whole.len());
    assert!(pages[2].starts_with("page number3\n"), "{}", pages[2]);
    worker.stop("TERM").await.ok();
}

#[tokio::test]
async fn words_are_found_in_every_script_and_layout() {
    let scene = Scene::new().await;
    let worker = scene.worker().spawn();
    let cases = [
        ("cjk", "東京", 1),
        ("cjk-without-fonts", "都庁", 1),
        ("arabic", "سنوي", 1),
        ("ligatures", "office file", 1),
        ("ligatures", "DATA café", 1),
        ("nul-and-bidi", "beta", 1),
        ("nul-and-bidi", "gamma epsilon", 1),
        ("two-columns", "\"the left column has line left3 here\"", 1),
        (
            "two-columns",
            "\"the right column has line right29 here\"",
            1,
        ),
        ("rotated", "270 degrees", 4),
        ("form-feeds", "three", 2),
        ("form-feeds", "third", 3),
        ("no-text-on-a-page", "third", 3),
        ("encrypted-owner", "surplus", 1),
    ];
    let mut uploads: Vec<(&str, Value)> = Vec::new();
    for (name, _, _) in cases {
        if !uploads.iter().any(|(known, _)| *known == name) {
            uploads.push((name, scene.upload(name).await));
        }
    }
    for (_, upload) in &uploads {
        scene.wait_for_status(upload, "Processed").await;
    }
    for (name, query, page) in cases {
        let encoded = utf8_percent_encode(query, NON_ALPHANUMERIC);
        let path = format!("/search?prefix=/in/{name}.pdf&q={encoded}");
        let hits = scene.caller.get(&path).await.expect(StatusCode::OK);
        assert_eq!(hits[0]["page"], json!(page), "{name}: {query:?}: {hits:#}");
        assert_eq!(hits.as_array().map(Vec::len), Some(1), "{name}: {hits:#}");
    }
    worker.stop("TERM").await.ok();
}
