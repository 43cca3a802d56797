//! The versions agree with what else tells them.

use spec::config::Id;

use super::*;
use crate::config::Config;

#[test]
fn the_directive_begins_with_the_same_version() {
    assert_eq!(Config::default().text(Id::RedisVersion), REDIS.as_bytes());
}
