use proptest::prelude::*;

use super::{push_text, put, show, split_text, take};

fn bytes(texts: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for text in texts {
        push_text(&mut bytes, text);
    }
    bytes
}

fn texts() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let byte = prop::sample::select(vec![0, 1, 2, b'a', 0xff]);
    prop::collection::vec(prop::collection::vec(byte, 0..4), 2)
}

proptest! {
    #[test]
    fn key_bytes_are_ordered_like_the_tuples_of_texts(left in texts(), right in texts()) {
        prop_assert_eq!(bytes(&left).cmp(&bytes(&right)), left.cmp(&right));
    }

    #[test]
    fn the_texts_are_read_back(texts in texts()) {
        let key = bytes(&texts);
        let (mut rest, mut text) = (key.as_slice(), Vec::new());
        for expected in &texts {
            rest = split_text(rest, &mut text);
            prop_assert_eq!(&text, expected);
        }
        prop_assert!(rest.is_empty());
    }

    #[test]
    fn packed_numbers_are_read_back(numbers in prop::array::uniform4(any::<u32>())) {
        let mut key = [0; 2];
        for (index, number) in numbers.iter().enumerate() {
            put(&mut key, index, *number);
        }
        for (index, number) in numbers.iter().enumerate() {
            prop_assert_eq!(take(&key, index), *number);
        }
    }
}

#[test]
fn a_group_is_shown_with_its_texts_in_quotes() {
    let key = bytes(&[b"Song".to_vec(), b"2024\n".to_vec()]);
    assert_eq!(show(&key), "\"Song\", \"2024\u{fffd}\"");
}
