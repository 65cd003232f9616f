//! The hidden command as people use it, to see what a processor makes of a file.

use serde_json::{Value, json};

use crate::support::process::Run;

#[tokio::test]
async fn standard_input_is_one_input_and_the_report_is_the_last_line() {
    let run = Run::new(&["process", "trial", "--options", "\"echo\""]);
    let ended = run.stdin(b"Song,Plays\nTitanium,2\n").finish().await;
    assert!(ended.status.success(), "{}", ended.err);
    assert_eq!(ended.out, "Song,Plays\nTitanium,2\n");
    let last = ended.err.lines().last().expect("a line");
    let report: Value = serde_json::from_str(last).expect("JSON");
    let results = json!([{"extension": "bin", "name": null, "size": 22}]);
    let expected = json!({"report": {"sizes": [22]}, "results": results, "records_size": 0});
    assert_eq!(report, expected);
}

#[tokio::test]
async fn failure_has_exit_code_1_and_is_the_last_line() {
    let run = Run::new(&["process", "trial", "--options", r#"{"fail":"no-header"}"#]);
    let ended = run.stdin(b"").finish().await;
    assert_eq!(ended.status.code(), Some(1));
    let last = ended.err.lines().last().expect("a line");
    let failure: Value = serde_json::from_str(last).expect("JSON");
    let expected = json!({"code": "no-header", "message": "as requested", "permanent": true});
    assert_eq!(failure, json!({"failure": expected}));
}

#[tokio::test]
async fn command_needs_no_settings_and_is_not_in_the_help() {
    // An invalid setting would end any other command.
    let run = Run::new(&["process", "trial", "--options", "\"ignore\""]);
    let ended = run.set("BROKER_BIND", "nowhere").stdin(b"").finish().await;
    assert!(ended.status.success(), "{}", ended.err);
    let help = Run::new(&["--help"]).finish().await.out;
    assert!(!help.contains("  process"), "{help}");
}

#[tokio::test]
async fn unknown_processor_and_invalid_options_are_refused() {
    let ended = Run::new(&["process", "nothing"]).finish().await;
    assert_eq!(ended.status.code(), Some(2));
    assert!(
        ended.err.contains("there is no such processor"),
        "{}",
        ended.err
    );
    let ended = Run::new(&["process", "trial", "--options", "{"])
        .finish()
        .await;
    assert_eq!(ended.status.code(), Some(2));
    assert!(ended.err.contains("--options"), "{}", ended.err);
}
