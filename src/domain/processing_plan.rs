//! A processing plan: the datasets whose results are merged into one.
//!
//! A plan is itself a dataset, a document in JSON, so that it is uploaded, proven, processed and
//! replaced like any other:
//!
//! ```json
//! {"processor": "csv-aggregate",
//!  "options": {"group_by": ["Song"], "aggregates": [{"function": "count"}]},
//!  "inputs": [{"upload_id": "0198…", "path": "/plays/1.csv", "etag": "\"9b2c…\""}]}
//! ```

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

/// The media type of a plan.
pub const PLAN_MEDIA_TYPE: &str = "application/vnd.upload-broker.plan+json";
/// The largest plan in bytes.
pub const MAX_PLAN_BYTES: u64 = 4 * 1024 * 1024;
/// The largest number of inputs.
pub const MAX_PLAN_INPUTS: usize = 10_000;

/// A plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessingPlan {
    /// The processor of the inputs.
    pub processor: String,
    /// Its options, the same for every input.
    pub options: Map<String, Value>,
    /// The inputs. Their results are merged in this order.
    pub inputs: Vec<PlannedInput>,
}

/// A dataset of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedInput {
    /// The upload of the dataset.
    pub upload_id: Uuid,
    /// Its path, for messages.
    pub path: String,
    /// The ETag of its proven object, with the quotes.
    pub etag: String,
}

impl ProcessingPlan {
    /// Parses the plan for a processor that merges the results of `processor`.
    ///
    /// # Errors
    /// What is wrong, for the owner of the plan.
    pub fn parse(bytes: &[u8], processor: &str) -> Result<Self, String> {
        let plan: Self = serde_json::from_slice(bytes)
            .map_err(|error| format!("The dataset is not a processing plan: {error}."))?;
        if plan.processor != processor {
            let found = &plan.processor;
            return Err(format!(
                "The plan is for the processor {found:?}; expected {processor:?}."
            ));
        }
        let count = plan.inputs.len();
        if !(1..=MAX_PLAN_INPUTS).contains(&count) {
            return Err(format!(
                "The plan has {count} inputs; expected 1 to {MAX_PLAN_INPUTS}."
            ));
        }
        let mut seen = HashSet::with_capacity(count);
        for input in &plan.inputs {
            if !seen.insert(input.upload_id) {
                return Err(format!("The plan names {} twice.", input.path));
            }
        }
        Ok(plan)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn input(id: u128, path: &str) -> Value {
        json!({"upload_id": Uuid::from_u128(id), "path": path, "etag": "\"e\""})
    }

    fn parse(plan: &Value) -> Result<ProcessingPlan, String> {
        ProcessingPlan::parse(plan.to_string().as_bytes(), "csv-aggregate")
    }

    #[test]
    fn plan_is_parsed_in_the_order_of_its_inputs() {
        let inputs = [input(2, "/b.csv"), input(1, "/a.csv")];
        let plan = json!({"processor": "csv-aggregate", "options": {}, "inputs": inputs});
        let plan = parse(&plan).expect("a plan");
        let paths: Vec<&str> = plan.inputs.iter().map(|input| &*input.path).collect();
        assert_eq!(paths, ["/b.csv", "/a.csv"]);
    }

    #[test]
    fn faults_of_a_plan_are_named() {
        let one = [input(1, "/a.csv")];
        let many: Vec<Value> = (0..=MAX_PLAN_INPUTS)
            .map(|n| input(u128::try_from(n).expect("a number"), "/a"))
            .collect();
        let twice = [input(1, "/a.csv"), input(1, "/a.csv")];
        for (plan, expected) in [
            (json!([]), "not a processing plan"),
            (json!({"processor": "csv-aggregate"}), "options"),
            (
                json!({"processor": "csv-aggregate", "options": {}, "inputs": one, "extra": 1}),
                "extra",
            ),
            (
                json!({"processor": "pdf-text", "options": {}, "inputs": one}),
                "\"pdf-text\"; expected \"csv-aggregate\"",
            ),
            (
                json!({"processor": "csv-aggregate", "options": {}, "inputs": []}),
                "0 inputs",
            ),
            (
                json!({"processor": "csv-aggregate", "options": {}, "inputs": many}),
                "10001 inputs",
            ),
            (
                json!({"processor": "csv-aggregate", "options": {}, "inputs": twice}),
                "/a.csv twice",
            ),
        ] {
            let fault = parse(&plan).expect_err("a fault");
            assert!(fault.contains(expected), "{fault}");
        }
    }
}
