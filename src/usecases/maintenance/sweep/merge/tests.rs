//! Whatever the pages, the merge finds what a comparison in memory finds.

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

/// All differences of sorted objects and rows, in pages of `size`, from behind `position`; and
/// every place at which the merge could have been stopped.
fn differences(
    objects: &[ListedObject],
    rows: &[ProvenRow],
    size: usize,
    position: Option<String>,
) -> (Vec<Difference>, Vec<Option<String>>) {
    let (mut merge, mut found, mut places) = (Merge::after(position), vec![], vec![]);
    loop {
        places.push(merge.done().map(str::to_owned));
        match merge.step() {
            Step::End => return (found, places),
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

fn sides() -> impl Strategy<Value = (Vec<ListedObject>, Vec<ProvenRow>)> {
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
    fn it_finds_what_a_comparison_in_memory_finds(
        (objects, rows) in sides(), size in 1..5_usize,
    ) {
        let mut expected: Vec<Difference> = vec![];
        for row in &rows {
            let there = objects.iter().any(|object| {
                object.key == row.key && Some(&object.etag) == row.etag.as_ref()
            });
            if !there || row.drifted {
                expected.push(Difference::Row(row.clone()));
            }
        }
        for object in &objects {
            if rows.iter().all(|row| row.key != object.key) {
                expected.push(Difference::Object(object.key.clone()));
            }
        }
        let (mut found, places) = differences(&objects, &rows, size, None);
        let order = |difference: &Difference| format!("{difference:?}");
        expected.sort_by_key(order);
        found.sort_by_key(order);
        prop_assert_eq!(&found, &expected);
        // Stopped anywhere and gone on with, nothing is lost.
        for place in places {
            let behind = |difference: &&Difference| match difference {
                Difference::Row(row) => Some(&row.key) > place.as_ref(),
                Difference::Object(key) => Some(key) > place.as_ref(),
            };
            let expected: Vec<_> = expected.iter().filter(behind).cloned().collect();
            let (mut found, _) = differences(&objects, &rows, size, place.clone());
            found.sort_by_key(order);
            prop_assert_eq!(found, expected);
        }
    }
}

#[test]
fn a_listing_out_of_order_is_refused() {
    let mut merge = Merge::default();
    let page = vec![object("b", "x"), object("a", "x")];
    assert_eq!(merge.add_objects(page, true), Err(BadListing::Unordered));
    assert_eq!(merge.add_objects(vec![], false), Err(BadListing::Endless));
}

#[test]
fn rows_of_another_bucket_are_counted_and_left_out() {
    let mut merge = Merge::default();
    merge.add_objects(vec![], true).unwrap();
    assert_eq!(merge.add_rows(vec![row("a", "x", 1, false)], "c", true), 1);
    assert_eq!(merge.step(), Step::End);
}
