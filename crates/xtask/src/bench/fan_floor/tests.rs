//! What subscribers of the null responder get.

use std::io::Read;
use std::net::{TcpListener, TcpStream};

use super::Fan;

fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (listener.accept().unwrap().0, client)
}

fn request(channel: usize, payload: &str) -> String {
    let name = format!("channel:{channel:08}");
    format!("*3\r\n$7\r\nPUBLISH\r\n$16\r\n{name}\r\n${}\r\n{payload}\r\n", payload.len())
}

#[test]
fn subscribers_get_the_messages_of_their_channel_in_order() {
    let mut fan = Fan::default();
    let mut clients = Vec::new();
    for channel in [0, 2] {
        let (server, client) = pair();
        let subscribe = format!("*2\r\n$9\r\nSUBSCRIBE\r\n$16\r\nchannel:{channel:08}\r\n");
        fan.join(subscribe.as_bytes(), || Some(server));
        clients.push(client);
    }
    assert_eq!(fan.publish(b"*1\r\n$4\r\nPING\r\n"), None);
    let input = [request(0, "aa"), request(0, "bb"), request(2, "cc"), request(1, "dd")].concat();
    let (first, second) = input.as_bytes().split_at(60);
    assert_eq!(fan.publish(first).unwrap(), b":1\r\n");
    assert_eq!(fan.publish(second).unwrap(), b":1\r\n:1\r\n:0\r\n");
    let expected = [[request(0, "aa"), request(0, "bb")].concat(), request(2, "cc")];
    for (mut client, expected) in clients.into_iter().zip(expected) {
        let mut got = vec![0; expected.len()];
        client.read_exact(&mut got).unwrap();
        assert_eq!(String::from_utf8(got).unwrap(), expected.replace("PUBLISH", "message"));
    }
}
