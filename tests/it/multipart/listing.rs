//! Listings of parts and of open uploads are complete over any number of pages.

use futures::TryStreamExt as _;
use futures::{StreamExt as _, stream};

use super::scene::{KEY, Scene};

#[tokio::test]
async fn parts_are_listed_over_all_pages_in_order() {
    let scene = Scene::new().await;
    let upload = scene.begin(None).await;
    assert_eq!(scene.parts(&upload).await, [], "an upload without parts");
    // Every part except 500 and 1500; S3 lists a thousand of them on a page.
    let numbers: Vec<u32> = (1..=2_100).filter(|number| number % 1_000 != 500).collect();
    let body = |number: &u32| "x".repeat(1 + *number as usize % 7);
    let (scene, upload) = (&scene, &upload);
    let sent = stream::iter(&numbers).map(async |number| {
        scene.part(upload, *number, &body(number)).await;
    });
    sent.buffer_unordered(8).collect::<()>().await;

    let parts = scene.parts(upload).await;
    let found: Vec<_> = parts.iter().map(|part| part.number).collect();
    assert_eq!(found, numbers);
    for part in &parts {
        assert_eq!(part.size, body(&part.number).len() as u64, "{part:?}");
    }
    let pages: Vec<_> = (scene.store.parts_pages(KEY, upload))
        .try_collect()
        .await
        .unwrap();
    let lengths: Vec<_> = pages.iter().map(Vec::len).collect();
    assert_eq!(lengths, [1_000, 1_000, 98]);
    assert_eq!(pages.concat(), parts);
}

#[tokio::test]
async fn unknown_upload_has_no_parts() {
    let scene = Scene::new().await;
    let upload = scene.begin(None).await;
    for (key, upload) in [(KEY, "never-begun"), ("another/key", upload.as_str())] {
        assert_eq!(scene.store.all_parts(key, upload).await.unwrap(), None);
        let pages = scene.store.parts_pages(key, upload);
        assert_eq!(pages.try_collect::<Vec<_>>().await.unwrap().len(), 0);
    }
}

#[tokio::test]
async fn open_uploads_are_listed_by_prefix_and_page() {
    let scene = Scene::new().await;
    let mut begun = Vec::new();
    for key in ["a/1", "a/1", "a/2 ü+%", "a/3", "b/1"] {
        begun.push((key.to_owned(), scene.begin_at(key, None).await));
    }
    let mut expected: Vec<_> = (begun.iter())
        .filter(|(key, _)| key.starts_with("a/"))
        .cloned()
        .collect();
    expected.sort();
    let (mut found, mut after, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = scene.store.list_multipart("a/", 3, after.as_ref()).await;
        let page = page.unwrap();
        pages += 1;
        for upload in page.uploads {
            let age = crate::support::app::now() - upload.initiated;
            assert!(age.num_minutes().abs() < 5, "{upload:?}");
            found.push((upload.key, upload.upload_id));
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    found.sort();
    assert_eq!((found, pages), (expected, 2));

    for (key, upload) in &begun {
        scene.store.abort_multipart(key, upload).await.unwrap();
    }
    let none = scene.store.list_multipart("", 1_000, None).await.unwrap();
    assert_eq!((none.uploads, none.next), (vec![], None));
}
