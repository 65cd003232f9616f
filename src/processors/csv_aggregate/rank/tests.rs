use proptest::prelude::*;

use super::super::budget::Budget;
use super::super::dictionary::Dictionary;
use super::Ranks;

proptest! {
    #[test]
    fn ranks_are_ordered_like_the_texts(
        texts in prop::collection::btree_set("(prefix)?[a\0]{0,10}", 0..50),
    ) {
        let (mut dictionary, mut budget) = (Dictionary::new(), Budget::new(1 << 20));
        let mut shuffled: Vec<_> = texts.iter().collect();
        shuffled.sort_by_key(|text| (text.len(), std::cmp::Reverse(*text)));
        for text in shuffled {
            dictionary.intern(text.as_bytes(), &mut budget);
        }
        let ranks = Ranks::new(&dictionary);
        for (rank, text) in (0..).zip(&texts) {
            let id = ranks.id(rank);
            prop_assert_eq!(dictionary.text(id), text.as_bytes());
            prop_assert_eq!(ranks.rank(id), rank);
        }
    }
}
