//! The error texts that more than one command or part of the server answers with.
//!
//! Clients compare these texts and choose exception classes by the first word, so they are part
//! of the protocol. They come without the leading `-` and without the line end. A text that one
//! command alone has, or that names what was sent, stands where it is sent.

/// A command for one type met a value of another type.
pub const WRONG_TYPE: &str = "WRONGTYPE Operation against a key holding the wrong kind of value";
/// Options that do not exist, do not go together or lack their value.
pub const SYNTAX: &str = "ERR syntax error";
/// Not a 64-bit integer.
pub const NOT_AN_INTEGER: &str = "ERR value is not an integer or out of range";
/// Not a floating-point number.
pub const NOT_A_FLOAT: &str = "ERR value is not a valid float";
/// A count or an offset that must not be negative.
pub const NOT_POSITIVE: &str = "ERR value is out of range, must be positive";
/// A number outside what an option allows.
pub const OUT_OF_RANGE: &str = "ERR value is out of range";
/// A key that must exist does not.
pub const NO_SUCH_KEY: &str = "ERR no such key";
/// An index beyond either end of a list or a string.
pub const INDEX_OUT_OF_RANGE: &str = "ERR index out of range";
/// The sum of an increment does not fit into 64 bits.
pub const OVERFLOW: &str = "ERR increment or decrement would overflow";
/// A floating-point increment led to a value that is no number or infinite.
pub const NAN_OR_INFINITY: &str = "ERR increment would produce NaN or Infinity";
/// A string would become longer than `proto-max-bulk-len`.
pub const STRING_TOO_LONG: &str = "ERR string exceeds maximum allowed size (proto-max-bulk-len)";
/// NX together with XX, GT or LT in the EXPIRE family.
pub const EXPIRE_NX_CONFLICT: &str =
    "ERR NX and XX, GT or LT options at the same time are not compatible";
/// GT together with LT in the EXPIRE family.
pub const EXPIRE_GT_LT_CONFLICT: &str = "ERR GT and LT options at the same time are not compatible";
/// A database number that is too large or negative.
pub const DB_OUT_OF_RANGE: &str = "ERR DB index is out of range";
/// The first database of SWAPDB is no number.
pub const INVALID_FIRST_DB: &str = "ERR invalid first DB index";
/// The second database of SWAPDB is no number.
pub const INVALID_SECOND_DB: &str = "ERR invalid second DB index";
/// Source and destination are the same key of the same database.
pub const SAME_OBJECT: &str = "ERR source and destination objects are the same";
/// A SCAN cursor that is no number.
pub const INVALID_CURSOR: &str = "ERR invalid cursor";
/// A number of keys that is zero or negative.
pub const NUMKEYS_NOT_POSITIVE: &str = "ERR numkeys should be greater than 0";
/// A number of keys that the arguments do not hold.
pub const NUMKEYS_TOO_LARGE: &str = "ERR Number of keys can't be greater than number of args";
/// A number that no 32-bit integer holds, where one is wanted.
pub const BEYOND_32_BITS: &str =
    "ERR value is out of range, value must between -2147483648 and 2147483647";
/// A LIMIT that is negative.
pub const LIMIT_NEGATIVE: &str = "ERR LIMIT can't be negative";
/// A COUNT that is zero or negative.
pub const COUNT_NOT_POSITIVE: &str = "ERR COUNT must be > 0";
/// A timeout in milliseconds that is no number.
pub const TIMEOUT_NOT_AN_INTEGER: &str = "ERR timeout is not an integer or out of range";
/// A negative timeout.
pub const NEGATIVE_TIMEOUT: &str = "ERR timeout is negative";
/// A timeout that ends too late.
pub const TIMEOUT_OUT_OF_RANGE: &str = "ERR timeout is out of range";
/// OBJECT FREQ without an LFU policy.
pub const NOT_LFU: &str = "ERR An LFU maxmemory policy is not selected, access frequency not \
                           tracked. Please note that when switching between policies at runtime \
                           LRU and LFU data will take some time to adjust.";
