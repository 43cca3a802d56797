//! What load is sent to, and connections to it.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

use mio::event::Source;
use mio::{Interest, Registry, Token};
use rustix::net::{RecvFlags, SendFlags, recv, send};

use crate::encrypted::{self, Encryption};
use crate::error::Error;
use crate::replies::Replies;

/// How long connecting may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A host's name or number, and a port.
    Host(String, u16),
    /// A port of a known number.
    Tcp(SocketAddr),
    /// The same, and connections to it are encrypted.
    Encrypted(SocketAddr, Encryption),
    /// The path of a socket.
    Unix(PathBuf),
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Address {
        Address::Tcp(address)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Host(host, port) => write!(f, "{host}:{port}"),
            Address::Tcp(address) | Address::Encrypted(address, _) => address.fmt(f),
            Address::Unix(path) => path.display().fmt(f),
        }
    }
}

impl Address {
    /// The same with the host's name looked up, so that later connections need not.
    ///
    /// # Errors
    /// A name that nobody knows.
    pub fn resolved(&self) -> Result<Vec<Address>, Error> {
        let Address::Host(host, port) = self else { return Ok(vec![self.clone()]) };
        let failed = |error| Error::Connect(self.to_string(), error);
        let found: Vec<Address> =
            (host.as_str(), *port).to_socket_addrs().map_err(failed)?.map(Address::Tcp).collect();
        if found.is_empty() {
            return Err(failed(io::Error::other("the name has no address")));
        }
        Ok(found)
    }

    /// Connects, and waits for it.
    ///
    /// # Errors
    /// Why it was not possible, with the address.
    pub fn connect(&self) -> Result<Blocking, Error> {
        let failed = |error| Error::Connect(self.to_string(), error);
        match self {
            Address::Host(..) => {
                let mut last = None;
                for address in self.resolved()? {
                    match address.connect() {
                        Ok(stream) => return Ok(stream),
                        Err(error) => last = Some(error),
                    }
                }
                Err(last.unwrap_or(Error::Closed))
            }
            Address::Tcp(address) => dial(address).map(Blocking::Tcp).map_err(failed),
            Address::Encrypted(address, encryption) => dial(address)
                .and_then(|stream| encryption.shake_hands(stream))
                .map(|stream| Blocking::Encrypted(Box::new(stream)))
                .map_err(failed),
            Address::Unix(path) => {
                std::os::unix::net::UnixStream::connect(path).map(Blocking::Unix).map_err(failed)
            }
        }
    }
}

fn dial(address: &SocketAddr) -> io::Result<std::net::TcpStream> {
    let stream = std::net::TcpStream::connect_timeout(address, CONNECT_LIMIT)?;
    stream.set_nodelay(true)?;
    // Who connects talks with the server at once, and not for ever.
    stream.set_read_timeout(Some(CONNECT_LIMIT))?;
    Ok(stream)
}

/// A connection that waits.
pub enum Blocking {
    /// Over the network.
    Tcp(std::net::TcpStream),
    /// Over the network, encrypted.
    Encrypted(Box<encrypted::Waiting>),
    /// Over a socket in the file system.
    Unix(std::os::unix::net::UnixStream),
}

impl Blocking {
    /// Sends commands and waits until `awaited` replies are there. Returns what was received.
    ///
    /// # Errors
    /// The first error reply, or a broken connection.
    pub fn converse(&mut self, bytes: &[u8], awaited: usize) -> Result<Vec<u8>, Error> {
        self.limit(Some(CONNECT_LIMIT)).map_err(|error| Error::Io("socket", error))?;
        self.write_all(bytes).and_then(|()| self.flush()).map_err(sending)?;
        let (mut replies, mut got, mut input) = (Replies::default(), Vec::new(), [0; 4096]);
        let mut there = 0;
        while there < awaited {
            let size = self.read(&mut input).map_err(receiving)?;
            if size == 0 {
                return Err(Error::Closed);
            }
            got.extend_from_slice(&input[..size]);
            there += replies.count(&input[..size])?;
        }
        Ok(got)
    }

