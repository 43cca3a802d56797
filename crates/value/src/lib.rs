//! The data types.
