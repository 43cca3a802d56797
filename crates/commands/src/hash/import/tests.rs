//! What is logged must not depend on what a connection has prepared.

use super::import_hash;
use crate::tests::bench::Bench;

fn import(bench: &mut Bench, pairs: &[&[u8]]) -> String {
    bench.with("himport|set", |ctx| import_hash(ctx, b"h", pairs))
}

#[test]
fn a_whole_hash_is_logged() {
    let mut bench = Bench::new();
    assert_eq!(import(&mut bench, &[b"a", b"1", b"b", b"2"]), "+OK\r\n");
    assert_eq!((bench.events().as_str(), bench.log().as_str()), ("new hset", "HSET h a 1 b 2"));
    bench.run("EXPIRE h 100");
    import(&mut bench, &[b"c", b"3"]);
    assert_eq!(
        (bench.events().as_str(), bench.log().as_str()),
        ("overwritten hset", "DEL h; HSET h c 3")
    );
    assert_eq!(bench.run("HGETALL h"), "*2\r\n$1\r\nc\r\n$1\r\n3\r\n");
    assert_eq!(bench.run("TTL h"), ":-1\r\n");
}

#[test]
fn nothing_but_a_hash_is_replaced() {
    let mut bench = Bench::new();
    bench.run("SET h x");
    assert!(import(&mut bench, &[b"a", b"1"]).starts_with("-WRONGTYPE"));
    assert_eq!((bench.events().as_str(), bench.log().as_str()), ("", ""));
    assert_eq!(bench.run("GET h"), "$1\r\nx\r\n");
}
