//! What the runner prints, shortened, and what is to be read from it.

use super::{Counts, EarlyEnd, Outcome, UnitLog};

fn failed(cause: &str) -> Outcome {
    Outcome::Failed(cause.to_owned())
}

const PLAIN: &str = "\
Starting test server at port 21079
[ready]: 4711
Testing unit/quit
[ok]: QUIT returns OK (3 ms)
[skip]: Pipelined (1 ms) commands
[ignore]: SRANDMEMBER: big: Tag: slow denied
[ignore]: Very big: large memory flag not provided
[ignore]: Tag: cluster denied
[err]: Name: with (brackets) in tests/unit/quit.tcl
Expected 'a' to be equal to 'b' (context: type eval line 4)
printed by the test itself
[1/1 done]: unit/quit (2 seconds)

                   The End

Execution time of different units:
  2 seconds - unit/quit

!!! WARNING The following tests failed:

*** [err]: Name: with (brackets) in tests/unit/quit.tcl
";

#[test]
fn outcomes_by_name() {
    let log = UnitLog::read("unit/quit", PLAIN);
    assert_eq!(log.end, None);
    assert_eq!(log.outcome("QUIT returns OK"), Some(&Outcome::Passed));
    assert_eq!(log.outcome("Pipelined (1 ms) commands"), Some(&Outcome::Skipped));
    let tag = Outcome::Ignored("Tag: slow denied".to_owned());
    assert_eq!(log.outcome("SRANDMEMBER: big"), Some(&tag));
    let memory = Outcome::Ignored("large memory flag not provided".to_owned());
    assert_eq!(log.outcome("Very big"), Some(&memory));
    assert_eq!(log.ignored_blocks, ["Tag: cluster denied"]);
    let cause = "Expected 'a' to be equal to 'b' (context: type eval line 4)";
    assert_eq!(log.outcome("Name: with (brackets)"), Some(&failed(cause)));
    assert_eq!(log.counts(), Counts { passed: 1, failed: 1, skipped: 4 });
}

#[test]
fn worst_occurrence_counts() {
    let text = "[ok]: a (1 ms)\n[err]: a in tests/unit/x.tcl\nno\n[ok]: a (1 ms)\n\
                [1/1 done]: unit/x (0 seconds)\n";
    let log = UnitLog::read("unit/x", text);
    assert_eq!(log.outcome("a"), Some(&failed("no")));
    assert_eq!(log.names(), ["a"]);
}

#[test]
fn message_of_an_exception_is_put_together_again() {
    let text = "[err]: a in tests/unit/x.tcl\n\
                n command 'LPUSH', with args beginning with: 'k' \n\
                ERR unknown command 'LPUSH', with args beginning with: 'k' \n\
                \x20   while executing\n\"r lpush k v\"\n[1/1 done]: unit/x (0 seconds)\n";
    let log = UnitLog::read("unit/x", text);
    let cause = "ERR unknown command 'LPUSH', with args beginning with: 'k'";
    assert_eq!(log.outcome("a"), Some(&failed(cause)));
}

#[test]
fn test_with_a_cut_short_block_did_not_pass() {
    let text = "[ok]: first (1 ms)\n[err]: reading reply\nI/O error reading reply\n\
                \x20   while executing\n\"r ping\"\n[ok]: second (1 ms)\n[ok]: third (1 ms)\n\
                [1/1 done]: unit/x (0 seconds)\n";
    let log = UnitLog::read("unit/x", text);
    assert_eq!(log.outcome("first"), Some(&Outcome::Passed));
    assert_eq!(log.outcome("second"), Some(&failed("I/O error reading reply")));
    assert_eq!(log.outcome("third"), Some(&Outcome::Passed));
    assert_eq!(log.loose_errors, ["I/O error reading reply"]);
    assert_eq!(log.cut_short, ["second"]);
}

#[test]
fn cause_is_the_first_error_of_the_test() {
    let text = "[err]: reading reply\nI/O error reading reply\n\
                \x20   while executing\n\"r ping\"\n[err]: a in tests/unit/x.tcl\n\
                not known in dictionary\nkey \"pid\" not known in dictionary\n\
                \x20   while executing\n\"dict get\"\n[1/1 done]: unit/x (0 seconds)\n";
    let log = UnitLog::read("unit/x", text);
    assert_eq!(log.outcome("a"), Some(&failed("I/O error reading reply")));
}

#[test]
fn stops_are_told_apart() {
    let exception = "[ok]: a (1 ms)\n[exception]: Executing test client: ERR no.\nERR no\n";
    let log = UnitLog::read("unit/x", exception);
    assert_eq!(log.end, Some(EarlyEnd::Exception("ERR no".to_owned())));

    let stall = "[ok]: a (1 ms)\n[TIMEOUT]: clients state report follows.\n\
                 sock55 => (IN PROGRESS) waits => for ever\nKilling still running\n";
    let log = UnitLog::read("unit/x", stall);
    assert_eq!(log.end, Some(EarlyEnd::Stall(Some("waits => for ever".to_owned()))));
    assert_eq!(log.outcome("waits => for ever"), Some(&Outcome::Hung));

    let log = UnitLog::read("unit/x", "[ok]: a (1 ms)\n");
    assert_eq!(log.end, Some(EarlyEnd::Silence("[ok]: a (1 ms)".to_owned())));
}

#[test]
fn second_run_only_adds_passes() {
    let done = "[1/1 done]: unit/x (0 seconds)\n";
    let first = format!("[ok]: a (1 ms)\n[err]: b in tests/unit/x.tcl\nslow\n{done}");
    let second = format!("[err]: a in tests/unit/x.tcl\nslow\n[ok]: b (1 ms)\n{done}");
    let mut log = UnitLog::read("unit/x", &first);
    log.adopt(UnitLog::read("unit/x", &second));
    assert_eq!(log.outcome("a"), Some(&Outcome::Passed));
    assert_eq!(log.outcome("b"), Some(&Outcome::Passed));
    assert_eq!(log.second_try, ["b"]);
}
