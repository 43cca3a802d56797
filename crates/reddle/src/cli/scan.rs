//! `--scan`: the names of keys, and the walk through them that other modes share.

use client::Value;

use super::operator::Operator;
use super::options::Output;
use super::{Done, Failure, format, out};

/// A walk through the keys of a database.
#[derive(Debug, Default)]
pub(super) struct Walk {
    cursor: Vec<u8>,
    pub(super) steps: u64,
}

impl Walk {
    /// The next keys; `None` behind the last.
    pub(super) fn next(
        &mut self,
        operator: &mut Operator,
    ) -> Result<Option<Vec<Vec<u8>>>, Failure> {
        if self.steps > 0 && self.cursor == b"0" {
            return Ok(None);
        }
        let cursor = if self.steps == 0 { b"0".to_vec() } else { self.cursor.clone() };
        let options = &operator.options;
        let mut words = vec![b"SCAN".to_vec(), cursor];
        for (word, value) in [("MATCH", &options.pattern), ("TYPE", &options.key_type)] {
            if let Some(value) = value {
                words.extend([word.as_bytes().to_vec(), value.clone()]);
            }
        }
        words.extend([b"COUNT".to_vec(), options.count.to_string().into_bytes()]);
        match operator.quiet_call(&words)? {
            Value::Error(text) => {
                Err(Failure::Text(format!("SCAN error: {}", String::from_utf8_lossy(&text))))
            }
            Value::Array(parts) => match parts.as_slice() {
                [Value::Bulk(cursor), Value::Array(keys)] => {
                    self.cursor.clone_from(cursor);
                    self.steps += 1;
                    let key = |key: &Value| match key {
                        Value::Bulk(key) => Some(key.clone()),
                        _ => None,
                    };
                    Ok(Some(keys.iter().filter_map(key).collect()))
                }
                _ => Err("Invalid element count from SCAN!".into()),
            },
            _ => Err("Non ARRAY response from SCAN!".into()),
        }
    }
}

/// Prints the names.
pub(super) fn run(mut operator: Operator) -> Done {
    let mut walk = Walk::default();
    while let Some(keys) = walk.next(&mut operator)? {
        let mut lines = Vec::new();
        for key in keys {
            if operator.options.output == Output::Standard {
                lines.extend_from_slice(format::quoted(&key).as_bytes());
            } else {
                lines.extend_from_slice(&key);
            }
            lines.push(b'\n');
        }
        out::bytes(&lines);
        std::thread::sleep(operator.options.interval);
    }
    Ok(())
}
