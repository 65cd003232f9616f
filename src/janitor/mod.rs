//! The loop that finishes what clients left unfinished.
