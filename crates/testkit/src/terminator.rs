//! Speaks TLS for a server that does not: takes encrypted connections and hands what they say on.
//!
//! Everything is made for the test: an authority, and certificates of the server and of a client
//! that it vouches for, as files in PEM.

use std::error::Error;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection};

/// A port on which a server for `localhost` takes encrypted connections, and the files that its
/// clients need. Its threads end with the test.
#[derive(Debug)]
pub struct Terminator {
    /// Where to connect.
    pub port: u16,
    /// The authority's certificate.
    pub authority: PathBuf,
    /// The certificate of a client.
    pub certificate: PathBuf,
    /// The key of that client.
    pub key: PathBuf,
}

type Made<T> = Result<T, Box<dyn Error>>;

impl Terminator {
    /// In front of the server at this port of this machine; files are written to the folder. If
    /// `asks` is true, only clients with a certificate are served.
    ///
    /// # Panics
    /// When there is no free port, or the folder cannot be written to.
    pub fn start(folder: &Path, server: u16, asks: bool) -> Terminator {
        Terminator::make(folder, server, asks).unwrap_or_else(|error| panic!("{error}"))
    }

    fn make(folder: &Path, server: u16, asks: bool) -> Made<Terminator> {
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate()?;
        let root = authority.self_signed(&key)?;
        let issuer = Issuer::new(authority, key);
        let signed = |name: &str| -> Made<(Certificate, KeyPair)> {
            let key = KeyPair::generate()?;
            let certificate = CertificateParams::new(vec![name.to_owned()])?;
            Ok((certificate.signed_by(&key, &issuer)?, key))
        };
        let write = |name: &str, text: String| {
            let path = folder.join(name);
            fs::write(&path, text).map(|()| path)
        };
        let (own, own_key) = signed("localhost")?;
        let (client, client_key) = signed("client")?;
        let config = Arc::new(config(asks.then_some(&root), &own, &own_key)?);
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let port = listener.local_addr()?.port();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let config = Arc::clone(&config);
                std::thread::spawn(move || serve(&stream, config, server));
            }
        });
        Ok(Terminator {
            port,
            authority: write("authority.pem", root.pem())?,
            certificate: write("client.pem", client.pem())?,
            key: write("client.key", client_key.serialize_pem())?,
        })
    }
}

/// Settings of the server with a certificate of its own; clients must have one of the authority's
/// if it is named.
fn config(authority: Option<&Certificate>, own: &Certificate, key: &KeyPair) -> Made<ServerConfig> {
    let provider = || Arc::new(aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider());
    let config = config.with_safe_default_protocol_versions()?;
    let config = match authority {
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(authority.der().clone())?;
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider());
            config.with_client_cert_verifier(verifier.build()?)
        }
        None => config.with_no_client_auth(),
    };
    let secret = PrivateKeyDer::try_from(key.serialize_der())?;
    Ok(config.with_single_cert(vec![own.der().clone()], secret)?)
}

/// One connection, until either side ends it.
fn serve(client: &TcpStream, config: Arc<ServerConfig>, server: u16) -> Option<()> {
    let server = TcpStream::connect(("127.0.0.1", server)).ok()?;
    let mut session = ServerConnection::new(config).ok()?;
    session.set_buffer_limit(None);
    let session = Mutex::new(session);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // What ends one direction ends the other by the shutdown.
            inwards(&session, client, &server).ok();
            server.shutdown(Shutdown::Both).ok();
        });
        outwards(&session, client, &server).ok();
        client.shutdown(Shutdown::Both).ok();
    });
    Some(())
}

/// A thread that panicked with it has failed the test already.
fn taken(session: &Mutex<ServerConnection>) -> MutexGuard<'_, ServerConnection> {
    session.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sends all that the session has to send.
fn flush(session: &mut ServerConnection, mut client: &TcpStream) -> io::Result<()> {
    while session.wants_write() {
        session.write_tls(&mut client)?;
    }
    Ok(())
}

fn inwards(
    session: &Mutex<ServerConnection>,
    mut client: &TcpStream,
    mut server: &TcpStream,
) -> io::Result<()> {
    let mut buffer = [0; 16 * 1024];
    loop {
        let count = client.read(&mut buffer)?;
        let mut bytes = &buffer[..count];
        if count == 0 {
            return Ok(());
        }
        while !bytes.is_empty() {
            let mut plain = Vec::new();
            let mut session = taken(session);
            session.read_tls(&mut bytes)?;
            let state = session.process_new_packets();
            // An alert, if it was refused, is still sent.
            flush(&mut session, client)?;
            plain.resize(state.map_err(io::Error::other)?.plaintext_bytes_to_read(), 0);
            session.reader().read_exact(&mut plain)?;
            drop(session);
            server.write_all(&plain)?;
        }
    }
}

fn outwards(
    session: &Mutex<ServerConnection>,
    client: &TcpStream,
    mut server: &TcpStream,
) -> io::Result<()> {
    let mut buffer = [0; 16 * 1024];
    loop {
        let count = server.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        let mut session = taken(session);
        session.writer().write_all(&buffer[..count])?;
        flush(&mut session, client)?;
    }
}
