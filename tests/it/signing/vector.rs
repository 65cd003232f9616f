//! The example that AWS publishes ("Authenticating Requests: Using Query Parameters", S3 API
//! reference): a GET of test.txt in examplebucket on 24 May 2013, valid for a day.

use upload_broker::objects::sign::PresignRequest;

use super::scene::Scene;

#[test]
fn published_aws_example_has_the_published_signature() {
    let scene = Scene::custom("https://s3.amazonaws.com", "examplebucket", false);
    let request = PresignRequest {
        method: "GET",
        operation: None,
        key: "test.txt",
        headers: &[],
        query: &[],
        expires_in: 86_400,
    };
    let signer = scene.signer();
    let presigned = signer
        .presign(&request, &scene.credentials(), scene.now())
        .unwrap();
    assert_eq!(
        presigned.url,
        "https://examplebucket.s3.amazonaws.com/test.txt\
         ?X-Amz-Algorithm=AWS4-HMAC-SHA256\
         &X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request\
         &X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host\
         &X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    );
    assert_eq!(
        presigned.expires_at.to_rfc3339(),
        "2013-05-25T00:00:00+00:00"
    );
}
