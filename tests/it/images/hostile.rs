//! A hostile image is one failed job with a reason. The worker goes on.

use super::scene::Scene;

#[tokio::test]
async fn hostile_images_end_with_their_reason_while_the_worker_lives() {
    let scene = Scene::new().await;
    let expected = [
        ("without-its-end.jpg", "truncated-image"),
        ("without-its-end.png", "truncated-image"),
        ("without-its-end.gif", "truncated-image"),
        ("without-its-end.webp", "truncated-image"),
        ("hole.jpg", "corrupt-image"),
        ("bomb-50000.png", "too-many-pixels"),
        ("bomb-canvas.gif", "too-many-pixels"),
        ("bomb-tiny.jpg", "implausible-size"),
        ("bomb-scans.jpg", "corrupt-image"),
        ("noise.jpg", "not-an-image"),
        ("drawing.svg", "SVG"),
        ("photo.avif", "AVIF"),
    ];
    for (name, reason) in expected {
        let upload = scene.upload(name).await;
        let ended = scene.processed(&upload).await;
        assert_eq!(ended["status"], "Error", "{name}: {ended:#}");
        assert_eq!(
            ended["error"]["code"], "processing-failed",
            "{name}: {ended:#}"
        );
        let detail = ended["error"]["detail"].as_str().expect("a detail");
        assert!(detail.contains(reason), "{name}: {detail}");
        assert!(scene.results(&upload).await.is_empty(), "{name}");
    }
    let good = scene.upload("baseline.jpg").await;
    let processed = scene.processed(&good).await;
    assert_eq!(processed["status"], "Processed", "{processed:#}");
    assert_eq!(scene.results(&good).await.len(), 2);
    scene.stop().await;
}
