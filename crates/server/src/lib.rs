//! Workers, connections, sessions, dispatch.
