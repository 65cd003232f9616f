//! Time, as the rest of the code sees it.
