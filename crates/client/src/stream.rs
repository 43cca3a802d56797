//! A connection as a stream of bytes: TCP, a socket in the file system, or TLS on the first.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};

use crate::address::{Address, Endpoint};
use crate::config::Tls;

/// A blocking connection without a protocol.
#[derive(Debug)]
pub enum Link {
    /// Plain TCP.
    Tcp(TcpStream),
    /// A socket in the file system.
    Unix(UnixStream),
    /// Encrypted.
    #[cfg(feature = "tls")]
    Tls(Box<rustls::StreamOwned<rustls::ClientConnection, TcpStream>>),
}

impl Link {
    /// Connects within `limit` for each of the host's addresses.
    ///
    /// # Errors
    /// Those of the system, and of the handshake.
    pub fn connect(address: &Address, tls: &Tls, limit: Duration) -> io::Result<Link> {
        let tcp = match &address.endpoint {
            Endpoint::Unix(path) => return UnixStream::connect(path).map(Link::Unix),
            Endpoint::Tcp { host, port } => connect_tcp(host, *port, limit)?,
        };
        tcp.set_nodelay(true)?;
        let keepalive = TcpKeepalive::new().with_time(Duration::from_secs(15));
        SockRef::from(&tcp).set_tcp_keepalive(&keepalive)?;
        if address.tls { encrypted(tcp, address, tls, limit) } else { Ok(Link::Tcp(tcp)) }
    }

    /// How long a read may take; `None` is for ever.
    ///
    /// # Errors
    /// Those of the system.
    pub fn set_read_timeout(&self, limit: Option<Duration>) -> io::Result<()> {
        // Zero would mean for ever to the system.
        let limit = limit.map(|limit| limit.max(Duration::from_millis(1)));
        match self {
            Link::Unix(unix) => unix.set_read_timeout(limit),
            _ => self.tcp().map_or(Ok(()), |tcp| tcp.set_read_timeout(limit)),
        }
    }

    /// How long a write may take; `None` is for ever.
    ///
    /// # Errors
    /// Those of the system.
    pub fn set_write_timeout(&self, limit: Option<Duration>) -> io::Result<()> {
        let limit = limit.map(|limit| limit.max(Duration::from_millis(1)));
        match self {
            Link::Unix(unix) => unix.set_write_timeout(limit),
            _ => self.tcp().map_or(Ok(()), |tcp| tcp.set_write_timeout(limit)),
        }
    }

    /// Reads what is there without waiting; `WouldBlock` if that is nothing.
    ///
    /// # Errors
    /// Those of the system.
    pub fn read_now(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.set_nonblocking(true)?;
        let read = self.read(buffer);
        self.set_nonblocking(false)?;
        read
    }

    /// Another handle of the same connection, so that one thread can write while one reads.
    ///
    /// # Errors
    /// Those of the system; encrypted connections have one handle only.
    pub fn try_clone(&self) -> io::Result<Link> {
        match self {
            Link::Tcp(tcp) => tcp.try_clone().map(Link::Tcp),
            Link::Unix(unix) => unix.try_clone().map(Link::Unix),
            #[cfg(feature = "tls")]
            Link::Tls(_) => Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "an encrypted connection cannot be written and read at the same time",
            )),
        }
    }

    fn set_nonblocking(&self, on: bool) -> io::Result<()> {
        match self {
            Link::Unix(unix) => unix.set_nonblocking(on),
            _ => self.tcp().map_or(Ok(()), |tcp| tcp.set_nonblocking(on)),
        }
    }

    fn tcp(&self) -> Option<&TcpStream> {
        match self {
            Link::Tcp(tcp) => Some(tcp),
            Link::Unix(_) => None,
            #[cfg(feature = "tls")]
            Link::Tls(stream) => Some(&stream.sock),
        }
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Link::Tcp(tcp) => tcp.as_fd(),
            Link::Unix(unix) => unix.as_fd(),
            #[cfg(feature = "tls")]
            Link::Tls(stream) => stream.sock.as_fd(),
        }
    }
}

impl Read for Link {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Link::Tcp(tcp) => tcp.read(buffer),
            Link::Unix(unix) => unix.read(buffer),
            #[cfg(feature = "tls")]
            Link::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Link {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Link::Tcp(tcp) => tcp.write(bytes),
            Link::Unix(unix) => unix.write(bytes),
            #[cfg(feature = "tls")]
            Link::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Link::Tcp(tcp) => tcp.flush(),
            Link::Unix(unix) => unix.flush(),
            #[cfg(feature = "tls")]
            Link::Tls(stream) => stream.flush(),
        }
    }
}

/// Tries the host's addresses in turn; the last error is told.
fn connect_tcp(host: &str, port: u16, limit: Duration) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, limit.max(Duration::from_millis(1))) {
            Ok(tcp) => return Ok(tcp),
            Err(error) => last = error,
        }
    }
    Err(last)
}

#[cfg(feature = "tls")]
fn encrypted(tcp: TcpStream, address: &Address, tls: &Tls, limit: Duration) -> io::Result<Link> {
    tcp.set_read_timeout(Some(limit))?;
    let (config, name) = crate::tls::client(address, tls)?;
    let connection = rustls::ClientConnection::new(config, name).map_err(io::Error::other)?;
    let mut stream = rustls::StreamOwned::new(connection, tcp);
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => {
                io::Error::new(io::ErrorKind::TimedOut, "no answer to the TLS handshake")
            }
            _ => error,
        })?;
    }
    stream.sock.set_read_timeout(None)?;
    Ok(Link::Tls(Box::new(stream)))
}

#[cfg(not(feature = "tls"))]
fn encrypted(_: TcpStream, _: &Address, _: &Tls, _: Duration) -> io::Result<Link> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "built without encrypted connections"))
}
