use super::{Budget, Dictionary, Interned};

#[test]
fn equal_texts_have_one_number_and_numbers_count_from_1() {
    let (mut dictionary, mut budget) = (Dictionary::new(), Budget::new(1 << 20));
    for round in 0..2 {
        for index in 0..5000_u32 {
            let text = format!("value {index}");
            let interned = dictionary.intern(text.as_bytes(), &mut budget);
            assert_eq!(interned, Interned::Id(index + 1), "{round}");
        }
    }
    assert_eq!(dictionary.len(), 5000);
    assert_eq!(dictionary.text(7), b"value 6");
}

#[test]
fn the_empty_text_is_a_value() {
    let (mut dictionary, mut budget) = (Dictionary::new(), Budget::new(1 << 20));
    assert_eq!(dictionary.intern(b"", &mut budget), Interned::Id(1));
    assert_eq!(dictionary.intern(b"a", &mut budget), Interned::Id(2));
    assert_eq!(dictionary.intern(b"", &mut budget), Interned::Id(1));
}

#[test]
fn a_full_budget_refuses_new_texts_and_still_finds_old_ones() {
    let (mut dictionary, mut budget) = (Dictionary::new(), Budget::new(20_000));
    let last = (0..).find(|index: &u32| {
        let interned = dictionary.intern(index.to_string().as_bytes(), &mut budget);
        interned == Interned::Full
    });
    assert!(last.unwrap() > 100);
    assert_eq!(dictionary.intern(b"0", &mut budget), Interned::Id(1));
    assert!(dictionary.bytes() <= 20_000);
    dictionary.reset(&mut budget);
    assert_eq!(budget.free(), 20_000);
}

#[test]
fn a_text_that_is_not_utf8_is_refused() {
    let (mut dictionary, mut budget) = (Dictionary::new(), Budget::new(1 << 20));
    assert_eq!(dictionary.intern(b"\xff", &mut budget), Interned::NotUtf8);
    assert_eq!(dictionary.len(), 0);
}
