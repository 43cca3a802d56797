//! The versions that the server tells, each in this one place.

use spec::config::Id;

use crate::config::Config;
use crate::config::cli::{Build, Program};

/// This program's own version.
pub const REDDLE: &str = env!("CARGO_PKG_VERSION");

/// The newest Redis whose commands are all there. The directive `redis-version` begins with it and
/// may change what clients are told.
pub const REDIS: &str = "7.2.4";

/// The Valkey whose behaviour is offered, told where this program runs as `valkey-server`.
pub const VALKEY: &str = "8.1.1";

/// The first eight digits of the commit, where the build knew it.
pub const COMMIT: &str = match option_env!("REDDLE_COMMIT") {
    Some(commit) => commit,
    None => "00000000",
};

/// A number that differs between builds of different versions.
pub const BUILD_ID: u64 = mix(REDDLE.as_bytes(), mix(COMMIT.as_bytes(), 0xcbf2_9ce4_8422_2325));

/// The allocator with its version, such as `jemalloc-5.3.1`.
pub fn allocator() -> String {
    let version = tikv_jemalloc_ctl::version::read().unwrap_or("unknown");
    let number = version.split('-').next().unwrap_or(version);
    format!("jemalloc-{number}")
}

/// All of them, for the command line. `allocator` is what `allocator()` gave.
pub fn build(allocator: &str) -> Build<'_> {
    Build {
        reddle: REDDLE,
        redis: REDIS,
        valkey: VALKEY,
        allocator,
        commit: COMMIT,
        build_id: BUILD_ID,
    }
}

/// What clients are told that they talk to: the one of the two servers they know whose place this
/// one has taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    /// `redis` or `valkey`.
    pub server: &'static str,
    /// The same in sentences.
    pub title: &'static str,
    /// Its version.
    pub version: String,
}

impl Told {
    /// By the name that this program was started under, and by the configuration.
    pub fn of(program: Program, config: &Config) -> Self {
        let redis = String::from_utf8_lossy(config.text(Id::RedisVersion)).into_owned();
        match program {
            Program::ValkeyServer if !config.bool(Id::ExtendedRedisCompatibility) => {
                Self { server: "valkey", title: "Valkey", version: VALKEY.to_owned() }
            }
            _ => Self { server: "redis", title: "Redis", version: redis },
        }
    }

    /// Whether it is Valkey.
    pub fn is_valkey(&self) -> bool {
        self.server == "valkey"
    }
}

/// What scripts are told: by the name that this program was started under, as clients are.
pub fn about(program: Program, config: &Config) -> script::About {
    let told = Told::of(program, config);
    let redis = String::from_utf8_lossy(config.text(Id::RedisVersion)).into_owned();
    let insecure = config.bool(Id::LuaEnableInsecureApi);
    script::About { server: told.server, redis, valkey: VALKEY, insecure }
}

/// FNV-1a.
const fn mix(bytes: &[u8], mut hash: u64) -> u64 {
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x100_0000_01b3);
        at += 1;
    }
    hash
}

#[cfg(test)]
mod tests;
