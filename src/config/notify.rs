//! The destination of events, and which of them are sent there.

use super::reader::{Reader, Section};
use super::variables::{BROKER_NOTIFY, BROKER_SNS_TOPIC_ARN};

/// The names of all event types, as `domain::event::EventType` has them. The settings use no other
/// folder, so a test compares the two.
pub const EVENT_TYPES: [&str; 12] = [
    "dataset.uploaded",
    "upload.failed",
    "upload.expired",
    "upload.cancelled",
    "dataset.deleting",
    "dataset.deleted",
    "dataset.superseded",
    "dataset.processing",
    "dataset.processed",
    "dataset.processing-failed",
    "dataset.drifted",
    "dataset.restored",
];

/// The destination of events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notify {
    /// The SNS topic; without one, events are only stored.
    pub topic: Option<TopicArn>,
    /// The names of the event types that are published, each once, in the order of
    /// [`EVENT_TYPES`].
    pub types: Vec<&'static str>,
}

impl Section for Notify {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let topic = reader.optional(&BROKER_SNS_TOPIC_ARN, TopicArn::parse);
        let types = reader.value(&BROKER_NOTIFY, parse_types);
        Some(Self {
            topic: topic?,
            types: types?,
        })
    }
}

/// Parses a comma-separated list of event types.
fn parse_types(text: &str) -> Result<Vec<&'static str>, String> {
    let names: Vec<&str> = text.split(',').map(str::trim).collect();
    match names.iter().find(|name| !EVENT_TYPES.contains(name)) {
        None => {
            let listed = EVENT_TYPES.into_iter().filter(|kind| names.contains(kind));
            Ok(listed.collect())
        }
        Some(unknown) => {
            let known = EVENT_TYPES.join(", ");
            Err(format!(
                "must be a comma-separated list of {known}; found {unknown:?}"
            ))
        }
    }
}

/// The ARN of an SNS topic: `arn:PARTITION:sns:REGION:ACCOUNT:NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicArn {
    text: String,
    region: String,
}

impl TopicArn {
    /// Parses an ARN. The rules for the name are those of CreateTopic in SNS: up to 256 letters,
    /// digits, `-` and `_`, and the suffix `.fifo` for a FIFO topic.
    ///
    /// # Errors
    /// A phrase that says what is expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let expected = "must be the ARN of an SNS topic: arn:aws:sns:REGION:ACCOUNT:NAME";
        let fields: Vec<&str> = text.split(':').collect();
        let ["arn", partition, "sns", region, account, name] = fields.as_slice() else {
            return Err(expected.to_owned());
        };
        let account_ok = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        let words_ok = [partition, region].iter().all(|field| is_word(field));
        if !account_ok || !words_ok || !is_topic_name(name) {
            return Err(expected.to_owned());
        }
        Ok(Self {
            text: text.to_owned(),
            region: (*region).to_owned(),
        })
    }

    /// The whole ARN.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The region of the topic.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Whether the topic is a FIFO topic, so that messages need a group and a deduplication id.
    pub fn is_fifo(&self) -> bool {
        self.text.ends_with(".fifo")
    }
}

fn is_word(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.bytes().all(allowed)
}

fn is_topic_name(name: &str) -> bool {
    let stem = name.strip_suffix(".fifo").unwrap_or(name);
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !stem.is_empty() && name.len() <= 256 && stem.bytes().all(allowed)
}
