//! The source of S3 event notifications.

use url::Url;

use super::reader::{Reader, Section};
use super::variables::BROKER_S3_EVENTS_QUEUE_URL;

/// The source of S3 event notifications.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Events {
    /// The queue; without one, an upload is only completed when its client acknowledges it.
    pub queue: Option<QueueUrl>,
}

impl Section for S3Events {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let queue = reader.optional(&BROKER_S3_EVENTS_QUEUE_URL, QueueUrl::parse)?;
        Some(Self { queue })
    }
}

/// The URL of an SQS queue: `https://sqs.REGION.amazonaws.com/ACCOUNT/NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueUrl {
    text: String,
    url: Url,
}

impl QueueUrl {
    /// Parses a URL whose path has at least two segments, the last of which is the name of a queue.
    ///
    /// # Errors
    /// A phrase that says what is expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let expected =
            "must be the URL of an SQS queue: https://sqs.REGION.amazonaws.com/ACCOUNT/NAME";
        let url = Url::parse(text).map_err(|error| format!("{expected} ({error})"))?;
        let plain = matches!(url.scheme(), "http" | "https")
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        let mut parts: Vec<&str> = url.path_segments().into_iter().flatten().collect();
        let name = parts.pop().unwrap_or_default();
        if !plain || parts.iter().all(|part| part.is_empty()) || !is_queue_name(name) {
            return Err(expected.to_owned());
        }
        Ok(Self {
            text: text.to_owned(),
            url,
        })
    }

    /// The whole URL, which identifies the queue in calls to SQS.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The region in the host name: after `sqs.` in current URLs, before `.queue.` in old ones.
    /// `None` if there is none.
    pub fn region(&self) -> Option<&str> {
        let labels: Vec<&str> = self.url.host_str()?.split('.').collect();
        labels.windows(2).find_map(|pair| match pair {
            ["sqs" | "sqs-fips", region] | [region, "queue"] if region.contains('-') => {
                Some(*region)
            }
            _ => None,
        })
    }

    /// The endpoint of the URL (scheme, host and port), unless it is a standard endpoint of AWS,
    /// which the SDK knows.
    pub fn custom_endpoint(&self) -> Option<String> {
        let host = self.url.host_str()?;
        let aws = host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn");
        let usual = aws && (host.starts_with("sqs.") || host.contains(".queue."));
        (!usual).then(|| self.url.origin().ascii_serialization())
    }
}

/// Whether the name follows the rules of CreateQueue: up to 80 letters, digits, `-` and `_`, and
/// the suffix `.fifo` for a FIFO queue.
fn is_queue_name(name: &str) -> bool {
    let stem = name.strip_suffix(".fifo").unwrap_or(name);
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !stem.is_empty() && name.len() <= 80 && stem.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queue_url_contains_region_and_custom_endpoint() {
        for (url, region, endpoint) in [
            (
                "https://sqs.eu-west-1.amazonaws.com/123456789012/events",
                Some("eu-west-1"),
                None,
            ),
            (
                "https://sqs.cn-north-1.amazonaws.com.cn/1/e.fifo",
                Some("cn-north-1"),
                None,
            ),
            (
                "https://eu-west-1.queue.amazonaws.com/1/events",
                Some("eu-west-1"),
                None,
            ),
            (
                "https://vpce-1a-2b.sqs.us-east-1.vpce.amazonaws.com/1/events",
                Some("us-east-1"),
                Some("https://vpce-1a-2b.sqs.us-east-1.vpce.amazonaws.com"),
            ),
            (
                "https://sqs-fips.us-gov-west-1.amazonaws.com/1/events",
                Some("us-gov-west-1"),
                Some("https://sqs-fips.us-gov-west-1.amazonaws.com"),
            ),
            (
                "http://localhost:9324/000000000000/events",
                None,
                Some("http://localhost:9324"),
            ),
        ] {
            let queue = QueueUrl::parse(url).expect(url);
            assert_eq!(queue.region(), region, "{url}");
            assert_eq!(queue.custom_endpoint().as_deref(), endpoint, "{url}");
            assert_eq!(queue.as_str(), url);
        }
    }

    #[test]
    fn invalid_queue_url_is_rejected() {
        for text in [
            "events",
            "arn:aws:sqs:eu-west-1:123456789012:events",
            "https://sqs.eu-west-1.amazonaws.com",
            "https://sqs.eu-west-1.amazonaws.com/events",
            "https://sqs.eu-west-1.amazonaws.com/1/",
            "https://sqs.eu-west-1.amazonaws.com/1/a.b",
            "https://me:hunter2@sqs.eu-west-1.amazonaws.com/1/events",
            "https://sqs.eu-west-1.amazonaws.com/1/events?Action=Purge",
            "ftp://sqs.eu-west-1.amazonaws.com/1/events",
        ] {
            assert!(QueueUrl::parse(text).is_err(), "{text}");
        }
    }
}
