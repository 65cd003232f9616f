use serde_json::json;

use super::super::Options;

fn header(options: serde_json::Value, columns: &[&str], merge: bool) -> Vec<String> {
    let options: Options = serde_json::from_value(options).unwrap();
    let mut checked = options.check().unwrap();
    if merge {
        checked = checked.for_merge();
    }
    let columns: Vec<_> = columns.iter().map(|name| (*name).to_owned()).collect();
    checked.output_header(&columns)
}

#[test]
fn aggregates_without_a_name_are_named_by_their_function_and_column() {
    let options = json!({
        "group_by": ["g"],
        "aggregates": [
            {"function": "count"},
            {"function": "max", "column": "a", "type": "text"},
            {"function": "sum", "column": "b", "name": "total"},
        ],
    });
    let expected = ["g", "count", "max(a)", "total"];
    assert_eq!(header(options.clone(), &["g", "a", "b"], false), expected);
    assert_eq!(header(options, &expected, true), expected);
}
