//! Speaks TLS for a server that does not: takes encrypted connections and hands what they say on.
//!
//! Everything is made for the test: an authority, and certificates of the server and of a client
//! that it vouches for, as files in PEM.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

use std::fs;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
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

impl Terminator {
    /// In front of the server at this port of this machine; files are written to the folder. If
    /// `asks` is true, only clients with a certificate are served.
    pub fn start(folder: &Path, server: u16, asks: bool) -> Terminator {
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let root = authority.self_signed(&key).unwrap();
        let issuer = Issuer::new(authority, key);
        let signed = |name: &str| {
            let key = KeyPair::generate().unwrap();
            let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap();
            (certificate.signed_by(&key, &issuer).unwrap(), key)
        };
        let (client, client_key) = signed("client");
        let write = |name: &str, text: String| {
            let path = folder.join(name);
            fs::write(&path, text).unwrap();
            path
        };
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap();
        let config = if asks {
            let mut roots = RootCertStore::empty();
            roots.add(root.der().clone()).unwrap();
            let provider = Arc::new(aws_lc_rs::default_provider());
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            config.with_client_cert_verifier(verifier.build().unwrap())
        } else {
            config.with_no_client_auth()
        };
        let (own, own_key) = signed("localhost");
        let secret = PrivateKeyDer::try_from(own_key.serialize_der()).unwrap();
        let config = Arc::new(config.with_single_cert(vec![own.der().clone()], secret).unwrap());
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let config = Arc::clone(&config);
                std::thread::spawn(move || serve(stream.unwrap(), config, server));
            }
        });
        Terminator {
            port,
            authority: write("authority.pem", root.pem()),
            certificate: write("client.pem", client.pem()),
            key: write("client.key", client_key.serialize_pem()),
        }
    }
}

/// One connection, until either side ends it.
fn serve(client: TcpStream, config: Arc<ServerConfig>, server: u16) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else { return };
    let mut session = ServerConnection::new(config).unwrap();
    session.set_buffer_limit(None);
    let session = Mutex::new(session);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // What ends one direction ends the other by the shutdown.
            inwards(&session, &client, &server).ok();
            server.shutdown(Shutdown::Both).ok();
        });
        outwards(&session, &client, &server).ok();
        client.shutdown(Shutdown::Both).ok();
    });
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
            let mut session = session.lock().unwrap();
            session.read_tls(&mut bytes)?;
            let state = session.process_new_packets();
            // An alert, if it was refused, is still sent.
            while session.wants_write() {
                session.write_tls(&mut client)?;
            }
            plain.resize(state.map_err(io::Error::other)?.plaintext_bytes_to_read(), 0);
            session.reader().read_exact(&mut plain)?;
            drop(session);
            server.write_all(&plain)?;
        }
    }
}

fn outwards(
    session: &Mutex<ServerConnection>,
    mut client: &TcpStream,
    mut server: &TcpStream,
) -> io::Result<()> {
    let mut buffer = [0; 16 * 1024];
    loop {
        let count = server.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        let mut session = session.lock().unwrap();
        session.writer().write_all(&buffer[..count])?;
        while session.wants_write() {
            session.write_tls(&mut client)?;
        }
    }
}
