use proptest::prelude::*;

use super::{Marks, PADDING, find};

proptest! {
    #[test]
    fn a_block_has_one_bit_for_each_mark(
        block in prop::collection::vec(prop::sample::select(b"a,;\"\r\n\0\x80\x8d\xac\xff".to_vec()), 64),
    ) {
        let block = block.first_chunk().unwrap();
        for delimiter in [b',', b';', b'a'] {
            let mut expected = 0;
            for (bit, byte) in block.iter().enumerate() {
                let mark = *byte == delimiter || matches!(byte, b'"' | b'\r' | b'\n');
                expected |= u64::from(mark) << bit;
            }
            prop_assert_eq!(find(block, delimiter), expected);
        }
    }

    #[test]
    fn from_any_position_all_marks_of_the_data_are_found_and_none_behind_it(
        data in prop::collection::vec(prop::sample::select(b"aaa,\n".to_vec()), 0..300),
        start in 0_usize..300,
    ) {
        let start = start.min(data.len());
        let mut buffer = data.clone();
        buffer.resize(data.len() + PADDING, b',');
        let mut marks = Marks::new(b',');
        marks.seek(start, &buffer, data.len());
        let found: Vec<_> = std::iter::from_fn(|| marks.next(&buffer, data.len())).collect();
        let expected = (start..data.len()).filter(|at| data[*at] != b'a');
        prop_assert_eq!(found, expected.collect::<Vec<_>>());
    }
}
