//! The runs of the service, and its answers.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use super::documents::{Document, End};
use super::{notification, parameters};

/// The largest number of blocks in an answer.
const MAX_BLOCKS: usize = 1_000;

/// How the service answers a call otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// With this error.
    Error(&'static str),
    /// It closes the connection without an answer.
    Closed,
    /// It does what was asked for, and holds the answer for ever.
    HoldAnswer,
}

#[derive(Default)]
pub struct State {
    pub documents: BTreeMap<String, Document>,
    pub faults: BTreeMap<String, VecDeque<Fault>>,
    pub runs: Vec<Run>,
    pub are_runs_held: bool,
    /// The number of runs that were started, also of those that are forgotten.
    pub started: usize,
    /// Each token of a next answer, with its run and its first block.
    pub next_tokens: BTreeMap<String, (String, usize)>,
}

/// A run.
pub struct Run {
    pub id: String,
    pub parameters: Value,
    pub document: Document,
    /// How often it was asked for.
    asked: usize,
    has_ended: bool,
}

/// An answer, or the code and the message of an error.
pub type Answer = Result<Value, (&'static str, String)>;

impl State {
    /// Starts a run, or returns that with the same token. The object exists.
    pub fn start(&mut self, parameters: &Value) -> Answer {
        if let Some(fault) = parameters::fault_of_start(parameters) {
            return Err(("InvalidParameterException", fault));
        }
        let token = &parameters["ClientRequestToken"];
        let same = (self.runs.iter())
            .find(|run| token.is_string() && run.parameters["ClientRequestToken"] == *token);
        if let Some(same) = same {
            return match same.parameters == *parameters {
                true => Ok(json!({"JobId": same.id})),
                false => Err((
                    "IdempotentParameterMismatchException",
                    "The token was used with other parameters".to_owned(),
                )),
            };
        }
        let key = parameters["DocumentLocation"]["S3Object"]["Name"].as_str();
        let key = key.expect("a key");
        let line = format!("text of {key}");
        let document = self.documents.get(key).cloned();
        self.started += 1;
        let id = format!("{:064x}", self.started);
        self.runs.push(Run {
            id: id.clone(),
            parameters: parameters.clone(),
            document: document.unwrap_or_else(|| Document::new(&[&[&line]])),
            asked: 0,
            has_ended: false,
        });
        Ok(json!({"JobId": id}))
    }

    /// Returns a part of the results of a run.
    pub fn get(&mut self, parameters: &Value) -> Answer {
        if let Some(fault) = parameters::fault_of_get(parameters) {
            return Err(("InvalidParameterException", fault));
        }
        let id = parameters["JobId"].as_str().expect("an id");
        let are_held = self.are_runs_held;
        let run = self.runs.iter_mut().find(|run| run.id == id);
        let Some(run) = run else {
            return Err(("InvalidJobIdException", "There is no such job".to_owned()));
        };
        run.asked += 1;
        run.has_ended |= !are_held && run.asked > 1;
        if !run.has_ended {
            return Ok(json!({"JobStatus": "IN_PROGRESS"}));
        }
        if run.document.end == End::Failed {
            let message = "INVALID_DOCUMENT";
            return Ok(json!({"JobStatus": "FAILED", "StatusMessage": message}));
        }
        let start = match parameters["NextToken"].as_str() {
            None => 0,
            Some(token) => match self.next_tokens.get(token) {
                Some((of, start)) if of == id => *start,
                _ => return Err(("InvalidParameterException", "Invalid NextToken".to_owned())),
            },
        };
        let most = parameters["MaxResults"].as_u64().unwrap_or(u64::MAX);
        let most = usize::try_from(most).expect("a number").min(MAX_BLOCKS);
        let blocks = run.document.blocks();
        let end = start.saturating_add(most).min(blocks.len());
        let mut answer = json!({
            "DocumentMetadata": {"Pages": run.document.pages.len()},
            "JobStatus": run.document.end.as_str(),
            "Blocks": blocks[start..end],
            "DetectDocumentTextModelVersion": "1.0",
        });
        if !run.document.missing.is_empty() {
            let pages = &run.document.missing;
            answer["Warnings"] = json!([{"ErrorCode": "INVALID_PAGE", "Pages": pages}]);
        }
        if end < blocks.len() {
            let token = format!("next-{}-{end}", run.id);
            answer["NextToken"] = json!(token);
            self.next_tokens.insert(token, (id.to_owned(), end));
        }
        Ok(answer)
    }

    /// Ends all runs. Returns the topics and the notifications.
    pub fn finish_runs(&mut self) -> Vec<(String, Value)> {
        self.are_runs_held = false;
        let mut ended = Vec::new();
        for run in self.runs.iter_mut().filter(|run| !run.has_ended) {
            run.has_ended = true;
            let topic = run.parameters["NotificationChannel"]["SNSTopicArn"].as_str();
            ended.extend(topic.map(|topic| (topic.to_owned(), notification(run))));
        }
        ended
    }
}
