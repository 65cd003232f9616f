//! Races: an acknowledge against a cancel, a delete and the janitor, and uploads against each
//! other at one path. Whoever wins, there is one outcome, the history tells it, and the object
//! is there or gone accordingly.

mod one_path;
mod outcomes;

use crate::support::dice::Dice;
