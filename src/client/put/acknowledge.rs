//! Acknowledges several files by one request.
//!
//! A result that time may change (408, 429, 5xx) is asked for again, together with the others of
//! its kind, after a back-off. When the back-off ends, each file ends with its last error; the next
//! run continues with it.

use super::Put;
use super::file::Waiting;
use super::group::session;
use super::item::Item;
use crate::client::api::Acknowledged;
use crate::client::api::wire::Upload;
use crate::client::error::{Error, Result};
use crate::client::exit::Exit;

impl Put<'_> {
    /// Acknowledges the uploads of `waiting`. Each has its own result, in order.
    pub(super) async fn acknowledge_all(
        &self,
        waiting: &[(Item, Waiting)],
    ) -> Result<Vec<Result<Upload>>> {
        let api = &self.context.api;
        let asked = waiting.iter().map(|(_, file)| Acknowledged {
            id: file.id,
            claims: &file.claims,
        });
        let asked: Vec<_> = asked.collect();
        let mut results = match &asked[..] {
            [] => Vec::new(),
            [one] => vec![api.acknowledge(one.id, one.claims).await],
            several => self.acknowledge_together(several).await?,
        };
        let mut failures = 1;
        while results.len() > 1 {
            let due = results.iter_mut().zip(&asked);
            let (mut due, again): (Vec<_>, Vec<_>) = due
                .filter(|(result, _)| may_change(result))
                .map(|(result, one)| (result, *one))
                .unzip();
            let Some(rest) = api.patience().rest(failures, None) else {
                break;
            };
            if due.is_empty() {
                break;
            }
            tokio::time::sleep(rest).await;
            failures += 1;
            let answers = self.acknowledge_together(&again).await?;
            for (result, answer) in due.iter_mut().zip(answers) {
                **result = answer;
            }
        }
        Ok(results)
    }

    /// One request for all of them, or one for each where the broker has no such route.
    async fn acknowledge_together(&self, due: &[Acknowledged<'_>]) -> Result<Vec<Result<Upload>>> {
        let api = &self.context.api;
        match api.acknowledge_batch(due).await {
            Ok(answers) if answers.len() == due.len() => {
                Ok(answers.into_iter().map(session).collect())
            }
            Ok(_) => {
                let what = "the broker answered for another number of files";
                Err(Error::Strange(what.to_owned()))
            }
            Err(error) if error.exit() == Exit::NotFound => {
                let mut answers = Vec::with_capacity(due.len());
                for one in due {
                    answers.push(api.acknowledge(one.id, one.claims).await);
                }
                Ok(answers)
            }
            Err(error) => Err(error),
        }
    }
}

/// Whether another try may change the result.
fn may_change(result: &Result<Upload>) -> bool {
    result.as_ref().is_err_and(Error::may_pass)
}
