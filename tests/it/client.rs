//! The command-line client, as used by people and by scripts: the real binary, a broker and a
//! store.

mod completions;
mod copy;
mod fault_proxy;
mod get;
mod get_folder;
mod get_resumed;
mod get_through_faults;
mod hostile;
mod ls;
mod man;
mod put;
mod put_changed;
mod put_folder;
mod put_large;
mod put_resumed;
mod put_rights;
mod put_stdin;
mod put_through_faults;
mod rm;
mod rm_folder;
mod scene;
mod settings;
mod status;
mod sync;
