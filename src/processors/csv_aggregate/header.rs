//! Finding the columns of the options in the header of an input.

use super::checked::Checked;
use super::failure::Failure;
use super::options::Column;
use super::row::{MAX_COLUMNS, Row};

/// How many names a failure lists.
const LISTED: usize = 50;

/// The indexes of the columns, from 0. `row` is the first row of the input.
pub(super) fn resolve(
    columns: &[&Column],
    row: &Row<'_>,
    header: bool,
    input: u64,
) -> Result<Vec<usize>, Failure> {
    let indexes = columns.iter().map(|column| match column {
        Column::Position(position) if *position <= row.len() => Ok(position - 1),
        Column::Position(position) => Err(missing(position.to_string(), row, header, input)),
        Column::Name(name) => find(name, row, input),
    });
    indexes.collect()
}

/// The index of a name. Blanks around it are ignored if no other column has exactly this name.
fn find(name: &str, row: &Row<'_>, input: u64) -> Result<usize, Failure> {
    let fields = row.len().min(MAX_COLUMNS);
    let exact = (0..fields).filter(|index| row.field(*index) == name.as_bytes());
    let trimmed = name.as_bytes().trim_ascii();
    let similar = (0..fields).filter(|index| row.field(*index).trim_ascii() == trimmed);
    let mut found: Vec<_> = exact.take(2).collect();
    if found.is_empty() {
        found.extend(similar.take(2));
    }
    match found.as_slice() {
        [index] => Ok(*index),
        [] => Err(missing(format!("\"{name}\""), row, true, input)),
        _ => Err(Failure::ColumnAmbiguous {
            input,
            column: format!("\"{name}\""),
        }),
    }
}

fn missing(column: String, row: &Row<'_>, header: bool, input: u64) -> Failure {
    let mut exist = Vec::new();
    for index in 0..row.len().min(LISTED) {
        exist.push(if header {
            format!("\"{}\"", super::report::excerpt(row.field(index)))
        } else {
            (index + 1).to_string()
        });
    }
    if row.len() > LISTED {
        exist.push(format!("and {} more", row.len() - LISTED));
    }
    Failure::ColumnMissing {
        input,
        column,
        exist,
    }
}

/// The names of the columns of the options: those of the options if they have some, else those of
/// the first input, else `column_1` and so on.
pub(super) fn names(checked: &Checked, header: Option<&Row<'_>>) -> Vec<String> {
    let columns = checked.columns().map(|column| match (column, header) {
        (Column::Name(name), _) => name.clone(),
        (Column::Position(position), Some(row)) => {
            String::from_utf8_lossy(row.field(position - 1)).into_owned()
        }
        (Column::Position(position), None) => format!("column_{position}"),
    });
    columns.collect()
}
