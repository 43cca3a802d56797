//! What stands for encrypted connections in a program without them: types of which there is no
//! value, so that nothing else needs to know.

use std::io::{self, Read, Write};
use std::net::TcpStream;

use client::Tls;

/// How connections are encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Encryption {}

/// A connection that waits.
pub enum Waiting {}

/// A connection that a poller watches.
pub enum Polled {}

impl Encryption {
    /// # Errors
    /// Always.
    pub fn new(_: &Tls, _: &str) -> io::Result<Encryption> {
        let why = "built without encrypted connections";
        Err(io::Error::new(io::ErrorKind::Unsupported, why))
    }

    pub(crate) fn shake_hands(&self, _: TcpStream) -> io::Result<Waiting> {
        match *self {}
    }
}

impl Waiting {
    pub(crate) fn socket(&self) -> &TcpStream {
        match *self {}
    }

    pub(crate) fn into_polled(self) -> Polled {
        match self {}
    }
}

impl Polled {
    pub(crate) fn socket(&mut self) -> &mut mio::net::TcpStream {
        match *self {}
    }
}

impl Read for Waiting {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        match *self {}
    }
}

impl Write for Waiting {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        match *self {}
    }

    fn flush(&mut self) -> io::Result<()> {
        match *self {}
    }
}

impl Read for Polled {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        match *self {}
    }
}

impl Write for Polled {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        match *self {}
    }

    fn flush(&mut self) -> io::Result<()> {
        match *self {}
    }
}
