//! What each command propagates and which events it makes, which no reply shows.

use crate::tests::bench::{Bench, check};

#[test]
fn set_becomes_absolute_and_loses_what_held() {
    check(&[
        (&[], "SET k v", "new set", "="),
        (&["SET k v"], "SET k v", "overwritten set", "="),
        (&[], "SET k v EX 10", "new set expire", "SET k v PXAT 1010000"),
        (&[], "SET k v NX PX 10", "new set expire", "SET k v PXAT 1000010"),
        (&[], "SET k v EXAT 2000", "new set expire", "SET k v PXAT 2000000"),
        (&[], "SET k v PXAT 2000000", "new set expire", "="),
        (&[], "SET k v NX", "new set", "="),
        (&["SET k v"], "SET k w NX", "", ""),
        (&["SET k v"], "SET k w KEEPTTL GET XX get", "overwritten set", "SET k w KEEPTTL XX"),
        (&["SET k v"], "SET k w IFEQ v", "overwritten set", "SET k w"),
        (
            &["SET k v"],
            "SET k w PXAT 2000000 IFEQ v GET",
            "overwritten set expire",
            "SET k w PXAT 2000000",
        ),
        (&["SET k v"], "SET k w IFEQ w", "", ""),
        (&["SET k v"], "SET k w EXAT 1", "expired", "DEL k"),
        (&["SET k v"], "SET k w NX EXAT 1", "", ""),
        (&[], "SET k w EXAT 1", "", ""),
        (&[], "SETNX k v", "new set", "="),
        (&["SET k v"], "SETNX k v", "", ""),
        (&[], "SETEX k 10 v", "new set expire", "SET k v PXAT 1010000"),
        (&[], "PSETEX k 10 v", "new set expire", "SET k v PXAT 1000010"),
        (&["SET k v"], "GETSET k w", "overwritten set", "SET k w"),
    ]);
}

#[test]
fn reads_that_change_propagate_the_change() {
    check(&[
        (&["SET k v"], "GETEX k", "", ""),
        (&["SET k v"], "GETEX k EX 10", "expire", "PEXPIREAT k 1010000"),
        (&["SET k v"], "GETEX k PXAT 2000000", "expire", "PEXPIREAT k 2000000"),
        (&["SET k v"], "GETEX k PXAT 1", "expired", "DEL k"),
        (&["SET k v"], "GETEX k PERSIST", "", ""),
        (&["SET k v EX 10"], "GETEX k PERSIST", "persist", "PERSIST k"),
        (&[], "GETEX k EX 10", "keymiss", ""),
        (&["SET k v"], "GETDEL k", "del", "DEL k"),
        (&[], "GETDEL k", "keymiss", ""),
        (&["SET k v"], "DELIFEQ k v", "del", "DEL k"),
        (&["SET k v"], "DELIFEQ k w", "", ""),
        (&["SET k v"], "DELEX k IFNE w", "del", "DEL k"),
        (&["SET k v"], "DELEX k", "del", "DEL k"),
    ]);
}

#[test]
fn counters_propagate_what_came_out() {
    check(&[
        (&[], "INCR k", "new incrby", "="),
        (&["SET k 1"], "DECRBY k 3", "incrby", "="),
        (&["SET k v"], "INCR k", "", ""),
        (&["SET k 1"], "INCRBYFLOAT k 0.5", "incrbyfloat", "SET k 1.5 KEEPTTL"),
        (&[], "INCREX k", "new incrby", "SET k 1 KEEPTTL"),
        (&["SET k 1 EX 10"], "INCREX k PERSIST", "incrby persist", "SET k 2"),
        (&["SET k 1"], "INCREX k EX 10", "incrby expire", "SET k 2 PXAT 1010000"),
        (&["SET k 1 EX 10"], "INCREX k EX 99 ENX", "incrby", "SET k 2 KEEPTTL"),
        (&["SET k 1"], "INCREX k EX 99 ENX", "incrby expire", "SET k 2 PXAT 1099000"),
        (&["SET k 1"], "INCREX k BYFLOAT 0.5", "incrbyfloat", "SET k 1.5 KEEPTTL"),
        (&["SET k 1"], "INCREX k BYINT 9 UBOUND 4 SATURATE", "incrby", "SET k 4 KEEPTTL"),
        (&["SET k 1"], "INCREX k BYINT 9 UBOUND 4 EX 10", "", ""),
        (&["SET k 1"], "INCREX k EXAT 1", "expired", "DEL k"),
    ]);
}

#[test]
fn parts_and_several_keys() {
    check(&[
        (&[], "APPEND k v", "new append", "="),
        (&["SET k v"], "APPEND k v", "append", "="),
        (&["SET k v"], "SETRANGE k 1 w", "setrange", "="),
        (&[], "SETRANGE k 1 w", "new setrange", "="),
        (&[], "MSET a 1 b 2", "new set new set", "="),
        (&["SET a 1"], "MSETNX a 1 b 2", "", ""),
        (&[], "MSETNX a 1 b 2", "new set new set", "="),
        (
            &[],
            "MSETEX 2 a 1 b 2 EX 10 NX",
            "new set expire new set expire",
            "MSETEX 2 a 1 b 2 NX PXAT 1010000",
        ),
        (&[], "MSETEX 1 a 1 PXAT 2000000", "new set expire", "="),
        (&["SET a 1"], "MSETEX 1 a 2 KEEPTTL", "overwritten set", "="),
    ]);
}

#[test]
fn a_key_that_is_found_expired_is_logged_first() {
    let mut bench = Bench::new();
    bench.run("MSETEX 1 k 5 PXAT 1");
    assert_eq!(bench.run("INCR k"), ":1\r\n");
    assert_eq!(bench.events(), "expired new incrby");
    assert_eq!(bench.log(), "DEL k; =");
}
