//! Races: an acknowledge against a cancel, a delete and the janitor, and several uploads of one
//! path against each other. Whichever wins, there is one outcome, the history contains it, and the
//! object exists or not accordingly.

mod one_path;
mod outcomes;

use crate::support::seeded_rng::SeededRng;
