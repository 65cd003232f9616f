//! The thumbnails of an upload are datasets of the tenant, as any other.

use image::{GenericImageView as _, ImageFormat};
use reqwest::StatusCode;

use super::scene::Scene;
use crate::support::app::id;

#[tokio::test]
async fn upload_of_a_photo_leads_to_an_upright_thumbnail_of_each_size() {
    let scene = Scene::new().await;
    let upload = scene.upload("orientation-6.jpg").await;
    let processed = scene.processed(&upload).await;
    assert_eq!(processed["status"], "Processed", "{processed:#}");
    let results = scene.results(&upload).await;
    let expected = [("large", (107, 160)), ("small", (21, 32))];
    assert_eq!(results.len(), expected.len(), "{results:#?}");
    for (result, (name, dimensions)) in results.iter().zip(expected) {
        let path = format!("/derived/{}/image-resize-{name}.jpg", id(&upload));
        assert_eq!(result["path"], path, "{result:#}");
        assert_eq!(result["kind"], "thumbnail", "{result:#}");
        let url = result["download_url"].as_str().expect("a URL");
        let response = scene.caller.http.get(url).send().await.expect("S3");
        assert_eq!(response.status(), StatusCode::OK, "{name}");
        assert_eq!(response.headers()["content-type"], "image/jpeg", "{name}");
        let bytes = response.bytes().await.expect("the bytes");
        let picture = image::load_from_memory_with_format(&bytes, ImageFormat::Jpeg);
        assert_eq!(
            picture.expect("an image").dimensions(),
            dimensions,
            "{name}"
        );
        let listed = scene.caller.get(&format!("/uploads?path={path}")).await;
        let listed = listed.expect(StatusCode::OK);
        assert_eq!(listed[0]["derived_from"], upload["id"], "{listed:#}");
    }
    scene.stop().await;
}

#[tokio::test]
async fn thumbnails_of_a_transparent_image_are_png_whatever_its_name() {
    let scene = Scene::new().await;
    for name in ["palette-transparent.png", "lossy-alpha.webp", "offset.gif"] {
        let upload = scene.upload(name).await;
        let processed = scene.processed(&upload).await;
        assert_eq!(processed["status"], "Processed", "{processed:#}");
        for result in scene.results(&upload).await {
            let path = result["path"].as_str().expect("a path");
            assert!(path.ends_with(".png"), "{name}: {path}");
        }
    }
    scene.stop().await;
}
