//! What subscribers of the null responder get.

use super::Fan;

fn request(channel: usize, payload: &str) -> String {
    let name = format!("channel:{channel:08}");
    format!("*3\r\n$7\r\nPUBLISH\r\n$16\r\n{name}\r\n${}\r\n{payload}\r\n", payload.len())
}

#[test]
fn subscribers_get_the_messages_of_their_channel_in_order() {
    let mut fan = Fan::default();
    for (peer, channel) in [(5, 0), (7, 2)] {
        let subscribe = format!("*2\r\n$9\r\nSUBSCRIBE\r\n$16\r\nchannel:{channel:08}\r\n");
        fan.join(subscribe.as_bytes(), peer);
    }
    let mut sent = Vec::new();
    let mut send = |peer: usize, bytes: &[u8]| {
        sent.push((peer, String::from_utf8(bytes.to_vec()).unwrap()));
    };
    assert_eq!(fan.publish(b"*1\r\n$4\r\nPING\r\n", &mut send), None);
    let input = ["aa", "bb", "cc"].map(|payload| request(0, payload)).concat();
    let input = input + &request(2, "dd") + &request(1, "ee");
    let (first, second) = input.as_bytes().split_at(60);
    assert_eq!(fan.publish(first, &mut send).unwrap(), b":1\r\n");
    assert_eq!(fan.publish(second, &mut send).unwrap(), b":1\r\n:1\r\n:1\r\n:0\r\n");
    let expected =
        [(5, request(0, "aa")), (5, request(0, "bb") + &request(0, "cc")), (7, request(2, "dd"))];
    assert_eq!(sent, expected.map(|(peer, bytes)| (peer, bytes.replace("PUBLISH", "message"))));
}
