//! Accepting connections: addresses, unix sockets, who is let in.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener as StdTcpListener, ToSocketAddrs};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener as StdUnixListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mio::net::{TcpListener, UnixListener};
use mio::{Interest, Registry, Token};
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use spec::config::Id;

use crate::clock;
use crate::config::Config;
use crate::conn::Stream;
use crate::local::Local;
use crate::registry::Client;
use crate::server::Server;

const TOO_MANY: &[u8] = b"-ERR max number of clients reached\r\n";

const PROTECTED: &[u8] =
    b"-DENIED Reddle is running in protected mode: no password is set for the \
default user, so only clients on this machine are let in. Set 'requirepass', or list the \
addresses to serve with 'bind', or, if the network is trusted, turn 'protected-mode' off, and \
connect again.\r\n";

/// A socket that connections are accepted from.
pub enum Listener {
    /// A TCP port on one address.
    Tcp(TcpListener),
    /// A unix socket and its path.
    Unix(UnixListener, PathBuf),
}

impl Listener {
    /// Adds it to a poller.
    pub fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        match self {
            Self::Tcp(listener) => registry.register(listener, token, Interest::READABLE),
            Self::Unix(listener, _) => registry.register(listener, token, Interest::READABLE),
        }
    }
}

/// Opens every address and the unix socket that the configuration names. The error is a line for
/// the log.
pub fn open(config: &Config) -> Result<Vec<Listener>, String> {
    let mut listeners = open_tcp(config)?;
    if let Some(path) = config.path(Id::Unixsocket) {
        let mode = config.int(Id::Unixsocketperm) as u32;
        let backlog = config.int(Id::TcpBacklog) as i32;
        let listener = open_unix(path, mode, backlog)
            .map_err(|error| format!("Failed opening Unix socket: bind: {error}"))?;
        listeners.push(listener);
    }
    if listeners.is_empty() {
        return Err("Configured to not listen anywhere, exiting.".to_owned());
    }
    Ok(listeners)
}

/// Opens the TCP addresses alone.
pub fn open_tcp(config: &Config) -> Result<Vec<Listener>, String> {
    let port = config.int(Id::Port) as u16;
    let backlog = config.int(Id::TcpBacklog) as i32;
    let mut listeners = Vec::new();
    if port == 0 {
        return Ok(listeners);
    }
    for entry in config.list(Id::Bind) {
        let entry = String::from_utf8_lossy(entry);
        let (optional, name) = match entry.strip_prefix('-') {
            Some(name) => (true, name),
            None => (false, entry.as_ref()),
        };
        match bind_one(name, port, backlog) {
            Ok(more) => listeners.extend(more),
            Err(error) if optional && is_missing(&error) => {}
            Err(error) => {
                log::warn!(
                    "Warning: Could not create server TCP listening socket {name}:{port}: bind: {}",
                    system_text(&error),
                );
                if !optional || !is_missing(&error) {
                    return Err(format!("Failed listening on port {port} (tcp), aborting."));
                }
            }
        }
    }
    Ok(listeners)
}

/// Errors that an address which may be missing is allowed to have.
fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::EADDRNOTAVAIL | libc::EAFNOSUPPORT | libc::EPFNOSUPPORT | libc::ENOPROTOOPT)
    )
}

fn bind_one(name: &str, port: u16, backlog: i32) -> io::Result<Vec<Listener>> {
    let addresses: Vec<SocketAddr> = match name {
        "*" => vec![SocketAddr::from(([0, 0, 0, 0], port))],
        "::*" => vec![SocketAddr::from(([0u16; 8], port))],
        name => (name, port).to_socket_addrs()?.take(1).collect(),
    };
    addresses.into_iter().map(|address| bind_tcp(address, backlog)).collect()
}

fn bind_tcp(address: SocketAddr, backlog: i32) -> io::Result<Listener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(backlog)?;
    socket.set_nonblocking(true)?;
    Ok(Listener::Tcp(TcpListener::from_std(StdTcpListener::from(socket))))
}

