//! What the tests share: a server to start, a client to ask it with.
