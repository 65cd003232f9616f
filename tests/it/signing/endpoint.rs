//! The endpoint comes from the SDK: every partition and every option gives the host that AWS
//! documents, without the network and without credentials.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Builder, Region};
use upload_broker::objects::client::build;
use upload_broker::objects::endpoint::{Endpoint, Error};

use super::scene::{Scene, wait};

fn learnt(scene: &Scene) -> Endpoint {
    scene.signer().endpoint().clone()
}

#[track_caller]
fn assert_origin(scene: Scene, origin: &str, base_path: &str) {
    let endpoint = learnt(&scene);
    let found = (endpoint.origin(), endpoint.base_path(), endpoint.region());
    assert_eq!(found, (origin, base_path, scene.region), "for {scene:?}");
    assert_eq!(endpoint.service(), "s3", "for {scene:?}");
}

#[test]
fn each_aws_partition_has_its_own_domain() {
    for (region, domain) in [
        ("us-east-1", "amazonaws.com"),
        ("eu-central-1", "amazonaws.com"),
        ("us-gov-west-1", "amazonaws.com"),
        ("cn-north-1", "amazonaws.com.cn"),
    ] {
        let origin = format!("https://bucket.s3.{region}.{domain}");
        assert_origin(Scene::aws(region, "bucket"), &origin, "/");
    }
}

#[test]
fn dual_stack_fips_and_accelerate_change_the_host() {
    let west = || Scene::aws("us-west-2", "bucket");
    let dual_stack = Scene {
        dual_stack: true,
        ..west()
    };
    assert_origin(
        dual_stack,
        "https://bucket.s3.dualstack.us-west-2.amazonaws.com",
        "/",
    );
    let fips = Scene {
        fips: true,
        ..west()
    };
    assert_origin(fips, "https://bucket.s3-fips.us-west-2.amazonaws.com", "/");
    let both = Scene {
        fips: true,
        dual_stack: true,
        ..Scene::aws("us-gov-west-1", "bucket")
    };
    assert_origin(
        both,
        "https://bucket.s3-fips.dualstack.us-gov-west-1.amazonaws.com",
        "/",
    );
    let accelerate = Scene {
        accelerate: true,
        ..west()
    };
    assert_origin(
        accelerate,
        "https://bucket.s3-accelerate.amazonaws.com",
        "/",
    );
}

#[test]
fn dotted_bucket_name_uses_path_style_with_https() {
    let dotted = || Scene::aws("eu-west-1", "dotted.bucket.name");
    assert_origin(
        dotted(),
        "https://s3.eu-west-1.amazonaws.com",
        "/dotted.bucket.name/",
    );
    let plain = Scene::custom("http://store.example", "dotted.bucket.name", false);
    assert_origin(plain, "http://dotted.bucket.name.store.example", "/");
    let custom = Scene::custom("https://store.example", "dotted.bucket.name", false);
    assert_origin(custom, "https://store.example", "/dotted.bucket.name/");
}

#[test]
fn custom_endpoint_keeps_its_port_and_path() {
    let path_style = Scene::custom("http://127.0.0.1:9000/store/", "bucket", true);
    assert_origin(path_style, "http://127.0.0.1:9000", "/store/bucket/");
    // The broker's own client accepts both spellings of the same endpoint.
    for url in [
        "http://store.example:9000/store",
        "http://store.example:9000/store/",
    ] {
        let config = aws_config::SdkConfig::builder()
            .behavior_version(aws_config::BehaviorVersion::latest())
            .region(aws_config::Region::new("us-east-1"))
            .endpoint_url(url)
            .build();
        for client in [build(&config, true, None), build(&config, true, Some(url))] {
            let endpoint = wait(Endpoint::resolve(&client, "bucket")).expect("an endpoint");
            assert_eq!(endpoint.base_path(), "/store/bucket/", "{url}");
        }
        let client = build(&config, false, None);
        let endpoint = wait(Endpoint::resolve(&client, "bucket")).expect("an endpoint");
        assert_eq!(endpoint.base_path(), "/store/", "{url}");
    }
    let virtual_host = Scene::custom("https://store.example:9443", "bucket", false);
    assert_origin(virtual_host, "https://bucket.store.example:9443", "/");
}

#[test]
fn host_header_omits_the_default_port_of_the_scheme() {
    for (url, origin, host) in [
        (
            "https://h.example:443",
            "https://h.example:443",
            "h.example",
        ),
        ("http://h.example:80", "http://h.example:80", "h.example"),
        (
            "http://h.example:443",
            "http://h.example:443",
            "h.example:443",
        ),
        (
            "https://h.example:4443",
            "https://h.example:4443",
            "h.example:4443",
        ),
    ] {
        let endpoint = learnt(&Scene::custom(url, "bucket", true));
        assert_eq!((endpoint.origin(), endpoint.host()), (origin, host));
    }
}

#[test]
fn endpoint_needs_a_region_but_no_credentials() {
    let config = || Builder::new().behavior_version(BehaviorVersion::v2026_01_12());
    let no_credentials = config().region(Region::new("eu-west-1")).build();
    let learnt = wait(Endpoint::resolve(
        &Client::from_conf(no_credentials),
        "bucket",
    ));
    assert_eq!(learnt.unwrap().host(), "bucket.s3.eu-west-1.amazonaws.com");

    let no_region = Client::from_conf(config().build());
    let error = wait(Endpoint::resolve(&no_region, "bucket")).unwrap_err();
    assert!(matches!(error, Error::Presign { .. }), "{error:?}");
    assert!(format!("{error:?}").contains("egion"), "{error:?}");
}

#[test]
fn directory_bucket_is_rejected_by_its_name() {
    let client = Scene::aws("us-west-2", "unused").client();
    let error = wait(Endpoint::resolve(&client, "b--usw2-az1--x-s3")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "bucket \"b--usw2-az1--x-s3\" is a directory bucket (S3 Express One Zone): not supported"
    );
}

#[test]
fn virtual_host_style_with_ip_literal_is_rejected() {
    let client = Scene::custom("http://[::1]:9000", "dotted.bucket.name", false).client();
    let error = wait(Endpoint::resolve(&client, "dotted.bucket.name")).unwrap_err();
    assert!(
        error.to_string().ends_with("has no readable host"),
        "{error}"
    );
    let path_style = Scene::custom("http://[::1]:9000", "dotted.bucket.name", true);
    assert_origin(path_style, "http://[::1]:9000", "/dotted.bucket.name/");
}
