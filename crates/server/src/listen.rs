//! Accepting connections: addresses, unix sockets, who is let in.

use std::io::{self, Write};
use std::net::{Shutdown, SocketAddr, TcpListener as StdTcpListener, ToSocketAddrs};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener as StdUnixListener;
use std::path::Path;
use std::time::Duration;

use mio::net::{TcpListener, UnixListener};
use mio::{Interest, Registry, Token};
use parking_lot::Mutex;
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use spec::config::Id;

use crate::clock;
use crate::config::Config;
use crate::conn::Stream;
use crate::local::Local;
use crate::mailbox::Message;
use crate::registry::Client;
use crate::server::Server;
use crate::sys::{self, system_text};

/// Errors of systems that lack a whole family of addresses.
const NO_PROTOCOL: [i32; 5] = [
    libc::ENOPROTOOPT,
    libc::EPROTONOSUPPORT,
    libc::ESOCKTNOSUPPORT,
    libc::EPFNOSUPPORT,
    libc::EAFNOSUPPORT,
];

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
    /// A unix socket.
    Unix(UnixListener),
}

impl Listener {
    /// Adds it to a poller.
    pub fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        match self {
            Self::Tcp(listener) => registry.register(listener, token, Interest::READABLE),
            Self::Unix(listener) => registry.register(listener, token, Interest::READABLE),
        }
    }
}

/// The TCP sockets that are listened on, for whoever changes them while a worker accepts from them.
#[derive(Default)]
pub struct Handles(Mutex<Vec<Socket>>);

impl Handles {
    /// Of these listeners.
    pub fn of(listeners: &[Listener]) -> io::Result<Self> {
        Ok(Self(Mutex::new(clone_tcp(listeners)?)))
    }

    /// Takes no connection any more: nobody is to find an open door and nobody behind it.
    pub fn shut(&self) {
        for socket in self.0.lock().iter() {
            // Where a socket that listens cannot be shut, it is closed with the process.
            socket.shutdown(Shutdown::Both).ok();
        }
    }
}

/// Opens every address and the unix socket that the configuration names, the unix socket first.
/// The error is a line for the log.
pub fn open(config: &Config) -> Result<Vec<Listener>, String> {
    let mut listeners = Vec::new();
    if let Some(path) = config.path(Id::Unixsocket) {
        let listener = open_unix(config, path).map_err(|error| {
            format!("Failed opening Unix socket: bind: {}", system_text(&error))
        })?;
        listeners.push(listener);
    }
    let port = config.int(Id::Port);
    let tcp = open_tcp(config, false)
        .map_err(|()| format!("Failed listening on port {port} (tcp), aborting."))?;
    listeners.extend(tcp);
    if listeners.is_empty() {
        return Err("Configured to not listen anywhere, exiting.".to_owned());
    }
    Ok(listeners)
}

/// Listens on the TCP addresses that the configuration names now, and no longer on the former
/// ones. When that fails, the reason is in the log and everything is as before. Only for a command
/// that runs alone.
pub fn listen_again(server: &Server, config: &Config) -> Result<(), ()> {
    let handles = std::mem::take(&mut *server.listening.0.lock());
    // New addresses may overlap with old ones (`*` and `127.0.0.1`), and nobody is to be turned
    // away meanwhile; so for a moment both may be bound.
    share(&handles, true);
    let opened = open_tcp(config, true).and_then(|listeners| {
        let cloned = clone_tcp(&listeners).map_err(|error| {
            log::warn!("Listening again: {}", system_text(&error));
        })?;
        Ok((listeners, cloned))
    });
    let Ok((listeners, cloned)) = opened else {
        share(&handles, false);
        *server.listening.0.lock() = handles;
        return Err(());
    };
    share(&cloned, false);
    *server.listening.0.lock() = cloned;
    server.workers[0].mailbox.send(Message::Listen(listeners));
    for old in handles {
        // The worker lets go of it soon; until then nobody shall get in there any more.
        old.shutdown(Shutdown::Both).ok();
    }
    Ok(())
}

fn clone_tcp(listeners: &[Listener]) -> io::Result<Vec<Socket>> {
    let clone = |listener: &Listener| match listener {
        Listener::Tcp(listener) => Some(SockRef::from(listener).try_clone()),
        Listener::Unix(..) => None,
    };
    listeners.iter().filter_map(clone).collect()
}

fn share(sockets: &[Socket], on: bool) {
    for socket in sockets {
        if let Err(error) = socket.set_reuse_port(on) {
            log::debug!("Sharing a port: {error}");
        }
    }
}