fn open_unix(path: &Path, mode: u32, backlog: i32) -> io::Result<Listener> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.bind(&socket2::SockAddr::unix(path)?)?;
    socket.listen(backlog)?;
    socket.set_nonblocking(true)?;
    if mode != 0 {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))?;
    }
    let listener =
        UnixListener::from_std(StdUnixListener::from(std::os::fd::OwnedFd::from(socket)));
    Ok(Listener::Unix(listener, path.to_path_buf()))
}

/// An error as the C library words it, without the number that Rust puts behind it.
pub fn system_text(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

/// Accepts one connection that is let in; `None` when there is no more to accept for now.
pub fn accept(server: &Server, local: &Local, listener: &Listener) -> Option<Stream> {
    loop {
        let (stream, is_stranger) = match accept_one(listener) {
            Ok(accepted) => accepted,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return None,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                log::warn!("Accepting client connection: {}", system_text(&error));
                return None;
            }
        };
        let tunables = &local.tunables;
        let served: u64 = server.workers.iter().map(|worker| worker.load()).sum();
        let refusal = if served >= tunables.maxclients {
            Some(TOO_MANY)
        } else if is_stranger && tunables.protected_mode && tunables.password.is_empty() {
            Some(PROTECTED)
        } else {
            None
        };
        let stats = server.stats(local.id);
        if let Some(text) = refusal {
            stats.rejected_connections.add(1);
            refuse(stream, text);
            continue;
        }
        stats.connections.add(1);
        tune(&stream, tunables.tcp_keepalive);
        return Some(stream);
    }
}

/// Tells a client why it is not served. Whether it hears is its own matter.
fn refuse(stream: Stream, text: &[u8]) {
    let sent = match stream {
        Stream::Tcp(mut stream) => stream.write(text),
        Stream::Unix(mut stream) => stream.write(text),
    };
    if let Err(error) = sent {
        log::debug!("Refusing a client: {error}");
    }
}

fn accept_one(listener: &Listener) -> io::Result<(Stream, bool)> {
    match listener {
        Listener::Tcp(listener) => {
            let (stream, peer) = listener.accept()?;
            Ok((Stream::Tcp(stream), !peer.ip().to_canonical().is_loopback()))
        }
        Listener::Unix(listener, _) => Ok((Stream::Unix(listener.accept()?.0), false)),
    }
}

/// Sets what a client's socket needs; a socket that refuses is served as it is.
fn tune(stream: &Stream, keepalive_seconds: u64) {
    let Stream::Tcp(stream) = stream else { return };
    let socket = SockRef::from(stream);
    let mut result = socket.set_tcp_nodelay(true);
    if keepalive_seconds > 0 {
        let interval = Duration::from_secs((keepalive_seconds / 3).max(1));
        let keepalive = TcpKeepalive::new()
            .with_time(Duration::from_secs(keepalive_seconds))
            .with_interval(interval)
            .with_retries(3);
        result = result.and_then(|()| socket.set_tcp_keepalive(&keepalive));
    }
    if let Err(error) = result {
        log::debug!("Setting the options of a client's socket: {error}");
    }
}

/// A client as others see it, from its socket.
pub fn describe(server: &Server, stream: &Stream, worker: usize) -> Client {
    let mut client = Client {
        id: server.clients.next_id(),
        worker,
        since_ms: clock::unix_ms(),
        ..Client::default()
    };
    let shown = |address: io::Result<SocketAddr>| address.map_or("?:0".into(), |a| a.to_string());
    match stream {
        Stream::Tcp(stream) => {
            client.addr = shown(stream.peer_addr());
            client.laddr = shown(stream.local_addr());
            client.fd = i64::from(stream.as_raw_fd());
        }
        Stream::Unix(stream) => {
            let path = stream.local_addr().ok();
            let path = path.as_ref().and_then(|address| address.as_pathname());
            let path = path.map_or_else(String::new, |path| path.display().to_string());
            client.addr = format!("{path}:0");
            client.laddr = format!("{path}:0");
            client.unix = true;
            client.fd = i64::from(stream.as_raw_fd());
        }
    }
    client.active_ms.store(client.since_ms, std::sync::atomic::Ordering::Relaxed);
    client.profile.lock().user = "default".to_owned();
    client
}
