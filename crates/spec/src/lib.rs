//! Pure data: command rows, configuration rows, error texts, ACL categories.

pub mod config;
