//! Detects unknown variables with the prefix `BROKER_`, which are most likely typing errors.

use super::variables::VARIABLES;

/// Returns a sentence for every name with the prefix `BROKER_` that is not a setting, with the most
/// similar known name. These are only warnings, because a newer deployment may set variables that
/// an older broker does not know.
pub fn unknown_variables(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut unknown: Vec<String> = names
        .filter(|name| name.starts_with("BROKER_"))
        .filter(|name| VARIABLES.iter().all(|known| known.name != name))
        .collect();
    unknown.sort();
    unknown.iter().map(|name| sentence(name)).collect()
}

fn sentence(name: &str) -> String {
    // A name may contain any characters, and must not forge a log line.
    let shown = name.escape_debug();
    match nearest(name) {
        Some(known) => format!("{shown} is not a setting; did you mean {known}?"),
        None => format!("{shown} is not a setting"),
    }
}

/// The known name with the smallest edit distance, if at most a third of the part after `BROKER_`
/// differs.
fn nearest(name: &str) -> Option<&'static str> {
    let limit = (name.len().saturating_sub("BROKER_".len()) / 3).max(2);
    let known = VARIABLES.iter().map(|known| known.name);
    known
        .map(|known| (distance(name, known), known))
        .min()
        .filter(|(changes, _)| *changes <= limit)
        .map(|(_, known)| known)
}

/// The Levenshtein distance in characters: the number of insertions, deletions and replacements.
/// Keeps one row of the matrix; `corner` is the cell to the upper left.
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
    fn distance_equals_textbook_values() {
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
    fn unknown_variable_is_reported_with_most_similar_name() {
        let names = [
            "PATH",
            "BROKER_S3_BUKCET",
            "BROKER_BIND",
            "BROKER_WEATHER_API",
        ];
        let warnings = unknown_variables(names.into_iter().map(str::to_owned));
        assert_eq!(
            warnings,
            [
                "BROKER_S3_BUKCET is not a setting; did you mean BROKER_S3_BUCKET?",
                "BROKER_WEATHER_API is not a setting",
            ]
        );
    }
}
