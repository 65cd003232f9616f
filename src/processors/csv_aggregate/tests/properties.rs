//! Equality with the reference, whatever the memory, the order and the cuts are.

use proptest::prelude::*;

use super::{Checked, options, reference, run_within};

fn checked() -> Checked {
    options(serde_json::json!({
        "group_by": ["g", "h"],
        "aggregates": [
            {"function": "sum", "column": "n"},
            {"function": "count"},
            {"function": "count", "column": "n"},
            {"function": "min", "column": "n"},
            {"function": "max", "column": "n"},
            {"function": "min", "column": "t", "type": "text"},
        ],
        "delimiter": ",",
        "max_bad_rows": 1_000_000,
        "max_bad_bytes": 1_000_000_000,
    }))
}

/// A field as a file may have it: plain, in quotes, or with a quote in its middle.
fn field() -> impl Strategy<Value = String> {
    let text = "[a-c]{0,2}";
    prop_oneof![
        6 => text,
        1 => text.prop_map(|text| format!("\"{text}\"")),
        1 => Just("\"a,b\"".to_owned()),
        1 => Just("\"line\nend\r\"".to_owned()),
        1 => Just("\"say \"\"x\"\"\"".to_owned()),
        1 => Just("mid\"dle\"".to_owned()),
        1 => Just("\"ab\"c".to_owned()),
        1 => Just("n\0l".to_owned()),
        1 => Just("é\u{feff}".to_owned()),
        1 => (0_u32..400).prop_map(|number| format!("value {number}")),
    ]
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        5 => (-20_i64..2000).prop_map(|number| number.to_string()),
        1 => (0_i64..2000).prop_map(|number| format!("{}.{}", number, number % 100)),
        1 => (0_i64..20).prop_map(|number| (i64::MAX - number).to_string()),
        1 => Just(i64::MIN.to_string()),
        1 => Just("12345678901234567890.5".to_owned()),
        1 => Just(String::new()),
        1 => Just(" 7 ".to_owned()),
        1 => Just("none".to_owned()),
    ]
}

fn file(rows: std::ops::Range<usize>) -> impl Strategy<Value = String> {
    let end = prop::sample::select(vec!["\n", "\n", "\r\n", "\r", "\n\n"]);
    let fields = (field(), field(), number(), field(), end);
    let row = fields.prop_map(|(g, h, n, t, end)| format!("{g},{h},{n},{t}{end}"));
    let bad = prop_oneof![Just("\"a\",b\n".to_owned()), Just(",,,,\n".to_owned())];
    let row = prop_oneof![20 => row, 1 => bad];
    prop::collection::vec(row, rows).prop_map(|rows| format!("g,h,n,t\n{}", rows.concat()))
}

fn bytes(files: &[String]) -> Vec<Vec<u8>> {
    files.iter().map(|file| file.clone().into_bytes()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_result_is_that_of_the_reference_within_any_budget(
        files in prop::collection::vec(file(0..400), 1..3),
        budget in 30_000_usize..200_000,
    ) {
        let expected = reference::aggregate(&files);
        let (output, _) = run_within(budget, &checked(), &bytes(&files)).unwrap();
        prop_assert_eq!(String::from_utf8(output).unwrap(), expected);
    }

    #[test]
    fn merged_partial_results_are_the_result_of_all_inputs(
        files in prop::collection::vec(file(0..200), 1..5),
        budget in 30_000_usize..100_000,
    ) {
        let (checked, files) = (checked(), bytes(&files));
        let (whole, _) = run_within(1 << 20, &checked, &files).unwrap();
        let partial = files.iter().map(|file| {
            run_within(1 << 20, &checked, std::slice::from_ref(file)).unwrap().0
        });
        let partial: Vec<_> = partial.collect();
        let (merged, report) = run_within(budget, &checked.for_merge(), &partial).unwrap();
        prop_assert_eq!(report.bad_rows.count, 0);
        prop_assert_eq!(String::from_utf8(merged).unwrap(), String::from_utf8(whole).unwrap());
    }
}

/// Many values of one column and many groups of few values, so that both kinds of runs are used.
#[test]
fn many_groups_are_spilled_and_merged_in_several_levels() {
    for (values, columns) in [(20_000_u64, 1_usize), (20_000, 2), (150, 2), (150, 3)] {
        let mut input = "a,b,c,n\n".to_owned();
        let mut expected = std::collections::BTreeMap::new();
        let mut random = 1_u64;
        for row in 0..30_000_u64 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let [a, b, c] = [random >> 20, random >> 33, random >> 45].map(|r| r % values);
            input += &format!("{a},{b},{c},{row}\n");
            let key: Vec<_> = [a, b, c].iter().map(u64::to_string).collect();
            let key = key[..columns].join(",");
            *expected.entry(key).or_insert(0_u64) += row;
        }
        let group_by = &["a", "b", "c"][..columns];
        let checked = options(serde_json::json!({
            "group_by": group_by,
            "aggregates": [{"function": "sum", "column": "n"}],
        }));
        // Tuples of texts are ordered otherwise than the joined texts.
        let mut rows: Vec<_> = expected.into_iter().collect();
        rows.sort_by_key(|(key, _)| key.split(',').map(str::to_owned).collect::<Vec<_>>());
        let rows = rows.into_iter().map(|(key, sum)| format!("{key},{sum}\n"));
        let expected = format!(
            "{},sum(n)\n{}",
            group_by.join(","),
            rows.collect::<String>()
        );
        let (output, report) = run_within(60_000, &checked, &[input.into_bytes()]).unwrap();
        assert_eq!(
            String::from_utf8(output).unwrap(),
            expected,
            "{values} {columns}"
        );
        assert!(report.spilled_runs > 5, "{report:?}");
    }
}
