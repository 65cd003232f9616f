//! One of something for each key, for as long as somebody holds it.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// What is shared by those who name the same key. Bounded by what is held at this moment.
pub struct Keyed<K, T>(Mutex<HashMap<K, Weak<T>>>);

impl<K, T> Default for Keyed<K, T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash, T> Keyed<K, T> {
    /// The one of `key`; `new` where nobody holds it.
    pub(in crate::usecases) fn of<Q>(&self, key: &Q, new: impl FnOnce() -> T) -> Arc<T>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
    {
        // Every change leaves it whole.
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(one) = held.get(key).and_then(Weak::upgrade) {
            return one;
        }
        held.retain(|_, one| one.strong_count() > 0);
        let one = Arc::new(new());
        held.insert(key.to_owned(), Arc::downgrade(&one));
        one
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_one_while_somebody_holds_it_and_forgotten_then() {
        let keyed: Keyed<String, u8> = Keyed::default();
        let first = keyed.of("a", || 1);
        assert_eq!((*keyed.of("a", || 2), *keyed.of("b", || 3)), (1, 3));
        drop(first);
        assert_eq!(*keyed.of("a", || 4), 4);
        assert_eq!(keyed.0.lock().unwrap().len(), 1, "`b` is forgotten");
    }
}
