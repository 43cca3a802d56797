//! Values and files there and back.
