//! Helpers for statements that write many rows: each column is bound as an array, and `unnest`
//! turns the arrays into rows.
//!
//! One prepared statement works for arrays of any length, whereas a list of VALUES needs one for
//! each length.

/// Binds one array for each SQL type, separated by commas.
macro_rules! bind_arrays {
    ($out:expr, $first:ty : $value:expr $(, $sql_type:ty : $values:expr)* $(,)?) => {
        $out.push_bind_param::<diesel::sql_types::Array<$first>, _>($value)?;
        $(
            $out.push_sql(", ");
            $out.push_bind_param::<diesel::sql_types::Array<$sql_type>, _>($values)?;
        )*
    };
}
pub(super) use bind_arrays;

use diesel::result::Error;
use serde::Serialize;

use super::Result;

/// Collects one column of `rows`.
pub(super) fn each<'a, R, T>(rows: &'a [R], column: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(column).collect()
}

/// Collects one column of `rows`.
///
/// # Errors
/// A value does not fit into the column, which is a bug of this program.
pub(super) fn try_each<'a, R, T, E: std::error::Error + Send + Sync + 'static>(
    rows: &'a [R],
    column: impl Fn(&'a R) -> std::result::Result<T, E>,
) -> Result<Vec<T>> {
    let column: std::result::Result<_, E> = rows.iter().map(column).collect();
    column.map_err(|cause| Error::SerializationError(cause.into()))
}

/// Serializes a value as JSON text, for a column that is cast to `jsonb`.
pub(super) fn json(value: &impl Serialize) -> serde_json::Result<String> {
    serde_json::to_string(value)
}
