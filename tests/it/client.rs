//! The command-line client, as used by people and by scripts: the real binary, a broker and a
//! store.

mod completions;
mod copy;
mod get;
mod get_folder;
mod get_meddled;
mod get_resumed;
mod hostile;
mod ls;
mod meddler;
mod put;
mod put_changed;
mod put_folder;
mod put_large;
mod put_meddled;
mod put_resumed;
mod put_rights;
mod put_stdin;
mod rm;
mod rm_folder;
mod scene;
mod settings;
mod status;
mod sync;
