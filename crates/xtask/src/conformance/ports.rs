//! A range of ports for one runner, which no other runner on this machine has at the same time.
//!
//! The suite's own search for a free port takes one that is free on IPv6 alone for free, so two
//! runs of this task would stop each other. Holding a listener below the range keeps them apart.

use std::net::{Ipv4Addr, TcpListener};

/// The first port of the first range. A range and all that belongs to it stay below the ports
/// that the system hands out by itself; cluster buses are ten thousand above, and are searched
/// for by the suite.
const FIRST: u16 = 21_200;
/// The suite's runner listens on one of as many ports below the servers' range.
const RUNNER: u16 = 32;
const STRIDE: u16 = 450;
const RANGES: u16 = 22;

/// Ports for the servers of one runner; given back when it goes out of scope.
#[derive(Debug)]
pub(super) struct Ports {
    pub(super) first: u16,
    _held: TcpListener,
}

impl Ports {
    /// How many there are for servers, beginning with the first.
    pub(super) const COUNT: u16 = 400;

    /// Takes the first range that nobody holds.
    ///
    /// # Errors
    /// That all of them are held.
    pub(super) fn claim() -> Result<Ports, String> {
        let firsts = (0..RANGES).map(|range| FIRST + range * STRIDE);
        let mut held = firsts.filter_map(|first| {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, first - RUNNER - 1)).ok()?;
            Some(Ports { first, _held: listener })
        });
        held.next().ok_or_else(|| "no range of ports is free".to_owned())
    }
}
