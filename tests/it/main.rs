//! Stories told through the public interface, against real parts.
