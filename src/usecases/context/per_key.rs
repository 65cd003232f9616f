//! One shared value for each key, for as long as a caller holds it.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Values that are shared by all callers that name the same key. Memory is bounded by the values
/// that are held at this moment.
pub(in crate::usecases) struct PerKey<K, T>(Mutex<HashMap<K, Weak<T>>>);

impl<K, T> Default for PerKey<K, T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash, T> PerKey<K, T> {
    /// The value of `key`; `new` creates it where no caller holds one.
    pub(in crate::usecases) fn get_or_insert_with<Q>(
        &self,
        key: &Q,
        new: impl FnOnce() -> T,
    ) -> Arc<T>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
    {
        // Each change is one step, so that a panic leaves the map whole.
        let mut values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = values.get(key).and_then(Weak::upgrade) {
            return value;
        }
        values.retain(|_, value| value.strong_count() > 0);
        let value = Arc::new(new());
        values.insert(key.to_owned(), Arc::downgrade(&value));
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_is_shared_while_held_and_forgotten_afterwards() {
        let values: PerKey<String, u8> = PerKey::default();
        let first = values.get_or_insert_with("a", || 1);
        let same = values.get_or_insert_with("a", || 2);
        let other = values.get_or_insert_with("b", || 3);
        assert_eq!((*same, *other), (1, 3));
        drop((first, same, other));
        assert_eq!(*values.get_or_insert_with("a", || 4), 4);
        assert_eq!(values.0.lock().unwrap().len(), 1, "`b` is forgotten");
    }
}
