//! The command-line client, as a person and a script use it: the real binary, a broker, a store.

mod completions;
mod get;
mod get_meddled;
mod get_resumed;
mod ls;
mod meddler;
mod put;
mod put_changed;
mod put_large;
mod put_meddled;
mod put_resumed;
mod put_rights;
mod put_stdin;
mod rm;
mod scene;
mod settings;
mod status;