/// OBJECT IDLETIME with an LFU policy.
pub const NOT_LRU: &str = "ERR An LFU maxmemory policy is selected, idle time not tracked. \
                           Please note that when switching between policies at runtime LRU and \
                           LFU data will take some time to adjust.";

/// The beginning of a refusal of a subcommand's arguments; the subcommand follows.
pub const WRONG_SUBCOMMAND: &str = "ERR unknown subcommand or wrong number of arguments for '";
/// The client must authenticate first.
pub const NO_AUTH: &str = "NOAUTH Authentication required.";

/// The data set is being read.
pub const LOADING: &str = "LOADING Redis is loading the dataset in memory";
/// A script runs too long.
pub const BUSY_SCRIPT: &str = "BUSY Redis is busy running a script. You can only call SCRIPT \
                               KILL or SHUTDOWN NOSAVE.";
/// A script cannot be ended.
pub const UNKILLABLE: &str = "UNKILLABLE Sorry the script already executed write commands against \
                              the dataset. You can either wait the script termination or kill \
                              the server in a hard way using the SHUTDOWN NOSAVE command.";
/// A function takes too long.
pub const BUSY_FUNCTION: &str = "BUSY Redis is busy running a script. You can only call FUNCTION \
                                 KILL or SHUTDOWN NOSAVE.";
/// Writes are refused because saving fails.
pub const MISCONF: &str = "MISCONF Redis is configured to save RDB snapshots, but it's currently \
                           unable to persist to disk. Commands that may modify the data set are \
                           disabled, because this instance is configured to report errors during \
                           writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). \
                           Please check the Redis logs for details about the RDB error.";
/// Too few replicas are attached for a write.
pub const NO_REPLICAS: &str = "NOREPLICAS Not enough good replicas to write.";
/// Memory is used up and nothing may be evicted.
pub const OUT_OF_MEMORY: &str = "OOM command not allowed when used memory > 'maxmemory'.";
/// EXEC after a command that could not be queued.
pub const EXEC_ABORT: &str = "EXECABORT Transaction discarded because of previous errors.";
/// EXEC that is refused itself; the error without its `ERR` completes it.
pub const EXEC_ABORT_HEAD: &str = "EXECABORT Transaction discarded because of: ";
/// EXEC without MULTI.
pub const EXEC_WITHOUT_MULTI: &str = "ERR EXEC without MULTI";
/// DISCARD without MULTI.
pub const DISCARD_WITHOUT_MULTI: &str = "ERR DISCARD without MULTI";
/// MULTI inside MULTI.
pub const NESTED_MULTI: &str = "ERR MULTI calls can not be nested";
/// WATCH inside MULTI.
pub const WATCH_IN_MULTI: &str = "ERR WATCH inside MULTI is not allowed";
/// A command that a transaction may not hold.
pub const NOT_IN_MULTI: &str = "ERR Command not allowed inside a transaction";
/// COMMAND GETKEYS with a command that does not exist.
pub const GETKEYS_COMMAND: &str = "ERR Invalid command specified";
/// COMMAND GETKEYS with a command that has no keys.
pub const GETKEYS_WITHOUT_KEYS: &str = "ERR The command has no key arguments";
/// COMMAND GETKEYS with too few or too many arguments.
pub const GETKEYS_ARITY: &str = "ERR Invalid number of arguments specified for command";
/// COMMAND GETKEYS with arguments that the command would refuse.
pub const GETKEYS_ARGUMENTS: &str = "ERR Invalid arguments specified for command";
/// SHUTDOWN ABORT while nothing is shutting down.
pub const NO_SHUTDOWN: &str = "ERR No shutdown in progress.";
/// No script has the digest.
pub const NO_SCRIPT: &str = "NOSCRIPT No matching script. Please use EVAL.";
/// RESTORE over a key that exists.
pub const BUSY_KEY: &str = "BUSYKEY Target key name already exists.";
