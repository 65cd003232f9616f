//! Sessions in parts, from the outside: made, sent, resumed, acknowledged, ended.

mod checksums;
mod scene;
mod whole;
