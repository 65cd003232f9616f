//! Whatever is signed, the URL and the headers equal those of aws-sdk-s3's `presigned()` byte for
//! byte. `PROPTEST_CASES=20000` searches longer.

use std::borrow::Cow;

use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use proptest::prelude::*;
use upload_broker::domain::encryption::Encryption;
use upload_broker::objects::sign::{Checksum, GetObject, Precondition, PresignRequest, PutObject};

use super::scene::{Scene, headers_of, wait};
use super::strategies::{checksum, encryption, key, metadata, optional, scene, value};

type Texts = [Option<String>; 6];

fn declare(
    put: PutObjectFluentBuilder,
    [cache, disposition, encoding, language, class, tagging]: &Texts,
) -> PutObjectFluentBuilder {
    put.set_cache_control(cache.clone())
        .set_content_disposition(disposition.clone())
        .set_content_encoding(encoding.clone())
        .set_content_language(language.clone())
        .set_storage_class(class.as_deref().map(Into::into))
        .set_tagging(tagging.clone())
}

fn with_checksum(
    put: PutObjectFluentBuilder,
    checksum: Option<&(&'static str, String)>,
) -> PutObjectFluentBuilder {
    let Some((header, value)) = checksum else {
        return put;
    };
    match *header {
        "x-amz-checksum-crc32" => put.checksum_crc32(value),
        "x-amz-checksum-crc32c" => put.checksum_crc32_c(value),
        "x-amz-checksum-crc64nvme" => put.checksum_crc64_nvme(value),
        "x-amz-checksum-sha1" => put.checksum_sha1(value),
        "x-amz-checksum-sha256" => put.checksum_sha256(value),
        other => panic!("no such checksum: {other}"),
    }
}

fn encrypt(put: PutObjectFluentBuilder, encryption: Option<&Encryption>) -> PutObjectFluentBuilder {
    put.set_server_side_encryption(encryption.map(|asked| asked.algorithm().into()))
        .set_ssekms_key_id(encryption.and_then(Encryption::key_id).map(str::to_owned))
        .set_bucket_key_enabled(encryption.and_then(Encryption::bucket_key))
}

fn owned(headers: &[(&str, Cow<'_, str>)]) -> Vec<(String, String)> {
    let own = |(name, value): &(&str, Cow<'_, str>)| ((*name).to_owned(), value.to_string());
    headers.iter().map(own).collect()
}

/// Signs a PUT request with the broker and with the SDK and compares everything.
fn compare_put(
    scene: &Scene,
    object: &PutObject<'_>,
    checksum: Option<&(&'static str, String)>,
    texts: &Texts,
) -> Result<(), TestCaseError> {
    let (if_match, if_none_match) = match object.precondition {
        Precondition::Absent => (None, Some("*".to_owned())),
        Precondition::Matches(etag) => (Some(etag.to_owned()), None),
        Precondition::None => (None, None),
    };
    let put = scene.client().put_object().bucket(scene.bucket);
    let put = put
        .key(object.key)
        .content_type(object.content_type)
        .set_content_length(object.content_length.map(|n| i64::try_from(n).unwrap()))
        .set_if_match(if_match)
        .set_if_none_match(if_none_match)
        .metadata("upload-id", object.upload_id);
    let put = encrypt(put, object.encryption);
    let put = with_checksum(declare(put, texts), checksum);
    let theirs = wait(put.presigned(scene.presigning())).unwrap();

    let ours = scene
        .signer()
        .put_object(object, scene.expires_in, &scene.credentials(), scene.now())
        .unwrap();
    prop_assert_eq!(&ours.presigned.url, theirs.uri());
    let theirs = headers_of(&theirs);
    prop_assert_eq!(owned(&object.signed_headers()), theirs.clone());
    let to_send: Vec<_> = theirs
        .into_iter()
        .filter(|(name, _)| name != "content-length")
        .collect();
    prop_assert_eq!(owned(&ours.headers), to_send);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn put_urls_equal_those_of_the_sdk(
        scene in scene(),
        key in key(),
        content_type in value(),
        upload_id in value(),
        content_length in proptest::option::of(0..=i64::MAX.unsigned_abs()),
        checksum in checksum(),
        if_match in optional(),
        absent in any::<bool>(),
        encryption in encryption(),
        texts in [optional(), optional(), optional(), optional(), optional(), optional()],
    ) {
        let [cache, disposition, encoding, language, class, tagging] =
            texts.each_ref().map(Option::as_deref);
        let object = PutObject {
            content_length,
            checksum: checksum.as_ref().map(|(header, value)| Checksum { header, value }),
            precondition: match &if_match {
                Some(etag) => Precondition::Matches(etag),
                None if absent => Precondition::Absent,
                None => Precondition::None,
            },
            cache_control: cache,
            content_disposition: disposition,
            content_encoding: encoding,
            content_language: language,
            storage_class: class,
            tagging,
            encryption: encryption.as_ref(),
            ..PutObject::new(&key, &content_type, &upload_id)
        };
        compare_put(&scene, &object, checksum.as_ref(), &texts)?;
    }

    #[test]
    fn get_urls_equal_those_of_the_sdk(
        scene in scene(),
        key in key(),
        version in optional(),
        disposition in optional(),
        content_type in optional(),
    ) {
        let theirs = scene.client().get_object().bucket(scene.bucket).key(&key)
            .set_version_id(version.clone())
            .set_response_content_disposition(disposition.clone())
            .set_response_content_type(content_type.clone());
        let theirs = wait(theirs.presigned(scene.presigning())).unwrap();
        let object = GetObject {
            version_id: version.as_deref(),
            response_content_disposition: disposition.as_deref(),
            response_content_type: content_type.as_deref(),
            ..GetObject::new(&key)
        };
        let ours = scene.signer()
            .get_object(&object, scene.expires_in, &scene.credentials(), scene.now())
            .unwrap();
        prop_assert_eq!(ours.url.as_str(), theirs.uri());
    }

    /// The underlying request type: any metadata, and operations with other kinds of queries.
    #[test]
    fn urls_of_other_operations_equal_those_of_the_sdk(
        scene in scene(),
        key in key(),
        metadata in metadata(),
        version in optional(),
        upload_id in "[ -~]{1,60}",
        part in 1i32..=10_000,
    ) {
        let (client, config) = (scene.client(), scene.presigning());
        let put = client.put_object().bucket(scene.bucket).key(&key);
        let put = metadata.iter().fold(put, |put, (name, value)| put.metadata(name, value));
        let delete = client.delete_object().bucket(scene.bucket).key(&key)
            .set_version_id(version.clone());
        let head = client.head_object().bucket(scene.bucket).key(&key)
            .set_version_id(version.clone());
        let upload_part = client.upload_part().bucket(scene.bucket).key(&key)
            .part_number(part).upload_id(&upload_id);
        let theirs = wait(async { [
            put.presigned(config.clone()).await.unwrap(),
            delete.presigned(config.clone()).await.unwrap(),
            head.presigned(config.clone()).await.unwrap(),
            upload_part.presigned(config).await.unwrap(),
        ] });

        let names: Vec<_> = metadata.iter().map(|(name, _)| format!("x-amz-meta-{name}")).collect();
        let headers: Vec<_> = names.iter().zip(&metadata)
            .map(|(name, (_, value))| (name.as_str(), Cow::from(value.as_str())))
            .collect();
        let version: Vec<_> = version.iter().map(|id| ("versionId", id.as_str())).collect();
        let part = part.to_string();
        let part = [("partNumber", part.as_str()), ("uploadId", upload_id.as_str())];
        let request = PresignRequest {
            method: "PUT", operation: Some("PutObject"), key: &key, headers: &headers,
            query: &[], expires_in: scene.expires_in,
        };
        let bare = PresignRequest { headers: &[], ..request };
        let ours = [
            request,
            PresignRequest {
                method: "DELETE", operation: Some("DeleteObject"), query: &version, ..bare
            },
            PresignRequest { method: "HEAD", operation: None, query: &version, ..bare },
            PresignRequest { operation: Some("UploadPart"), query: &part, ..bare },
        ];
        let (signer, credentials) = (scene.signer(), scene.credentials());
        for (ours, theirs) in ours.iter().zip(&theirs) {
            let url = signer.presign(ours, &credentials, scene.now()).unwrap().url;
            prop_assert_eq!(url.as_str(), theirs.uri());
            prop_assert_eq!(owned(ours.headers), headers_of(theirs));
        }
    }
}
