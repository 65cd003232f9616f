//! The limits apply to the actual body, whatever its headers say.

use std::pin::Pin;

use actix_web::error::PayloadError;
use actix_web::test::TestRequest;
use futures::stream::{self, Stream};

use super::*;

type BoxedPayloadStream = Pin<Box<dyn Stream<Item = Result<Bytes, PayloadError>>>>;

const LIMITS: Limits = Limits {
    bytes: 10,
    batch_bytes: 20,
    time: Duration::from_millis(20),
};

async fn read_from(
    length: Option<&str>,
    chunks: impl Stream<Item = Result<Bytes, PayloadError>> + 'static,
) -> Result<Bytes, Kind> {
    let mut request = TestRequest::post().app_data(web::Data::new(LIMITS));
    if let Some(length) = length {
        request = request.insert_header(("content-length", length));
    }
    let chunks: BoxedPayloadStream = Box::pin(chunks);
    let payload = Payload::Stream { payload: chunks };
    let read = read(&request.to_http_request(), payload, Size::Usual).await;
    read.map_err(|problem| problem.kind())
}

fn chunks(sizes: &'static [usize]) -> impl Stream<Item = Result<Bytes, PayloadError>> {
    stream::iter(sizes).map(|size| Ok(Bytes::from(vec![b' '; *size])))
}

#[actix_web::test]
async fn read_accepts_body_up_to_limit() {
    let body = read_from(None, chunks(&[4, 6])).await.expect("a body");
    assert_eq!(body.len(), 10);
}

#[actix_web::test]
async fn read_rejects_body_over_limit_chunked_or_with_false_length() {
    let large = Err(Kind::PayloadTooLarge);
    assert_eq!(read_from(None, chunks(&[4, 7])).await, large, "chunked");
    assert_eq!(
        read_from(Some("5"), chunks(&[11])).await,
        large,
        "false length"
    );
    for length in ["11", "18446744073709551615"] {
        let unread = stream::pending();
        assert_eq!(read_from(Some(length), unread).await, large, "{length}");
    }
}

#[actix_web::test]
async fn read_times_out_when_body_does_not_arrive() {
    let never = stream::pending();
    assert_eq!(read_from(None, never).await, Err(Kind::RequestTimeout));
}

#[actix_web::test]
async fn read_reports_incomplete_body() {
    let broken = stream::iter([Err(PayloadError::Incomplete(None))]);
    assert_eq!(read_from(Some("5"), broken).await, Err(Kind::InvalidJson));
}
