//! The classic tests, by the names of `-t`. Data alone.

use super::options::Options;
use crate::request::{Command, Invalid, arguments, sequence};

/// One thing that is measured.
#[derive(Clone)]
pub(super) struct Test {
    pub(super) title: String,
    /// Units with their weights.
    pub(super) units: Vec<(u32, Vec<Command>)>,
    /// What the units of a mix are called.
    pub(super) names: Vec<String>,
    /// Sent once before.
    pub(super) prepare: Option<Vec<Vec<u8>>>,
    /// Whether the payload is the command itself and not `-d`.
    pub(super) is_custom: bool,
}

/// The names that select it, its title, and its words.
type Row = (&'static [&'static str], &'static str, &'static str);

const ROWS: &[Row] = &[
    (&["ping_inline", "ping"], "PING_INLINE", "!PING"),
    (&["ping_mbulk", "ping"], "PING_MBULK", "PING"),
    (&["set"], "SET", "SET key:__rand_int__ __data__"),
    (&["get"], "GET", "GET key:__rand_int__"),
    (&["incr"], "INCR", "INCR counter:__rand_int__"),
    (&["lpush"], "LPUSH", "LPUSH mylist __data__"),
    (&["rpush"], "RPUSH", "RPUSH mylist __data__"),
    (&["lpop"], "LPOP", "LPOP mylist"),
    (&["rpop"], "RPOP", "RPOP mylist"),
    (&["sadd"], "SADD", "SADD myset element:__rand_int__"),
    (&["hset"], "HSET", "HSET myhash element:__rand_int__ __data__"),
    (&["spop"], "SPOP", "SPOP myset"),
    (&["zadd"], "ZADD", "ZADD myzset SCORE element:__rand_1st__"),
    (&["zpopmin"], "ZPOPMIN", "ZPOPMIN myzset"),
    (
        &["lrange", "lrange_100", "lrange_300", "lrange_500", "lrange_600"],
        "LPUSH (needed to benchmark LRANGE)",
        "LPUSH mylist __data__",
    ),
    (&["lrange", "lrange_100"], "LRANGE_100 (first 100 elements)", "LRANGE mylist 0 99"),
    (&["lrange", "lrange_300"], "LRANGE_300 (first 300 elements)", "LRANGE mylist 0 299"),
    (&["lrange", "lrange_500"], "LRANGE_500 (first 500 elements)", "LRANGE mylist 0 499"),
    (&["lrange", "lrange_600"], "LRANGE_600 (first 600 elements)", "LRANGE mylist 0 599"),
    (&["mset"], "MSET (10 keys)", "MSET PAIRS"),
    (&["mget"], "MGET (10 keys)", "MGET KEYS"),
    (&["xadd"], "XADD", "XADD mystream * myfield __data__"),
];

/// Tests that run only when they are named: servers without functions would end the whole run.
const NAMED: [&str; 2] = ["function_load", "fcall"];

/// All names that `-t` knows.
pub(super) fn names() -> Vec<&'static str> {
    ROWS.iter().flat_map(|row| row.0.iter().copied()).chain(NAMED).collect()
}

/// What the options ask for, in order.
///
/// # Errors
/// A command that cannot be sent.
pub(super) fn tests(options: &Options, last: Option<Vec<u8>>) -> Result<Vec<Test>, Invalid> {
    let numbers = options.range.is_some();
    if !options.mix.is_empty() {
        return mix(options, numbers).map(|test| vec![test]);
    }
    if !options.command.is_empty() {
        let title = options.command.join(&b' ');
        let title = String::from_utf8_lossy(&title).into_owned();
        let words: Vec<Vec<u8>> = options.command.iter().cloned().chain(last).collect();
        let test = Test::new(&title, sequence(&words, numbers)?);
        return Ok(vec![Test { is_custom: true, ..test }]);
    }
    let wanted = |names: &[&str]| match &options.tests {
        None => true,
        Some(tests) => tests.iter().any(|test| names.contains(&test.as_str())),
    };
    let mut tests: Vec<Test> = ROWS
        .iter()
        .filter(|row| wanted(row.0))
        .map(|(_, title, words)| Test::new(title, vec![command(words, numbers)]))
        .collect();
    let named = |name: &str| options.tests.is_some() && wanted(&[name]);
    if named("function_load") {
        let words = load(options.functions);
        tests.push(Test::new("FUNCTION LOAD", vec![arguments(&words, false)]));
    }
    if named("fcall") {
        let keys = options.function_keys;
        let mut words = vec!["FCALL".to_owned(), "foo1".to_owned(), keys.to_string()];
        words.extend((1..=keys).map(|key| format!("key{key}")));
        let test = Test::new("FCALL", vec![arguments(&words, false)]);
        tests.push(Test { prepare: Some(load(1)), ..test });
    }
    Ok(tests)
}

impl Test {
    fn new(title: &str, commands: Vec<Command>) -> Test {
        Test {
            title: title.to_owned(),
            units: vec![(1, commands)],
            names: Vec::new(),
            prepare: None,
            is_custom: false,
        }
    }
}

fn mix(options: &Options, numbers: bool) -> Result<Test, Invalid> {
    let mut test = Test::new("MIX", Vec::new());
    test.units.clear();
    for (weight, words) in &options.mix {
        test.units.push((*weight, sequence(words, numbers)?));
        test.names.push(String::from_utf8_lossy(&words.join(&b' ')).into_owned());
    }
    let lengths = test.units.iter().map(|unit| unit.1.len());
    if lengths.clone().max() != lengths.min() {
        return Err(Invalid("the parts of a mix must have equally many commands"));
    }
    Ok(test)
}

fn command(row: &str, numbers: bool) -> Command {
    if let Some(line) = row.strip_prefix('!') {
        return Command::Line(line.as_bytes().to_vec());
    }
    let mut words = Vec::new();
    for word in row.split(' ') {
        match word {
            "SCORE" => words.push(if numbers { "__rand_int__" } else { "0" }),
            "PAIRS" => words.extend(["key:__rand_int__", "__data__"].repeat(10)),
            "KEYS" => words.extend(["key:__rand_int__"].repeat(10)),
            word => words.push(word),
        }
    }
    arguments(&words, numbers)
}

/// Loads a library of so many functions that return their first key.
fn load(functions: u64) -> Vec<Vec<u8>> {
    let mut library = "#!lua name=benchlib\n".to_owned();
    for number in (1..=functions).rev() {
        library +=
            &format!("redis.register_function('foo{number}', function(keys) return keys[1] end)\n");
    }
    ["FUNCTION", "LOAD", "REPLACE", &library].map(|word| word.as_bytes().to_vec()).to_vec()
}
