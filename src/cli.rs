//! The root of the command line.
