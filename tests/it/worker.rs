//! Workers: processes that run the jobs of datasets that have arrived, and what remains when they end.

mod ends;
mod fairness;
mod faults;
mod from_parts;
mod kills;
mod merge;
mod queue;
mod reference;
mod results;
mod scene;
