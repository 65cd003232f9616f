//! Images of each format, from their bytes to their results.
