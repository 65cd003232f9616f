//! Acknowledges several files in one request.
//!
//! Results that may change (408, 429, 5xx) are requested again in one batch after a back-off. When
//! the retry limit is reached, each file ends with its last error; the next run continues with it.

use super::batch::upload_of;
use super::file::Unacknowledged;
use super::item::Item;
use super::uploader::Uploader;
use crate::client::api::AcknowledgeItem;
use crate::client::api::wire::Upload;
use crate::client::error::{Error, Result};
use crate::client::exit::Exit;

impl Uploader<'_> {
    /// Acknowledges all uploads of a batch. The results are in the same order.
    pub(super) async fn acknowledge_all(
        &self,
        unacknowledged: &[(Item, Unacknowledged)],
    ) -> Result<Vec<Result<Upload>>> {
        let api = &self.context.api;
        let requests = unacknowledged.iter().map(|(_, file)| AcknowledgeItem {
            id: file.id,
            expected: &file.expected,
        });
        let requests: Vec<_> = requests.collect();
        let mut results = match &requests[..] {
            [] => Vec::new(),
            [one] => vec![api.acknowledge(one.id, one.expected).await],
            several => self.acknowledge_batch(several).await?,
        };
        let mut failures = 1;
        while results.len() > 1 {
            let pending = results.iter_mut().zip(&requests);
            let (mut pending, retried): (Vec<_>, Vec<_>) = pending
                .filter(|(result, _)| is_retryable(result))
                .map(|(result, one)| (result, *one))
                .unzip();
            let Some(delay) = api.retry_limits().next_delay(failures, None) else {
                break;
            };
            if pending.is_empty() {
                break;
            }
            tokio::time::sleep(delay).await;
            failures += 1;
            let answers = self.acknowledge_batch(&retried).await?;
            for (result, answer) in pending.iter_mut().zip(answers) {
                **result = answer;
            }
        }
        Ok(results)
    }

    /// Acknowledges all uploads in one request, or one by one if the broker does not have that
    /// route.
    async fn acknowledge_batch(
        &self,
        pending: &[AcknowledgeItem<'_>],
    ) -> Result<Vec<Result<Upload>>> {
        let api = &self.context.api;
        match api.acknowledge_batch(pending).await {
            Ok(answers) if answers.len() == pending.len() => {
                Ok(answers.into_iter().map(upload_of).collect())
            }
            Ok(_) => {
                let what = "the broker returned results for a different number of files";
                Err(Error::UnexpectedResponse(what.to_owned()))
            }
            Err(error) if error.exit() == Exit::NotFound => {
                let mut answers = Vec::with_capacity(pending.len());
                for one in pending {
                    answers.push(api.acknowledge(one.id, one.expected).await);
                }
                Ok(answers)
            }
            Err(error) => Err(error),
        }
    }
}

/// Whether a retry may change the result.
fn is_retryable(result: &Result<Upload>) -> bool {
    result.as_ref().is_err_and(Error::is_transient)
}
