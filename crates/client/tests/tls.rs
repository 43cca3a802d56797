//! Encrypted connections: whose certificate is taken, and whose is not.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

use std::time::Duration;

use client::{Client, Config, Result, Tls, cmd};
use testkit::{Folder, Server, Terminator};

fn ping(host: &str, port: u16, tls: Tls) -> Result<String> {
    let mut config = Config::parse(&format!("rediss://{host}:{port}"))?;
    config.tls = tls;
    config.reconnect_for = Duration::ZERO;
    Client::with(config)?.run(cmd::ping())
}

#[test]
fn only_a_certificate_that_somebody_vouches_for_is_taken() {
    let (folder, server) = (Folder::new(), Server::start(&[]));
    let Terminator { port, authority, .. } = Terminator::start(&folder, server.port(), false);
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
    let missing = ping("localhost", port, missing).unwrap_err().to_string();
    assert!(missing.contains("none: No such file"), "{missing}");
    let all = Tls { authorities: Some(folder.to_path_buf()), ..Tls::default() };
    assert_eq!(ping("localhost", port, all).unwrap(), "PONG", "a folder of authorities");
}

#[test]
fn a_server_may_ask_who_comes() {
    let (folder, server) = (Folder::new(), Server::start(&[]));
    let made = Terminator::start(&folder, server.port(), true);
    let nobody = Tls { authorities: Some(made.authority.clone()), ..Tls::default() };
    assert!(ping("localhost", made.port, nobody.clone()).is_err());
    let somebody = Tls { identity: Some((made.certificate, made.key)), ..nobody };
    assert_eq!(ping("localhost", made.port, somebody).unwrap(), "PONG");
}

#[test]
fn tasks_share_an_encrypted_connection() {
    let (folder, server) = (Folder::new(), Server::start(&[]));
    let Terminator { port, authority, .. } = Terminator::start(&folder, server.port(), false);
    let mut config = Config::parse(&format!("rediss://localhost:{port}")).unwrap();
    config.tls.authorities = Some(authority);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = client::AsyncClient::with(config).await.unwrap();
        assert_eq!(client.run(cmd::ping()).await.unwrap(), "PONG");
    });
}
