//! Pure rules: no I/O, no async. Everyone may name these types; they name nobody.
