//! With any page size, the merge finds the same differences as a comparison in memory.

use proptest::prelude::*;

use super::*;

fn object(key: &str, etag: &str) -> ListedObject {
    ListedObject {
        key: key.to_owned(),
        is_exact: true,
        size: 1,
        etag: format!("\"{etag}\""),
        last_modified: chrono::DateTime::UNIX_EPOCH,
    }
}

fn row(key: &str, etag: &str, number: u128, drifted: bool) -> ProvenRow {
    ProvenRow {
        id: uuid::Uuid::from_u128(number),
        tenant: "default".to_owned(),
        key: key.to_owned(),
        bucket: "b".to_owned(),
        etag: Some(format!("\"{etag}\"")),
        drifted,
    }
}

/// Returns the differences of sorted objects and rows, in pages of `size`, after `position`; and
/// every position at which the merge could have been stopped.
fn differences(
    objects: &[ListedObject],
    rows: &[ProvenRow],
    size: usize,
    position: Option<String>,
) -> (Vec<Difference>, Vec<Option<String>>) {
    let (mut merge, mut found, mut positions) = (Merge::after(position), vec![], vec![]);
    loop {
        positions.push(merge.completed_key().map(str::to_owned));
        match merge.step() {
            Step::End => return (found, positions),
            Step::Difference(difference) => found.push(difference),
            Step::NeedObjects => {
                let last = merge.last_object().map(str::to_owned);
                let rest = objects
                    .iter()
                    .filter(|each| Some(&each.key) > last.as_ref());
                let page: Vec<_> = rest.take(size + 1).cloned().collect();
                let is_last = page.len() <= size;
                let page = page.into_iter().take(size).collect();
                merge.add_objects(page, is_last).unwrap();
            }
            Step::NeedRows => {
                let last = merge.last_row().map(|(key, id)| (key.to_owned(), id));
                let rest = (rows.iter()).filter(|each| Some((each.key.clone(), each.id)) > last);
                let page: Vec<_> = rest.take(size).cloned().collect();
                let is_last = page.len() < size;
                merge.add_rows(page, "b", is_last);
            }
        }
    }
}

fn objects_and_rows() -> impl Strategy<Value = (Vec<ListedObject>, Vec<ProvenRow>)> {
    let key = "[a-c\u{e9}\u{1f980}]{1,2}";
    let objects = proptest::collection::btree_map(key, "[xy]", 0..12);
    let rows = proptest::collection::btree_map((key, 0..3_u128), ("[xy]", any::<bool>()), 0..12);
    (objects, rows).prop_map(|(objects, rows)| {
        let objects = objects.iter().map(|(key, etag)| object(key, etag));
        let rows =
            (rows.iter()).map(|((key, number), (etag, drifted))| row(key, etag, *number, *drifted));
        (objects.collect(), rows.collect())
    })
}

proptest! {
    #[test]
    fn merge_finds_the_differences_that_a_comparison_in_memory_finds(
        (objects, rows) in objects_and_rows(), size in 1..5_usize,
    ) {
        let mut expected: Vec<Difference> = vec![];
        for row in &rows {
            let is_present = objects.iter().any(|object| {
                object.key == row.key && Some(&object.etag) == row.etag.as_ref()
            });
            if !is_present || row.drifted {
                expected.push(Difference::Row(row.clone()));
            }
        }
        for object in &objects {
            if rows.iter().all(|row| row.key != object.key) {
                expected.push(Difference::Object(object.key.clone()));
            }
        }
        let (mut found, positions) = differences(&objects, &rows, size, None);
        let order = |difference: &Difference| format!("{difference:?}");
        expected.sort_by_key(order);
        found.sort_by_key(order);
        prop_assert_eq!(&found, &expected);
        // A merge that is stopped and resumed at any position loses no difference.
        for position in positions {
            let is_later = |difference: &&Difference| match difference {
                Difference::Row(row) => Some(&row.key) > position.as_ref(),
                Difference::Object(key) => Some(key) > position.as_ref(),
            };
            let expected: Vec<_> = expected.iter().filter(is_later).cloned().collect();
            let (mut found, _) = differences(&objects, &rows, size, position.clone());
            found.sort_by_key(order);
            prop_assert_eq!(found, expected);
        }
    }
}

#[test]
fn unsorted_or_endless_listing_is_rejected() {
    let mut merge = Merge::default();
    let page = vec![object("b", "x"), object("a", "x")];
    assert_eq!(merge.add_objects(page, true), Err(BadListing::Unordered));
    assert_eq!(merge.add_objects(vec![], false), Err(BadListing::Endless));
}

#[test]
fn rows_of_another_bucket_are_counted_and_omitted() {
    let mut merge = Merge::default();
    merge.add_objects(vec![], true).unwrap();
    assert_eq!(merge.add_rows(vec![row("a", "x", 1, false)], "c", true), 1);
    assert_eq!(merge.step(), Step::End);
}
