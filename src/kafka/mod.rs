//! Declared now, furnished next.
