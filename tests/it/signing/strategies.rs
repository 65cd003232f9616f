//! Random requests to sign, with a preference for values that are easy to get wrong.

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use upload_broker::domain::encryption::Encryption;

use super::scene::Scene;

/// Any bucket on any endpoint that the SDK can sign for.
pub fn scene() -> impl Strategy<Value = Scene> {
    let place = prop_oneof![aws(), custom()];
    let who = (
        "[A-Z0-9]{16,20}",
        "[A-Za-z0-9/+]{8,90}",
        option::of("[A-Za-z0-9/+=]{1,900}"),
    );
    let when = (0u64..4_102_444_800, 0u32..1_000_000_000, 1u32..=604_800);
    (place, who, when).prop_map(|(place, (access_key, secret, token), when)| Scene {
        access_key,
        secret,
        token,
        seconds: when.0,
        nanos: when.1,
        expires_in: when.2,
        ..place
    })
}

fn aws() -> impl Strategy<Value = Scene> {
    let regions = [
        "us-east-1",
        "eu-central-1",
        "ap-southeast-2",
        "us-gov-west-1",
        "cn-north-1",
    ];
    let extras = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    (select(regions.to_vec()), bucket(), extras).prop_map(
        |(region, bucket, (path_style, fips, dual_stack, accelerate))| {
            let partition = !region.starts_with("cn-") && !region.starts_with("us-gov-");
            Scene {
                path_style,
                // Combinations that AWS does not have are rejected by the SDK.
                fips: fips && !region.starts_with("cn-"),
                dual_stack,
                accelerate: accelerate
                    && partition
                    && !fips
                    && !path_style
                    && !bucket.contains('.'),
                ..Scene::aws(region, bucket)
            }
        },
    )
}

fn custom() -> impl Strategy<Value = Scene> {
    let host = select(&["localhost", "minio.example.com", "127.0.0.1", "[::1]"][..]);
    let port = select(&["", ":80", ":443", ":9000"][..]);
    let base = select(&["", "/", "/s3", "/a/b/", "/with%20space"][..]);
    let scheme = select(&["http", "https"][..]);
    (scheme, host, port, base, bucket(), any::<bool>()).prop_map(
        |(scheme, host, port, base, bucket, path_style)| {
            // A bucket name cannot be put before an IPv6 literal.
            let path_style = path_style || host == "[::1]";
            Scene::custom(
                &format!("{scheme}://{host}{port}{base}"),
                bucket,
                path_style,
            )
        },
    )
}

fn bucket() -> impl Strategy<Value = &'static str> {
    select(&["bucket", "my-bucket-01", "dotted.bucket.name"][..])
}

/// Keys of unusual pieces, and any text. The SDK rejects blank ones.
pub fn key() -> impl Strategy<Value = String> {
    let pieces = [
        " ", "+", "%", "~", "*", "'", "\"", "(", ")", "//", "/", ".", "..", "%20", "%2F", "ü",
        "u\u{308}", "日本", "🐱", "&", "=", "?", "#", "@", ":", ";", ",", "$", "!", "[", "]", "{",
        "}", "|", "\\", "^", "`", "<", ">", "-", "_", "\u{7f}", "\n", "\0", "data", "Z9",
    ];
    let odd = vec(select(pieces.to_vec()), 1..14).prop_map(|pieces| pieces.concat());
    prop_oneof![3 => odd, 1 => any::<String>()]
        .prop_filter("a blank key", |key| !key.trim().is_empty())
}

/// Header values with any number of blanks, any printable characters, and text beyond ASCII.
pub fn value() -> impl Strategy<Value = String> {
    prop_oneof!["[ -~]{0,40}", "[ a]{0,9}", "[ -~äß日🐱]{1,20}"]
}

pub fn optional() -> impl Strategy<Value = Option<String>> {
    option::of(value())
}

pub fn metadata() -> impl Strategy<Value = Vec<(String, String)>> {
    btree_map("[a-z][a-z0-9-]{0,12}", value(), 0..4)
        .prop_map(|metadata| metadata.into_iter().collect())
}

/// The name of a checksum header and a value.
pub fn checksum() -> impl Strategy<Value = Option<(&'static str, String)>> {
    let headers = [
        "x-amz-checksum-crc32",
        "x-amz-checksum-crc32c",
        "x-amz-checksum-crc64nvme",
        "x-amz-checksum-sha1",
        "x-amz-checksum-sha256",
    ];
    option::of((select(headers.to_vec()), "[A-Za-z0-9+/]{6,43}={0,2}"))
}

/// Any encryption at rest, or none.
pub fn encryption() -> impl Strategy<Value = Option<Encryption>> {
    let kms = (optional(), option::of(any::<bool>()));
    let kms = kms.prop_map(|(key_id, bucket_key)| Encryption::Kms { key_id, bucket_key });
    option::of(prop_oneof![Just(Encryption::S3), kms])
}
