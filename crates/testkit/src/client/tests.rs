//! The client against a peer that sends prepared pieces.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use super::{Client, is_closed};
use resp::value::Value;

/// A client whose peer waits for one write, sends the pieces one by one, and then closes; or
/// stays until the client goes.
fn client(pieces: &'static [&[u8]], close: bool) -> Client {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_nodelay(true).unwrap();
        let mut buffer = [0; 1024];
        let _ = stream.read(&mut buffer).unwrap();
        for piece in pieces {
            stream.write_all(piece).unwrap();
        }
        while !close && stream.read(&mut buffer).is_ok_and(|count| count > 0) {}
    });
    Client::connect(port).unwrap()
}

#[test]
fn replies_arrive_in_pieces() {
    let mut client = client(&[b"+O", b"K\r\n$3\r\na", b"bc\r\n:7", b"\r\n"], false);
    let replies = client.pipeline(&[&["SET", "a", "abc"], &["GET", "a"], &["INCR", "b"]]);
    let bulk = Value::Bulk(b"abc".to_vec());
    assert_eq!(replies, [Value::Simple(b"OK".to_vec()), bulk, Value::Int(7)]);
    assert!(!client.has_unread());
}

#[test]
fn a_missing_reply_is_an_error_in_time() {
    let mut client = client(&[b"$3\r\nab"], false);
    client.set_reply_limit(Duration::from_millis(50));
    assert_eq!(client.try_call(&["GET", "a"]).unwrap_err().kind(), ErrorKind::TimedOut);
    assert!(client.has_unread());
}

#[test]
fn bytes_and_the_end() {
    let mut client = client(&[b"+OK\r\nrest"], true);
    client.send(b"QUIT\r\n").unwrap();
    assert_eq!(client.receive_bytes(5).unwrap(), b"+OK\r\n");
    assert_eq!(client.receive_to_end().unwrap(), b"rest");
    assert!(is_closed(&client.receive().unwrap_err()));
}

#[test]
fn bytes_that_are_no_protocol() {
    let mut client = client(&[b"hello\r\n"], false);
    assert_eq!(client.try_call(&["PING"]).unwrap_err().kind(), ErrorKind::InvalidData);
}
