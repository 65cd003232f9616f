//! The command line: each command wires the parts together and runs them.
