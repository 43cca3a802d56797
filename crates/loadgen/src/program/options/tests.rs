//! Command lines as the classic tools take them, and what is refused.

use super::*;

fn parse(line: &str) -> Result<Options, String> {
    let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
    match Wish::parse(&words)? {
        Wish::Run(options) => Ok(*options),
        other => Err(format!("{other:?}")),
    }
}

#[test]
fn options_of_the_classic_tools_are_read() {
    let options = parse(
        "-h example.org -p 7000 -a secret --user me --dbnum 3 -3 -c 9 -n 1000 -d 10 -k 0 -r 50 \
         -P 16 -q --csv -l -t SET,Get --threads 4 --seed 7 --precision 2 --sequential",
    )
    .unwrap();
    assert_eq!(options.address, Address::Host("example.org".to_owned(), 7000));
    assert_eq!((options.clients, options.requests, options.depth), (9, Some(1000), 16));
    assert_eq!((options.range, options.choice), (Some(50), Choice::Sequential));
    assert_eq!(options.sizes, Sizes::Fixed(10));
    assert_eq!(options.tests, Some(vec!["set".to_owned(), "get".to_owned()]));
    assert!(options.quiet && options.csv && options.looped && options.resp3 && !options.keep_alive);
    assert_eq!((options.threads, options.seed, options.precision), (4, Some(7), 2));
    let opening: Vec<Vec<u8>> = options.opening().iter().map(|words| words.join(&b' ')).collect();
    assert_eq!(opening, [&b"AUTH me secret"[..], b"HELLO 3", b"SELECT 3"]);
}

#[test]
fn a_port_may_stand_before_its_host() {
    let options = parse("-p 7000 -h there").unwrap();
    assert_eq!(options.address, Address::Host("there".to_owned(), 7000));
    let options = parse("-u valkey://me:pw@there:7001/2").unwrap();
    assert_eq!(options.address, Address::Host("there".to_owned(), 7001));
    assert_eq!((options.user.as_deref(), options.database), (Some(&b"me"[..]), 2));
    let unix = parse("-s /tmp/socket -p 1").unwrap();
    assert_eq!(unix.address, Address::Unix("/tmp/socket".into()));
}

#[test]
fn what_is_no_option_begins_the_command() {
    let options = parse("-n 5 lpush list -1 -q").unwrap();
    assert_eq!(options.command.join(&b' '), b"lpush list -1 -q");
    let options = parse("-- -x").unwrap();
    assert_eq!(options.command, [b"-x"]);
}

#[test]
fn own_options_are_read() {
    let options = parse("-r 100 --keys zipf:1.2 --rate 5000 --seconds 2.5 --peer h:1").unwrap();
    assert_eq!(options.choice, Choice::Zipf(1.2));
    assert_eq!(options.rate, Some((5000.0, Since::Due)));
    assert_eq!(options.seconds, Some(2.5));
    assert_eq!(options.peer, Some(Address::Host("h".to_owned(), 1)));
    assert_eq!(parse("-r 9 --keys hot:0.1:0.9").unwrap().choice, Choice::Hot(0.1, 0.9));
    assert_eq!(parse("--rps 10").unwrap().rate, Some((10.0, Since::Sent)));
    assert_eq!(parse("--rps 0").unwrap().rate, None);
    assert_eq!(parse("-d 10-20").unwrap().sizes, Sizes::Between(10, 20));
    let words: Vec<OsString> =
        ["--mix", "3:GET key:__rand_int__", "--mix", "SET a 'b c'"].map(OsString::from).to_vec();
    let Ok(Wish::Run(options)) = Wish::parse(&words) else { panic!("a mix") };
    assert_eq!(options.mix[0].0, 3);
    assert_eq!(options.mix[1], (1, vec![b"SET".to_vec(), b"a".to_vec(), b"b c".to_vec()]));
}

#[test]
fn connections_are_encrypted_as_the_classic_tools_are_told() {
    let options = parse("--tls --insecure --sni n --cacert a --cert c --key k").unwrap();
    let Tls { authorities, identity, server_name, insecure } = options.tls_files;
    assert!(options.tls && insecure);
    assert_eq!((authorities, server_name), (Some("a".into()), Some("n".to_owned())));
    assert_eq!(identity, Some(("c".into(), "k".into())));
    assert!(parse("-u rediss://h").unwrap().tls && !parse("-u redis://h").unwrap().tls);
}

#[test]
fn nonsense_is_refused_in_one_line() {
    for line in [
        "-c",
        "-c x",
        "-c 0",
        "-c -1",
        "-n 0",
        "-n 1.5",
        "-P 0",
        "-p 70000",
        "-k 2",
        "-d x",
        "-r -5",
        "--foo",
        "--foo 1",
        "--tls -s /some/where",
        "--cert x",
        "--key x --tls",
        "--tls-ciphers x",
        "--cluster",
        "--keys zipf",
        "-r 5 --keys zipf:0",
        "-r 5 --keys hot:2:0.5",
        "-r 5 --keys hot",
        "-r 5 --keys x",
        "--rate 0",
        "--rate nan",
        "--seconds -1",
        "-n 5 --seconds 5",
        "--mix",
        "--mix 0:GET",
        "--mix 1:GET -t get",
        "-x",
        "--user me",
        "--peer h:x",
        "--json - --svg -",
        "-u http://x",
        "--sequential",
    ] {
        let why = parse(line).expect_err(line);
        assert!(!why.contains('\n') && !why.is_empty(), "{line}: {why}");
    }
}
