//! Signals, shutdown and supervised loops.
