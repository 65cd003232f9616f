//! Settings: read once from a lookup function, validated as a whole, typed.
