//! A service that speaks Textract's protocol, as the model of its SDK describes it, with documents,
//! limits and errors as a test wants them.
//!
//! It checks what the real service checks: the signature's service name, the constraints of each parameter, that
//! a token is used with the same parameters, that the object exists, and that a token of a next answer belongs
//! to the run.

mod documents;
mod http;
mod parameters;
mod state;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::sync::watch;

pub use documents::{Document, End};
pub use state::Fault;

use self::state::State;
use crate::support::cloud;
use crate::support::inbox;
use crate::support::observe::TIMEOUT;
use crate::support::process::Run;
use crate::support::shared;

pub const START: &str = "StartDocumentTextDetection";
pub const GET: &str = "GetDocumentTextDetection";

/// The service, on a port of its own.
pub struct TextractService {
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// A call that was received.
#[derive(Clone, Debug)]
pub struct Call {
    pub operation: String,
    pub parameters: Value,
}

struct Shared {
    state: Mutex<State>,
    calls: watch::Sender<Vec<Call>>,
    /// The number of answers that are held.
    held: watch::Sender<usize>,
}

impl TextractService {
    /// Starts the service. Each run is in progress when it is asked for the first time, and has ended after that.
    pub fn new() -> TextractService {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = listener.local_addr().expect("its address");
        listener.set_nonblocking(true).expect("a socket");
        let service = Arc::new(Shared {
            state: Mutex::new(State::default()),
            calls: watch::Sender::new(Vec::new()),
            held: watch::Sender::new(0),
        });
        shared().spawn(http::serve(listener, Arc::clone(&service)));
        TextractService {
            address,
            shared: service,
        }
    }

    /// Adds the settings with which a process uses this service.
    pub fn settings(&self, run: Run) -> Run {
        run.set("BROKER_PDF_ENGINE", "textract").set(
            "AWS_ENDPOINT_URL_TEXTRACT",
            format!("http://{}", self.address),
        )
    }

    /// Sets what is in the document with this key. Others have one page with one line.
    pub fn set_document(&self, key: &str, document: Document) {
        let mut state = self.shared.state.lock().unwrap();
        state.documents.insert(key.to_owned(), document);
    }

    /// Answers the next calls of an operation with these faults, one after the other.
    pub fn fail_next(&self, operation: &str, faults: impl IntoIterator<Item = Fault>) {
        let mut state = self.shared.state.lock().unwrap();
        let queue: &mut VecDeque<Fault> = state.faults.entry(operation.to_owned()).or_default();
        queue.extend(faults);
    }

    /// From now on, runs only end when [`finish_runs`](Self::finish_runs) is called.
    pub fn hold_runs(&self) {
        self.shared.state.lock().unwrap().are_runs_held = true;
    }

    /// Ends all runs, and publishes their ends to the topics of their notification channels.
    pub async fn finish_runs(&self) {
        let ended = self.shared.state.lock().unwrap().finish_runs();
        let sns = inbox::sns(&cloud::endpoint());
        for (topic, message) in ended {
            let publish = sns.publish().topic_arn(topic).message(message.to_string());
            publish.send().await.expect("a notification");
        }
    }

    /// Forgets all runs, as the service does after seven days.
    pub fn forget_runs(&self) {
        self.shared.state.lock().unwrap().runs.clear();
    }

    /// Makes all tokens of next answers invalid.
    pub fn forget_tokens(&self) {
        self.shared.state.lock().unwrap().next_tokens.clear();
    }

    /// Returns the number of runs that were started, each of which is paid for.
    pub fn runs(&self) -> usize {
        self.shared.state.lock().unwrap().started
    }

    /// Returns the parameters of all calls of an operation so far.
    pub fn calls(&self, operation: &str) -> Vec<Value> {
        let calls = self.shared.calls.borrow();
        let of = calls.iter().filter(|call| call.operation == operation);
        of.map(|call| call.parameters.clone()).collect()
    }

    /// Waits until the answer to a call with [`Fault::HoldAnswer`] is held.
    pub async fn answer_waits(&self) {
        let mut held = self.shared.held.subscribe();
        let waits = held.wait_for(|held| *held > 0);
        let waits = tokio::time::timeout(TIMEOUT, waits).await;
        waits.expect("an answer is held").expect("the service");
    }
}

/// The completion status that the service publishes.
fn notification(run: &state::Run) -> Value {
    json!({
        "JobId": run.id,
        "Status": run.document.end.as_str(),
        "API": START,
        "JobTag": run.parameters["JobTag"],
        "Timestamp": 1_700_000_000_000_u64,
        "DocumentLocation": {
            "S3ObjectName": run.parameters["DocumentLocation"]["S3Object"]["Name"],
            "S3Bucket": run.parameters["DocumentLocation"]["S3Object"]["Bucket"],
        },
    })
}
