//! Reading the whole dataset back from both servers, key by key.
//!
//! What differs is reported as a reading command, like any other command whose replies differ.

use resp::value::{Value, decode};

use super::compare::{Rule, same};
use super::exceptions::{Answered, known};
use super::generate::{Argv, words};
use super::pair::{Broken, DATABASES, Pair, Replies};

/// Milliseconds that deadlines may lie apart, set by two servers one after the other.
const DEADLINES: Rule = Rule::Near(20_000);

/// A reading command whose replies differ, the SELECT in front of it, and both replies.
pub(super) struct Unlike {
    pub(super) commands: Vec<Argv>,
    pub(super) rule: Rule,
    pub(super) replies: Replies,
}

/// The first difference between the datasets. Leaves both connections in the last database.
///
/// # Errors
/// A server that broke.
pub(super) fn compare(pair: &mut Pair) -> Result<Option<Unlike>, Broken> {
    for database in 0..DATABASES {
        let select = words(&["SELECT", &database.to_string()]);
        let keys_command = words(&["KEYS", "*"]);
        let mut replies = pair.exchange(&[select.clone(), keys_command.clone()])?;
        let Some(keys) = replies.pop() else { return Ok(None) };
        if !same(Rule::AnyOrder, &keys.ours, &keys.theirs) {
            let commands = vec![select, keys_command];
            return Ok(Some(Unlike { commands, rule: Rule::AnyOrder, replies: keys }));
        }
        let mut keys = texts(&keys.ours);
        keys.sort_unstable();
        let types: Vec<Argv> = keys.iter().map(|key| reading("TYPE", key, &[])).collect();
        let replies = pair.exchange(&types)?;
        let mut reads: Vec<(Argv, Rule)> = Vec::new();
        for (key, (command, reply)) in keys.iter().zip(types.into_iter().zip(&replies)) {
            reads.push((command, Rule::Exact));
            reads.push((vec![b"OBJECT".to_vec(), b"ENCODING".to_vec(), key.clone()], Rule::Exact));
            reads.push((reading("PEXPIRETIME", key, &[]), DEADLINES));
            reads.extend(contents(key, &reply.ours));
        }
        let commands: Vec<Argv> = reads.iter().map(|read| read.0.clone()).collect();
        let replies = pair.exchange(&commands)?;
        for ((command, rule), replies) in reads.into_iter().zip(replies) {
            let answered = Answered {
                argv: &command,
                history: &[],
                ours: &replies.ours,
                theirs: &replies.theirs,
            };
            if !same(rule, &replies.ours, &replies.theirs) && known(&answered).is_none() {
                return Ok(Some(Unlike { commands: vec![select, command], rule, replies }));
            }
        }
    }
    Ok(None)
}

/// What reads the whole value of a key, by the reply to TYPE.
fn contents(key: &[u8], type_reply: &[u8]) -> Vec<(Argv, Rule)> {
    match type_reply {
        b"+string\r\n" => vec![(reading("GET", key, &[]), Rule::Exact)],
        b"+list\r\n" => vec![(reading("LRANGE", key, &["0", "-1"]), Rule::Exact)],
        b"+set\r\n" => vec![(reading("SMEMBERS", key, &[]), Rule::AnyOrder)],
        b"+zset\r\n" => vec![(reading("ZRANGE", key, &["0", "-1", "WITHSCORES"]), Rule::Exact)],
        b"+hash\r\n" => {
            let fields = ["FIELDS", "9", "f0", "f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8"];
            vec![
                (reading("HGETALL", key, &[]), Rule::Pairs),
                (reading("HPEXPIRETIME", key, &fields), DEADLINES),
            ]
        }
        b"+stream\r\n" => {
            let mut full = words(&["XINFO", "STREAM"]);
            full.push(key.to_vec());
            full.extend(words(&["FULL", "COUNT", "0"]));
            vec![(full, Rule::Times)]
        }
        _ => Vec::new(),
    }
}

fn reading(name: &str, key: &[u8], rest: &[&str]) -> Argv {
    let mut argv = vec![name.as_bytes().to_vec(), key.to_vec()];
    argv.extend(words(rest));
    argv
}

fn texts(reply: &[u8]) -> Vec<Vec<u8>> {
    let Ok(Some((Value::Array(items), _))) = decode(reply) else { return Vec::new() };
    let text = |item| match item {
        Value::Bulk(text) => Some(text),
        _ => None,
    };
    items.into_iter().filter_map(text).collect()
}
