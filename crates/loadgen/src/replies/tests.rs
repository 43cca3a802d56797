//! Replies counted however they are cut, and what is refused.

use super::*;

#[test]
fn replies_are_counted_however_they_are_cut() {
    let stream: &[u8] = b"+OK\r\n:12\r\n$5\r\n*a\r\nb\r\n$-1\r\n$0\r\n\r\n\
        *2\r\n$1\r\nx\r\n*1\r\n:1\r\n*0\r\n*-1\r\n%1\r\n+a\r\n_\r\n\
        |1\r\n+k\r\n:1\r\n,1.5\r\n=5\r\ntxt:x\r\n#t\r\n(12\r\n~1\r\n:1\r\n\
        >2\r\n+invalidate\r\n*0\r\n";
    for first in 0..stream.len() {
        for second in first..stream.len() {
            let mut replies = Replies::default();
            let parts = [&stream[..first], &stream[first..second], &stream[second..]];
            let total: usize = parts.iter().map(|part| replies.count(part).unwrap()).sum();
            assert_eq!(total, 14, "cut at {first} and {second}");
        }
    }
}

#[test]
fn an_error_reply_is_not_counted_as_an_answer() {
    let mut replies = Replies::default();
    assert_eq!(replies.count(b"+OK\r\n-ERR unkn").unwrap(), 1);
    let error = replies.count(b"own\r\n").unwrap_err();
    assert_eq!(error.to_string(), "Error from server: ERR unknown");
}

#[test]
fn garbage_is_refused() {
    for garbage in
        ["HTTP/1.1 400\r\n", "\r\n", "$x\r\n", "*-2\r\n", "$\r\n", "$99999999999999999999\r\n"]
    {
        let got = Replies::default().count(garbage.as_bytes());
        assert!(matches!(got, Err(Error::Garbage(_))), "{garbage}");
    }
    let mut replies = Replies::default();
    let endless = vec![b'x'; LINE_MAX + 1];
    assert!(matches!(replies.count(&endless), Err(Error::Garbage(_))));
    // A length that promises more than there can be costs nothing.
    assert_eq!(Replies::default().count(b"*9999999999999999\r\n").unwrap(), 0);
}
