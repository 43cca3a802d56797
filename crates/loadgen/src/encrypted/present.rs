//! Encrypted connections by rustls.
//!
//! Invariant of [`Polled`]: a read says that there is nothing only when neither the session nor the
//! socket has anything, so that a poller that tells of changes alone misses nothing.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use client::Tls;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

/// How connections are encrypted; made once for all of them.
#[derive(Clone, Debug)]
pub struct Encryption {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

/// The same settings, not equal ones.
impl PartialEq for Encryption {
    fn eq(&self, other: &Encryption) -> bool {
        Arc::ptr_eq(&self.config, &other.config) && self.name == other.name
    }
}

impl Eq for Encryption {}

impl Encryption {
    /// For connections to a host.
    ///
    /// # Errors
    /// A file that cannot be read or holds something else.
    pub fn new(tls: &Tls, host: &str) -> io::Result<Encryption> {
        let (config, name) = tls.for_host(host)?;
        Ok(Encryption { config, name })
    }

    /// An encrypted connection over one that stands.
    pub(crate) fn shake_hands(&self, mut socket: TcpStream) -> io::Result<Waiting> {
        let session = ClientConnection::new(Arc::clone(&self.config), self.name.clone());
        let mut session = session.map_err(io::Error::other)?;
        while session.is_handshaking() {
            session.complete_io(&mut socket).map_err(|error| match error.kind() {
                ErrorKind::WouldBlock => {
                    io::Error::new(ErrorKind::TimedOut, "no answer to the TLS handshake")
                }
                _ => error,
            })?;
        }
        Ok(Waiting(StreamOwned::new(session, socket)))
    }
}

/// A connection that waits.
pub struct Waiting(StreamOwned<ClientConnection, TcpStream>);

impl Waiting {
    pub(crate) fn socket(&self) -> &TcpStream {
        &self.0.sock
    }

    /// The same for a poller; its socket does not block already.
    pub(crate) fn into_polled(self) -> Polled {
        let StreamOwned { mut conn, sock } = self.0;
        // A batch is taken whole: what the socket does not take is kept by the session.
        conn.set_buffer_limit(None);
        Polled { session: conn, socket: mio::net::TcpStream::from_std(sock) }
    }
}

impl Read for Waiting {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }
}

impl Write for Waiting {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// A connection that a poller watches.
pub struct Polled {
    session: ClientConnection,
    socket: mio::net::TcpStream,
}

impl Polled {
    pub(crate) fn socket(&mut self) -> &mut mio::net::TcpStream {
        &mut self.socket
    }
}

impl Read for Polled {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.session.reader().read(buf) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                // Servers hang up without the farewell of the protocol.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
                other => return other,
            }
            if self.session.read_tls(&mut self.socket)? > 0 || self.session.wants_read() {
                self.session.process_new_packets().map_err(io::Error::other)?;
            }
            self.flush()?;
        }
    }
}

impl Write for Polled {
    /// Takes everything; what the socket does not take goes with a later [`Write::flush`].
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let taken = self.session.writer().write(buf)?;
        self.flush()?;
        Ok(taken)
    }

    /// Hands the socket what it takes without waiting.
    fn flush(&mut self) -> io::Result<()> {
        while self.session.wants_write() {
            match self.session.write_tls(&mut self.socket) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
