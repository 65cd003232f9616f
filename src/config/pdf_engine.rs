//! What extracts the text of documents for `pdf-text`.

use super::notify::TopicArn;
use super::reader::Reader;
use super::variables::{
    BROKER_PDF_ENGINE, BROKER_TEXTRACT_ROLE_ARN, BROKER_TEXTRACT_TOPIC_ARN, BROKER_WORKER_QUEUE_URL,
};

/// What extracts the text of documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PdfEngine {
    /// Poppler, on the machine of the worker.
    Embedded,
    /// Amazon Textract, which publishes the end of its work if there is a channel.
    Textract(Option<TextractChannel>),
}

/// Where Textract publishes the end of its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextractChannel {
    /// The topic.
    pub topic: TopicArn,
    /// The ARN of the role that Textract takes to publish.
    pub role: String,
}

impl PdfEngine {
    /// Whether it is Textract.
    pub const fn is_textract(&self) -> bool {
        matches!(self, Self::Textract(_))
    }

    /// Reads the engine. The end of Textract's work can only be published if workers read a queue.
    pub(super) fn read(reader: &mut Reader<'_>, has_queue: bool) -> Option<Self> {
        let is_textract = reader.value(&BROKER_PDF_ENGINE, |text| match text {
            "embedded" => Ok(false),
            "textract" => Ok(true),
            _ => Err("must be embedded or textract".to_owned()),
        });
        let topic = reader.optional(&BROKER_TEXTRACT_TOPIC_ARN, |text| {
            let topic = TopicArn::parse(text)?;
            match topic.is_fifo() {
                true => Err(
                    "must be a standard topic: Textract does not publish to a FIFO topic"
                        .to_owned(),
                ),
                false => Ok(topic),
            }
        });
        let role = reader.optional(&BROKER_TEXTRACT_ROLE_ARN, role_arn);
        let (is_textract, topic, role) = (is_textract?, topic?, role?);
        if !is_textract {
            return Some(Self::Embedded);
        }
        match (topic, role) {
            (None, None) => Some(Self::Textract(None)),
            (Some(_), Some(_)) if !has_queue => {
                let detail = format!("needs {}, which is not set", BROKER_WORKER_QUEUE_URL.name);
                reader.fault(&BROKER_TEXTRACT_TOPIC_ARN, detail);
                None
            }
            (Some(topic), Some(role)) => {
                Some(Self::Textract(Some(TextractChannel { topic, role })))
            }
            (Some(_), None) => {
                let detail = "must be set: Textract takes this role to publish to the topic";
                reader.fault(&BROKER_TEXTRACT_ROLE_ARN, detail.to_owned());
                None
            }
            (None, Some(_)) => {
                let detail = "must be set: the role is for publishing to this topic";
                reader.fault(&BROKER_TEXTRACT_TOPIC_ARN, detail.to_owned());
                None
            }
        }
    }
}

/// The ARN of a role, `arn:PARTITION:iam::ACCOUNT:role/NAME`, with the limits of Textract.
///
/// Source: <https://docs.aws.amazon.com/textract/latest/dg/API_NotificationChannel.html>
fn role_arn(text: &str) -> Result<String, String> {
    let fields: Vec<&str> = text.splitn(6, ':').collect();
    let is_role = match fields.as_slice() {
        ["arn", partition, "iam", "", account, resource] => {
            let digits = account.bytes().all(|byte| byte.is_ascii_digit());
            let name = resource.strip_prefix("role/").unwrap_or_default();
            partition.starts_with("aws") && account.len() == 12 && digits && !name.is_empty()
        }
        _ => false,
    };
    match is_role && text.len() <= 2_048 {
        true => Ok(text.to_owned()),
        false => Err("must be the ARN of a role: arn:aws:iam::ACCOUNT:role/NAME".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn role_is_an_arn() {
        for good in [
            "arn:aws:iam::123456789012:role/textract",
            "arn:aws-us-gov:iam::123456789012:role/path/to/textract",
        ] {
            assert_eq!(role_arn(good).as_deref(), Ok(good));
        }
        for bad in [
            "",
            "textract",
            "arn:aws:iam::123456789012:user/textract",
            "arn:aws:iam::123456789012:role/",
            "arn:aws:iam::12345:role/textract",
            "arn:aws:sns:eu-central-1:123456789012:role/textract",
        ] {
            assert!(role_arn(bad).is_err(), "{bad}");
        }
    }
}
