//! The one assembly point.
