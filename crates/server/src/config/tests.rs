//! Cases for the configuration as a whole.
