//! Matching of a sequence against a pattern that may contain stars.

/// Whether the whole of `text` matches the whole of `pattern`. An element of the pattern for which
/// `is_star` holds stands for any number of items, including none; every other element stands for
/// one item, for which `matches_one` holds.
///
/// Only the last star is ever tried again, with one item more: what an earlier star has matched need
/// not change, because the elements up to the last star were found as early in the text as possible.
/// So the time is at most the product of both lengths, and no text of a client can make it
/// exponential.
pub(super) fn matches<P, T>(
    pattern: &[P],
    text: &[T],
    is_star: impl Fn(&P) -> bool,
    matches_one: impl Fn(&P, &T) -> bool,
) -> bool {
    let (mut pattern, mut text) = (pattern, text);
    // What follows the last star, and the first item that the star has not matched yet.
    let mut last_star: Option<(&[P], &[T])> = None;
    loop {
        match (pattern.split_first(), text.split_first()) {
            (Some((element, after)), _) if is_star(element) => {
                last_star = Some((after, text));
                pattern = after;
            }
            (Some((element, after)), Some((item, rest))) if matches_one(element, item) => {
                (pattern, text) = (after, rest);
            }
            (None, None) => return true,
            _ => {
                let Some((after, [_, rest @ ..])) = last_star else {
                    return false;
                };
                last_star = Some((after, rest));
                (pattern, text) = (after, rest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_match(pattern: &str, text: &str) -> bool {
        let (pattern, text): (Vec<char>, Vec<char>) =
            (pattern.chars().collect(), text.chars().collect());
        matches(
            &pattern,
            &text,
            |c| *c == '*',
            |one, item| *one == '?' || one == item,
        )
    }

    /// The definition, which takes exponential time.
    fn is_match_by_definition(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern, text) {
            ([], []) => true,
            ([b'*', after @ ..], _) => {
                (0..=text.len()).any(|taken| is_match_by_definition(after, &text[taken..]))
            }
            ([one, after @ ..], [item, rest @ ..]) => {
                (*one == b'?' || one == item) && is_match_by_definition(after, rest)
            }
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn match_agrees_with_its_definition(pattern in "[ab*?]{0,8}", text in "[ab]{0,10}") {
            prop_assert_eq!(
                is_match(&pattern, &text),
                is_match_by_definition(pattern.as_bytes(), text.as_bytes()),
            );
        }
    }

    /// A backtracking matcher would need more steps here than a machine makes in a lifetime.
    #[test]
    fn many_stars_on_a_long_text_take_no_long_time() {
        let pattern = "*a".repeat(200) + "b";
        assert!(!is_match(&pattern, &"a".repeat(10_000)));
    }
}
