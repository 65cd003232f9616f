//! An upload completes by S3's own word: the client puts its bytes and never acknowledges.

mod completes;
mod drift;
mod faults;
mod queue;
mod replicas;
mod rows;
mod scene;
mod shapes;
