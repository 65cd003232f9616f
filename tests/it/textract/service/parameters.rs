//! The constraints of the parameters, from the model of the service.

use serde_json::Value;

/// Returns what is wrong with the parameters of a start.
pub fn fault_of_start(parameters: &Value) -> Option<String> {
    let object = &parameters["DocumentLocation"]["S3Object"];
    let channel = &parameters["NotificationChannel"];
    let known = [
        "DocumentLocation",
        "ClientRequestToken",
        "JobTag",
        "NotificationChannel",
    ];
    unknown_member(parameters, &known)
        .or_else(|| fault(object, "Bucket", 3, 255, true, is_bucket_character))
        .or_else(|| fault(object, "Name", 1, 1_024, true, |_| true))
        .or_else(|| fault(object, "Version", 1, 1_024, false, |_| true))
        .or_else(|| {
            fault(
                parameters,
                "ClientRequestToken",
                1,
                64,
                false,
                is_token_character,
            )
        })
        .or_else(|| fault(parameters, "JobTag", 1, 64, false, is_tag_character))
        .or_else(|| match channel.is_null() {
            true => None,
            false => fault(channel, "SNSTopicArn", 20, 1_024, true, |_| true)
                .or_else(|| fault(channel, "RoleArn", 20, 2_048, true, |_| true)),
        })
}

/// Returns what is wrong with the parameters of a call for results.
pub fn fault_of_get(parameters: &Value) -> Option<String> {
    let results = &parameters["MaxResults"];
    let is_count = results.is_null() || results.as_u64().is_some_and(|count| count >= 1);
    unknown_member(parameters, &["JobId", "MaxResults", "NextToken"])
        .or_else(|| fault(parameters, "JobId", 1, 64, true, is_token_character))
        .or_else(|| fault(parameters, "NextToken", 1, 1_024, false, |_| true))
        .or_else(|| (!is_count).then(|| format!("MaxResults: {results}")))
}

fn unknown_member(parameters: &Value, known: &[&str]) -> Option<String> {
    let members = parameters.as_object()?;
    let unknown = members.keys().find(|name| !known.contains(&name.as_str()));
    unknown.map(|name| format!("unknown member {name}"))
}

fn fault(
    from: &Value,
    name: &str,
    shortest: usize,
    longest: usize,
    is_required: bool,
    is_allowed: fn(char) -> bool,
) -> Option<String> {
    let Some(text) = from[name].as_str() else {
        return (is_required || !from[name].is_null()).then(|| format!("{name} is missing"));
    };
    let is_valid = (shortest..=longest).contains(&text.len()) && text.chars().all(is_allowed);
    (!is_valid).then(|| format!("{name} is invalid: {text:?}"))
}

fn is_bucket_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || ['.', '-', '_'].contains(&character)
}

fn is_token_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || ['-', '_'].contains(&character)
}

fn is_tag_character(character: char) -> bool {
    is_token_character(character) || ['.', ':'].contains(&character)
}
