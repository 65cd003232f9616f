//! Events of S3 complete an upload whose client sends the bytes and never acknowledges.

mod completes;
mod drift;
mod faults;
mod queue;
mod replicas;
mod rows;
mod scene;
mod shapes;
