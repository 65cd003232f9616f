//! Apart: the members of a group that do not share their fate.

use futures::FutureExt as _;
use futures::stream::{self, StreamExt as _};

/// How many are at it at once.
const AT_ONCE: usize = 4;

/// Does `work` for the items of each key by themselves, some of them beside each other. The answers
/// are in the order of the items.
pub(super) async fn apart<T, K, A, F>(
    items: Vec<T>,
    key: impl Fn(&T) -> K,
    work: impl Fn(K, Vec<T>) -> F,
) -> Vec<A>
where
    K: PartialEq,
    F: Future<Output = Vec<A>>,
{
    let mut parts: Vec<(K, Vec<usize>, Vec<T>)> = Vec::new();
    for (place, item) in items.into_iter().enumerate() {
        let key = key(&item);
        match parts.iter_mut().find(|(other, ..)| *other == key) {
            Some((_, places, items)) => {
                places.push(place);
                items.push(item);
            }
            None => parts.push((key, vec![place], vec![item])),
        }
    }
    let parts = parts.into_iter().map(|(key, places, items)| {
        work(key, items).map(|answers| places.into_iter().zip(answers).collect::<Vec<_>>())
    });
    let answers = stream::iter(parts).buffer_unordered(AT_ONCE);
    let answers: Vec<_> = answers.collect().await;
    let mut answers: Vec<_> = answers.into_iter().flatten().collect();
    answers.sort_by_key(|(place, _)| *place);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn those_of_one_key_are_together_and_answers_in_order() {
        let items = vec!["a1", "b1", "a2", "c1", "b2"];
        let answers = apart(
            items,
            |item| item.as_bytes().first().copied(),
            async |_, items: Vec<&str>| {
                let all = items.join("+");
                items
                    .iter()
                    .map(|item| format!("{item} of {all}"))
                    .collect()
            },
        )
        .await;
        let expected = [
            "a1 of a1+a2",
            "b1 of b1+b2",
            "a2 of a1+a2",
            "c1 of c1",
            "b2 of b1+b2",
        ];
        assert_eq!(answers, expected);
    }
}
