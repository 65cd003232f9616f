//! Conversion of TOML values to JSON.

use serde_json::{Map, Number, Value};
use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

/// A value that JSON does not have.
pub(super) struct NotJson {
    /// Its position in the text.
    pub(super) span: std::ops::Range<usize>,
    /// Its key, with dots between the keys of nested tables.
    pub(super) key: String,
    /// What is expected.
    pub(super) detail: &'static str,
}

/// Converts a table. Values that JSON does not have are left out and added to `faults`.
pub(super) fn object(key: &str, table: &DeTable<'_>, faults: &mut Vec<NotJson>) -> Value {
    let mut members = Map::new();
    for (name, item) in table {
        let key = format!("{key}.{}", name.get_ref());
        if let Some(converted) = value(&key, item, faults) {
            members.insert(name.get_ref().to_string(), converted);
        }
    }
    Value::Object(members)
}

fn value(key: &str, item: &Spanned<DeValue<'_>>, faults: &mut Vec<NotJson>) -> Option<Value> {
    let converted = match item.get_ref() {
        DeValue::String(text) => Ok(Value::from(text.as_ref())),
        DeValue::Integer(number) => integer(number),
        DeValue::Float(number) => (number.as_str().parse().ok())
            .and_then(Number::from_f64)
            .map(Value::Number)
            .ok_or("must be a finite number"),
        DeValue::Boolean(flag) => Ok(Value::from(*flag)),
        DeValue::Datetime(_) => Err("must not be a TOML date or time; write it as a string"),
        DeValue::Array(items) => {
            let items = items.iter().filter_map(|item| value(key, item, faults));
            Ok(Value::Array(items.collect()))
        }
        DeValue::Table(table) => Ok(object(key, table, faults)),
    };
    converted
        .map_err(|detail| {
            faults.push(NotJson {
                span: item.span(),
                key: key.to_owned(),
                detail,
            });
        })
        .ok()
}

fn integer(number: &DeInteger<'_>) -> Result<Value, &'static str> {
    i64::from_str_radix(number.as_str(), number.radix())
        .map(Value::from)
        .map_err(|_| "must be a whole number from -2^63 to 2^63 - 1")
}
