//! Commands are encoded as servers expect them, and give back their words.

use super::Command;

#[test]
fn words_and_bytes() {
    let command = Command::new("SET").key("k").arg(-1).arg(0.5).arg(b"\r\n").args(["", "x"]);
    let words: Vec<&[u8]> = command.words().collect();
    assert_eq!(words, [&b"SET"[..], b"k", b"-1", b"0.5", b"\r\n", b"", b"x"]);
    for (index, word) in words.iter().enumerate() {
        assert_eq!(command.word(index), Some(*word));
    }
    assert_eq!(command.word(7), None);
    assert_eq!(command.named_key(), Some(&b"k"[..]));
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    command.encode(&mut ours);
    resp::encode_command(&mut theirs, &words);
    assert_eq!(ours, theirs);
    assert_eq!(Command::from_words(words), Some(Command { key: None, ..command }));
    assert_eq!(Command::from_words::<&str>([]), None);
}
