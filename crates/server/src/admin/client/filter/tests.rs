//! Filters against clients made up for them.

use super::*;

fn client(id: u64, addr: &str) -> Client {
    Client { id, addr: addr.to_owned(), since_ms: 10_000, ..Client::default() }
}

fn words(line: &str) -> Vec<&[u8]> {
    line.split(' ').map(str::as_bytes).collect()
}

fn chosen(line: &str, client: &Client) -> bool {
    let Ok(filter) = Filter::read(&words(line), false, 16) else { panic!("{line}") };
    filter.matches(client, 1, 15_999)
}

fn refused(line: &str) -> String {
    match Filter::read(&words(line), false, 16) {
        Ok(_) => panic!("{line} was taken"),
        Err(Refusal::Known(error)) => format!("{error:?}"),
        Err(Refusal::Line(text)) => text,
    }
}

#[test]
fn an_ip_is_matched_as_a_whole_and_needs_a_port() {
    let cases = [
        ("127.0.0.1:50000", "127.0.0.1", true),
        ("127.0.0.11:50000", "127.0.0.1", false),
        ("127.0.0.1:50000", "127.0.0", false),
        ("[::1]:50000", "::1", true),
        ("[::1]:50000", "[::1]", false),
        ("/tmp/socket:0", "/tmp/socket", false),
        ("?:0", "?", false),
    ];
    for (addr, ip, expected) in cases {
        assert_eq!(has_ip(addr, ip.as_bytes()), expected, "{addr} {ip}");
    }
}

#[test]
fn numbers_of_one_side_add_up_and_other_filters_replace_each_other() {
    let (two, three) = (client(2, "a:1"), client(3, "b:1"));
    assert!(chosen("ID 1 2 ID 3", &two) && chosen("ID 1 2 ID 3", &three));
    assert!(!chosen("ID 2 NOT-ID 2", &two));
    assert!(chosen("ADDR a:1 ADDR b:1", &three));
    assert!(!chosen("ADDR a:1 ADDR b:1", &two));
    assert!(!chosen("ID TYPE normal", &two), "no number is nobody's");
}

#[test]
fn ages_are_differences_of_whole_seconds() {
    let client = client(2, "a:1");
    client.active_ms.store(12_999, Ordering::Relaxed);
    assert!(chosen("MAXAGE 5", &client) && !chosen("MAXAGE 6", &client));
    assert!(chosen("IDLE 3", &client) && !chosen("IDLE 4", &client));
}

#[test]
fn texts_of_refusals() {
    let cases = [
        ("FOO 1", "Syntax"),
        ("TYPE", "Syntax"),
        ("NOT-SKIPME yes", "Syntax"),
        ("NOT-IDLE 1", "Syntax"),
        ("NOT-MAXAGE 1", "Syntax"),
        ("ID 1 x", "Syntax"),
        ("ID 0", "ERR client-id should be greater than 0"),
        ("MAXAGE 0", "ERR maxage should be greater than 0"),
        ("MAXAGE x", "ERR maxage is not an integer or out of range"),
        ("TYPE x", "ERR Unknown client type 'x'"),
        ("NOT-USER x", "ERR No such user 'x'"),
        ("FLAGS Nz", "ERR Unknown flags found in the provided filter: Nz"),
        ("NOT-FLAGS z", "ERR Unknown flags found in the NOT-FLAGS filter: z"),
        ("NOT-CAPA z", "ERR Unknown capa found in the NOT-CAPA filter: z"),
        ("DB 16", "ERR DB number should be between 0 and 15"),
        ("NOT-DB x", "ERR NOT-DB is not an integer or out of range"),
    ];
    for (line, text) in cases {
        assert_eq!(refused(line), text, "{line}");
    }
}
