//! Encrypted connections: whose certificate is taken, and whose is not.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use client::{Client, Config, Result, Tls, cmd};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use testkit::Folder;

/// A server for `localhost` that answers every command with `+PONG`; its port, and the file of
/// the authority that vouches for it.
fn serve(folder: &Folder) -> (u16, PathBuf) {
    let mut authority = rcgen::CertificateParams::default();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = authority.self_signed(&key).unwrap();
    let file = folder.join("authority.pem");
    fs::write(&file, certificate.pem()).unwrap();
    let issuer = rcgen::Issuer::new(authority, key);
    let own_key = rcgen::KeyPair::generate().unwrap();
    let own = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let own = own.signed_by(&own_key, &issuer).unwrap();
    let secret = PrivateKeyDer::try_from(own_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider);
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let config = Arc::new(config.with_single_cert(vec![own.der().clone()], secret).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, stream.unwrap());
            let mut buffer = [0; 4096];
            // A client that takes no such certificate hangs up.
            while stream.read(&mut buffer).is_ok_and(|count| count > 0) {
                stream.write_all(b"+PONG\r\n").ok();
            }
        }
    });
    (port, file)
}

fn ping(host: &str, port: u16, tls: Tls) -> Result<String> {
    let mut config = Config::parse(&format!("rediss://{host}:{port}"))?;
    (config.tls, config.protocol) = (tls, client::Proto::Resp2);
    config.reconnect_for = Duration::ZERO;
    Client::with(config)?.run(cmd::ping())
}

#[test]
fn only_a_certificate_that_somebody_vouches_for_is_taken() {
    let folder = Folder::new();
    let (port, authority) = serve(&folder);
    let known = || Tls { authorities: Some(authority.clone()), ..Tls::default() };
    assert_eq!(ping("localhost", port, known()).unwrap(), "PONG");
    assert!(ping("localhost", port, Tls::default()).is_err());
    let elsewhere = ping("127.0.0.1", port, known()).unwrap_err().to_string();
    assert!(elsewhere.contains("certificate"), "{elsewhere}");
    let named = Tls { server_name: Some("localhost".into()), ..known() };
    assert_eq!(ping("127.0.0.1", port, named).unwrap(), "PONG");
    let any = Tls { insecure: true, ..Tls::default() };
    assert_eq!(ping("127.0.0.1", port, any).unwrap(), "PONG");
    let missing = Tls { authorities: Some(folder.join("none")), ..Tls::default() };
    assert!(ping("localhost", port, missing).is_err());
}

#[test]
fn tasks_share_an_encrypted_connection() {
    let folder = Folder::new();
    let (port, authority) = serve(&folder);
    let mut config = Config::parse(&format!("rediss://localhost:{port}")).unwrap();
    config.protocol = client::Proto::Resp2;
    config.tls.authorities = Some(authority);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = client::AsyncClient::with(config).await.unwrap();
        assert_eq!(client.run(cmd::ping()).await.unwrap(), "PONG");
    });
}
