//! The bytes of requests.

use super::*;

#[test]
fn keys_are_filled_where_the_pattern_has_them() {
    let mut random = fastrand::Rng::with_seed(1);
    let mut keys = Keys::Sequence(41, 44);
    let mut request = Request::of_pattern("SET {k} xy;DEL {=}", 2);
    assert_eq!(request.replies(), 2);
    let sent =
        String::from_utf8(request.fill(2, &mut keys, &mut random).unwrap().to_vec()).unwrap();
    let pair = |key: &str| {
        format!(
            "*3\r\n$3\r\nSET\r\n$16\r\n{key}\r\n$2\r\nxy\r\n*2\r\n$3\r\nDEL\r\n$16\r\n{key}\r\n"
        )
    };
    assert_eq!(sent, pair("key:000000000041") + &pair("key:000000000042"));
    let sent =
        String::from_utf8(request.fill(2, &mut keys, &mut random).unwrap().to_vec()).unwrap();
    assert_eq!(sent, pair("key:000000000043") + &pair("key:000000000043"));
    assert!(request.fill(2, &mut keys, &mut random).is_none());
}

#[test]
fn a_request_without_keys_stays_as_it_is() {
    let mut random = fastrand::Rng::with_seed(1);
    let mut request = Request::of_pattern("PING", 2);
    let sent = request.fill(2, &mut Keys::Random(10), &mut random).unwrap();
    assert_eq!(sent, b"*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nPING\r\n");
}

#[test]
fn placeholders_say_where_their_numbers_come_from() {
    let mut random = fastrand::Rng::with_seed(1);
    let mut keys = Keys::Sequence(2, 4);
    let mut request = Request::of_pattern("ZADD z{k} 1.{~} {=m} {#}", 1);
    let sent =
        String::from_utf8(request.fill(2, &mut keys, &mut random).unwrap().to_vec()).unwrap();
    let words: Vec<&str> = sent.split("\r\n").skip(2).step_by(2).collect();
    assert_eq!(
        words,
        ["ZADD", "zkey:000000000002", "1.85410197", "m:000000000003", "00000003"],
        "a sequence that is used up repeats its last number"
    );
    for _ in 0..100 {
        let mut request = Request::of_pattern("GET {x<10}", 1);
        let sent = request.fill(2, &mut Keys::Random(1 << 20), &mut random).unwrap().to_vec();
        assert!(String::from_utf8(sent).unwrap().contains("x:00000000000"));
    }
    let mut inline = Request::of_pattern("!PING", 2);
    assert_eq!(inline.depth(), 2);
    assert_eq!(inline.fill(2, &mut Keys::Random(1), &mut random).unwrap(), b"PING\r\nPING\r\n");
}

fn classic(words: &[&str], numbers: bool) -> Vec<Command> {
    let words: Vec<Vec<u8>> = words.iter().map(|word| word.as_bytes().to_vec()).collect();
    sequence(&words, numbers).unwrap()
}

fn words(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let is_word = |line: &&str| !line.starts_with(['*', '$']) && !line.is_empty();
    text.split("\r\n").filter(is_word).map(str::to_owned).collect()
}

#[test]
fn classic_placeholders_become_numbers() {
    let mut random = fastrand::Rng::with_seed(1);
    let commands = classic(
        &[
            "SET",
            "k__rand_int__",
            "__rand_int__",
            "__rand_1st__-__rand_1st__",
            ";",
            "2",
            "GET",
            "__rand_1st__",
        ],
        true,
    );
    let mut request = Request::new(vec![(1, commands)], 1, Sizes::Fixed(3));
    assert_eq!(request.replies(), 3);
    let sent = words(request.fill(1, &mut Keys::cycle(1000), &mut random).unwrap());
    let first = "000000000000";
    assert_eq!(
        sent,
        [
            "SET".to_owned(),
            format!("k{first}"),
            "000000000001".to_owned(),
            format!("{first}-{first}"),
            "GET".to_owned(),
            first.to_owned(),
            "GET".to_owned(),
            first.to_owned()
        ]
    );
    let commands = classic(&["SET", "__rand_int__", "<__data__>"], false);
    let mut request = Request::new(vec![(1, commands)], 1, Sizes::Fixed(3));
    let sent = words(request.fill(1, &mut Keys::Random(5), &mut random).unwrap());
    assert_eq!((sent[1].as_str(), sent[2].len()), ("__rand_int__", 5));
}

#[test]
fn a_sequence_needs_a_command() {
    assert!(sequence(&[b";".to_vec()], true).is_err());
    assert!(sequence(&[b"5".to_vec()], true).is_err());
    assert!(sequence(&[b"99999999999999999999".to_vec(), b"GET".to_vec()], true).is_err());
}

#[test]
fn a_shorter_batch_is_the_beginning_of_a_full_one() {
    let mut random = fastrand::Rng::with_seed(1);
    let mut request = Request::of_pattern("GET {k}", 3);
    let mut keys = Keys::cycle(100);
    assert_eq!(words(request.fill(3, &mut keys, &mut random).unwrap()).len(), 6);
    let sent = words(request.fill(2, &mut keys, &mut random).unwrap());
    assert_eq!(sent, ["GET", "key:000000000003", "GET", "key:000000000004"]);
}

#[test]
fn values_have_the_sizes_that_are_drawn() {
    let mut random = fastrand::Rng::with_seed(1);
    let commands = classic(&["SET", "__rand_int__", "__data__"], true);
    let mut request = Request::new(vec![(1, commands)], 50, Sizes::Between(1, 20));
    let mut parsed = 0;
    for _ in 0..100 {
        let bytes = request.fill(50, &mut Keys::Random(100), &mut random).unwrap();
        let mut rest = bytes;
        while let Some((value, size)) = resp::decode(rest).unwrap() {
            let resp::Value::Array(items) = value else { panic!("{value:?}") };
            let resp::Value::Bulk(data) = &items[2] else { panic!("{items:?}") };
            assert!((1..=20).contains(&data.len()));
            parsed += 1;
            rest = &rest[size..];
        }
        assert!(rest.is_empty());
    }
    assert_eq!(parsed, 5000);
}

#[test]
fn a_mix_has_its_weights() {
    let mut random = fastrand::Rng::with_seed(1);
    let units =
        vec![(3, classic(&["GET", "a"], true)), (1, classic(&["SET", "a", "__data__"], true))];
    let mut request = Request::new(units, 100, Sizes::Fixed(2));
    assert_eq!(request.kinds(), 2);
    let mut writes = 0;
    for _ in 0..1000 {
        let sent = words(request.fill(100, &mut Keys::Random(1), &mut random).unwrap());
        let found = sent.iter().filter(|word| *word == "SET").count();
        assert_eq!(request.picks().iter().filter(|pick| **pick == 1).count(), found);
        writes += found;
    }
    assert!((24_200..25_800).contains(&writes), "{writes}");
}

#[test]
fn digits_are_those_of_the_number() {
    let mut random = fastrand::Rng::with_seed(7);
    let edges = [0, 9, 10, 99, 100, 9_999, 10_000, 99_999_999, 100_000_000, 999_999_999_999];
    for number in edges.into_iter().chain((0..100_000).map(|_| random.u64(0..1_000_000_000_000))) {
        let mut place = [0; 12];
        write_digits(&mut place, number);
        assert_eq!(place, format!("{number:012}").as_bytes());
        let mut place = [0; 3];
        write_digits(&mut place, number);
        assert_eq!(place, format!("{:03}", number % 1000).as_bytes());
    }
}
