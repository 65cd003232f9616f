//! Many rows in one statement: each column is an array, `unnest` makes rows of them. Postgres takes
//! arrays of any length by one prepared statement, which a list of VALUES is not.

/// Binds arrays, one for each SQL type, with commas between them.
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

/// One column of `rows`.
pub(super) fn each<'a, R, T>(rows: &'a [R], column: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(column).collect()
}

/// One column of `rows`. A value that it cannot hold is a fault of ours.
pub(super) fn try_each<'a, R, T, E: std::error::Error + Send + Sync + 'static>(
    rows: &'a [R],
    column: impl Fn(&'a R) -> std::result::Result<T, E>,
) -> Result<Vec<T>> {
    let column: std::result::Result<_, E> = rows.iter().map(column).collect();
    column.map_err(|cause| Error::SerializationError(cause.into()))
}

/// JSON as text, for a column that is cast to jsonb.
pub(super) fn json(value: &impl Serialize) -> serde_json::Result<String> {
    serde_json::to_string(value)
}
