//! Variables that look like ours and are not: most likely typing errors.

use super::variables::VARIABLES;

/// One sentence for every name that begins with `BROKER_` and that nobody reads, with the known
/// name that is nearest to it. For warnings: a newer deployment may set what an older broker does
/// not know.
pub fn unknown_variables(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut unknown: Vec<String> = names
        .filter(|name| name.starts_with("BROKER_"))
        .filter(|name| VARIABLES.iter().all(|known| known.name != name))
        .collect();
    unknown.sort();
    unknown.iter().map(|name| sentence(name)).collect()
}

fn sentence(name: &str) -> String {
    // A name can hold anything: it must not forge a line of the log.
    let shown = name.escape_debug();
    match nearest(name) {
        Some(known) => format!("{shown} is not a setting; did you mean {known}?"),
        None => format!("{shown} is not a setting"),
    }
}

/// The known name with the fewest changes, if a third of the part after `BROKER_` or less changes.
fn nearest(name: &str) -> Option<&'static str> {
    let limit = (name.len().saturating_sub("BROKER_".len()) / 3).max(2);
    let known = VARIABLES.iter().map(|known| known.name);
    known
        .map(|known| (distance(name, known), known))
        .min()
        .filter(|(changes, _)| *changes <= limit)
        .map(|(_, known)| known)
}

/// Levenshtein's distance in characters: insertions, deletions and replacements. Keeps one row of
/// the matrix; `corner` is the cell up and to the left.
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.chars().count()).collect();
    for (deleted, from) in left.chars().enumerate() {
        let mut corner = deleted;
        let mut before = deleted.saturating_add(1);
        if let Some(first) = row.first_mut() {
            *first = before;
        }
        for (cell, to) in row.iter_mut().skip(1).zip(right.chars()) {
            let replaced = corner.saturating_add(usize::from(from != to));
            corner = *cell;
            before = replaced.min(corner.min(before).saturating_add(1));
            *cell = before;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_the_textbook() {
        for (left, right, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
            ("BROKER_BNID", "BROKER_BIND", 2),
        ] {
            assert_eq!(distance(left, right), expected, "{left} to {right}");
            assert_eq!(distance(right, left), expected, "{right} to {left}");
        }
    }

    #[test]
    fn a_typing_error_is_told_with_the_name_that_was_meant() {
        let names = [
            "PATH",
            "BROKER_S3_BUKCET",
            "BROKER_BIND",
            "BROKER_WEATHER_API",
        ];
        let told = unknown_variables(names.into_iter().map(str::to_owned));
        assert_eq!(
            told,
            [
                "BROKER_S3_BUKCET is not a setting; did you mean BROKER_S3_BUCKET?",
                "BROKER_WEATHER_API is not a setting",
            ]
        );
    }
}