    /// The same connection without waiting.
    ///
    /// # Errors
    /// What the system reports.
    pub fn into_ready(self) -> io::Result<Stream> {
        self.limit(None)?;
        match self {
            Blocking::Tcp(stream) => {
                stream.set_nonblocking(true)?;
                Ok(Stream::Tcp(mio::net::TcpStream::from_std(stream)))
            }
            Blocking::Encrypted(stream) => {
                stream.socket().set_nonblocking(true)?;
                Ok(Stream::Encrypted(Box::new(stream.into_polled())))
            }
            Blocking::Unix(stream) => {
                stream.set_nonblocking(true)?;
                Ok(Stream::Unix(mio::net::UnixStream::from_std(stream)))
            }
        }
    }

    fn limit(&self, limit: Option<Duration>) -> io::Result<()> {
        match self {
            Blocking::Tcp(stream) => stream.set_read_timeout(limit),
            Blocking::Encrypted(stream) => stream.socket().set_read_timeout(limit),
            Blocking::Unix(stream) => stream.set_read_timeout(limit),
        }
    }
}

impl Read for Blocking {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Blocking::Tcp(stream) => stream.read(buf),
            Blocking::Encrypted(stream) => stream.read(buf),
            Blocking::Unix(stream) => stream.read(buf),
        }
    }
}

impl Write for Blocking {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match self {
            Blocking::Tcp(stream) => stream.write(buf),
            Blocking::Encrypted(stream) => stream.write(buf),
            Blocking::Unix(stream) => stream.write(buf),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Blocking::Encrypted(stream) => stream.flush(),
            Blocking::Tcp(_) | Blocking::Unix(_) => Ok(()),
        }
    }
}

/// A connection that a poller watches.
pub enum Stream {
    /// Over the network.
    Tcp(mio::net::TcpStream),
    /// Over the network, encrypted.
    Encrypted(Box<encrypted::Polled>),
    /// Over a socket in the file system.
    Unix(mio::net::UnixStream),
}

impl Stream {
    /// Whether a read that did not fill its buffer has left nothing behind.
    #[inline]
    pub fn reads_all(&self) -> bool {
        !matches!(self, Stream::Encrypted(_))
    }
}

/// Straight to the system: what the C library does around a call that a thread could be cancelled
/// in is a tenth of the program's own work.
impl Read for Stream {
    #[inline]
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let none = RecvFlags::empty();
        let (_, size) = match self {
            Stream::Tcp(stream) => recv(stream, buf, none)?,
            Stream::Encrypted(stream) => return stream.read(buf),
            Stream::Unix(stream) => recv(stream, buf, none)?,
        };
        Ok(size)
    }
}

impl Write for Stream {
    #[inline]
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        Ok(match self {
            Stream::Tcp(stream) => send(stream, buf, SendFlags::NOSIGNAL)?,
            Stream::Encrypted(stream) => stream.write(buf)?,
            Stream::Unix(stream) => send(stream, buf, SendFlags::NOSIGNAL)?,
        })
    }

    #[inline]
    fn flush(&mut self) -> io::Result<()> {
        match self {
            Stream::Encrypted(stream) => stream.flush(),
            Stream::Tcp(_) | Stream::Unix(_) => Ok(()),
        }
    }
}

impl Source for Stream {
    fn register(&mut self, registry: &Registry, token: Token, what: Interest) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => stream.register(registry, token, what),
            Stream::Encrypted(stream) => stream.socket().register(registry, token, what),
            Stream::Unix(stream) => stream.register(registry, token, what),
        }
    }

    fn reregister(&mut self, registry: &Registry, token: Token, what: Interest) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => stream.reregister(registry, token, what),
            Stream::Encrypted(stream) => stream.socket().reregister(registry, token, what),
            Stream::Unix(stream) => stream.reregister(registry, token, what),
        }
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => stream.deregister(registry),
            Stream::Encrypted(stream) => stream.socket().deregister(registry),
            Stream::Unix(stream) => stream.deregister(registry),
        }
    }
}

/// What a failed write means: a peer that is gone shows itself there, too.
pub(crate) fn sending(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => Error::Closed,
        _ => Error::Io("Writing to the server", error),
    }
}

/// What a failed read means.
pub(crate) fn receiving(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::ConnectionReset => Error::Closed,
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Error::Silent,
        _ => Error::Io("Reading from the server", error),
    }
}
