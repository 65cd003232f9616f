use serde_json::json;

use super::Options;

fn faults(value: serde_json::Value) -> Vec<String> {
    let options: Options = serde_json::from_value(value).unwrap();
    let faults = options.check().err().unwrap_or_default();
    faults
        .into_iter()
        .map(|fault| format!("{}: {}", fault.field, fault.detail))
        .collect()
}

#[test]
fn all_faults_are_found_and_name_their_fields() {
    let options = json!({
        "group_by": ["a", 0, "a"],
        "aggregates": [
            {"function": "sum"},
            {"function": "count", "type": "number"},
            {"function": "max", "column": 20000, "name": ""},
        ],
        "delimiter": "\"",
    });
    assert_eq!(
        faults(options),
        [
            "group_by[1]: must be 1 to 16384",
            "group_by[2]: the column is in the list twice",
            "aggregates[0].column: only count may leave it out",
            "aggregates[1].type: only min and max have a type",
            "aggregates[2].column: must be 1 to 16384",
            "aggregates[2].name: must have 1 to 1024 bytes",
            "delimiter: must be `auto` or one ASCII character that is no quote, line end or NUL",
        ]
    );
}

#[test]
fn empty_lists_and_names_without_a_header_are_faults() {
    let options = json!({"group_by": [], "aggregates": [], "header": false});
    assert_eq!(
        faults(options),
        [
            "group_by: must have 1 to 16 entries, not 0",
            "aggregates: must have 1 to 32 entries, not 0",
        ]
    );
    let options =
        json!({"group_by": ["a"], "aggregates": [{"function": "count"}], "header": false});
    assert_eq!(
        faults(options),
        ["group_by[0]: without a header a column has only a position"]
    );
}

#[test]
fn an_unknown_field_is_refused() {
    for options in [
        json!({"group_by": ["a"], "aggregates": [], "limit": 1}),
        json!({"group_by": ["a"], "aggregates": [{"function": "count", "of": "b"}]}),
        json!({"group_by": ["a"], "aggregates": [{"function": "median"}]}),
        json!({"group_by": [-1], "aggregates": []}),
    ] {
        assert!(
            serde_json::from_value::<Options>(options.clone()).is_err(),
            "{options}"
        );
    }
}

#[test]
fn options_are_written_as_they_are_read() {
    let options = json!({
        "group_by": ["a", 2],
        "aggregates": [{"function": "min", "column": "b", "name": "first", "type": "text"}],
        "header": true,
        "delimiter": ";",
        "encoding": "latin-1",
        "compression": "zstd",
        "max_bad_rows": 5,
        "max_bad_bytes": 6,
    });
    let read: Options = serde_json::from_value(options.clone()).unwrap();
    assert_eq!(serde_json::to_value(read).unwrap(), options);
}