/// Opens the TCP addresses alone. The reason of a failure is in the log.
fn open_tcp(config: &Config, shared: bool) -> Result<Vec<Listener>, ()> {
    let port = config.int(Id::Port) as u16;
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
        match bind_one(config, name, port, shared) {
            Ok(listener) => listeners.push(listener),
            Err(error) => {
                let what = error.what;
                log::warn!(
                    "Warning: Could not create server TCP listening socket {name}:{port}: \
                     {what}{}",
                    system_text(&error.why),
                );
                let may_be_missing = match error.why.raw_os_error() {
                    Some(libc::EADDRNOTAVAIL) => optional,
                    Some(number) => NO_PROTOCOL.contains(&number),
                    None => false,
                };
                if !may_be_missing {
                    return Err(());
                }
            }
        }
    }
    Ok(listeners)
}

/// What went wrong with an address: the call's name with a colon, if it is worth telling, and the
/// reason.
struct BindError {
    what: &'static str,
    why: io::Error,
}

impl From<io::Error> for BindError {
    fn from(why: io::Error) -> Self {
        Self { what: "", why }
    }
}

fn bind_one(config: &Config, name: &str, port: u16, shared: bool) -> Result<Listener, BindError> {
    let address = match name {
        "*" => SocketAddr::from(([0, 0, 0, 0], port)),
        "::*" => SocketAddr::from(([0u16; 8], port)),
        name => {
            let unknown = || io::Error::other("Name or service not known");
            let found = (name, port).to_socket_addrs().map_err(|_| unknown())?;
            let is_six = name.contains(':');
            found.into_iter().find(|address| address.is_ipv6() == is_six).ok_or_else(unknown)?
        }
    };
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    if shared {
        socket.set_reuse_port(true)?;
    }
    mark(&socket, config.int(Id::SocketMarkId) as u32)?;
    socket.bind(&address.into()).map_err(|why| BindError { what: "bind: ", why })?;
    let listening = socket.listen(config.int(Id::TcpBacklog) as i32);
    listening.map_err(|why| BindError { what: "listen: ", why })?;
    socket.set_nonblocking(true)?;
    Ok(Listener::Tcp(TcpListener::from_std(StdTcpListener::from(socket))))
}

/// Gives a socket's packets the mark of `socket-mark-id`, for the rules of a firewall; 0 is none.
#[cfg(target_os = "linux")]
fn mark(socket: &Socket, mark: u32) -> io::Result<()> {
    if mark == 0 { Ok(()) } else { socket.set_mark(mark) }
}

/// Marks are Linux's.
#[cfg(not(target_os = "linux"))]
fn mark(_: &Socket, _: u32) -> io::Result<()> {
    Ok(())
}

fn open_unix(config: &Config, path: &Path) -> io::Result<Listener> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.bind(&socket2::SockAddr::unix(path)?)?;
    let mode = config.int(Id::Unixsocketperm) as u32;
    if mode != 0 {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))?;
    }
    let group = config.text(Id::Unixsocketgroup);
    if !group.is_empty() {
        let unknown = || io::Error::other("the group of 'unixsocketgroup' does not exist");
        let id = sys::group_id(group).ok_or_else(unknown)?;
        std::os::unix::fs::chown(path, None, Some(id))?;
    }
    socket.listen(config.int(Id::TcpBacklog) as i32)?;
    socket.set_nonblocking(true)?;
    let listener =
        UnixListener::from_std(StdUnixListener::from(std::os::fd::OwnedFd::from(socket)));
    Ok(Listener::Unix(listener))
}

/// What came of accepting.
pub enum Accepted {
    /// A connection that is let in.
    Stream(Stream),
    /// One that was told why not, or that was gone already.
    Refused,
    /// There is none for now.
    Nothing,
    /// The system has no room for more; whoever waits is not announced again.
    Later(io::Error),
}

/// Accepts one connection.
pub fn accept(server: &Server, local: &Local, listener: &Listener) -> Accepted {
    let (stream, is_stranger) = match accept_one(listener) {
        Ok(accepted) => accepted,
        Err(error) => return not_accepted(error),
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
        return Accepted::Refused;
    }
    stats.connections.add(1);
    tune(&stream, tunables.tcp_keepalive);
    Accepted::Stream(stream)
}

fn not_accepted(error: io::Error) -> Accepted {
    match error.raw_os_error() {
        Some(libc::EWOULDBLOCK) => Accepted::Nothing,
        // It was shut down: other addresses take its place.
        Some(libc::EINVAL) => Accepted::Nothing,
        Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM) => Accepted::Later(error),
        Some(libc::EINTR) => Accepted::Refused,
        _ => {
            log::warn!("Accepting client connection: {}", system_text(&error));
            Accepted::Refused
        }
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
        Listener::Unix(listener) => Ok((Stream::Unix(listener.accept()?.0), false)),
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
pub fn describe(server: &Server, stream: &Stream, worker: usize, slot: usize) -> Client {
    let mut client = Client {
        id: server.clients.next_id(),
        worker,
        slot,
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
