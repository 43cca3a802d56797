//! What each command on arrays propagates, and which events it makes.

use crate::tests::bench::check;

#[test]
fn changes_of_arrays_are_logged_as_they_came() {
    check(&[
        (&[], "ARSET a 5 x y", "new arset", "="),
        (&["ARSET a 0 x"], "ARSET a 0 x", "arset", "="),
        (&[], "ARSET a 18446744073709551614 x y", "", ""),
        (&[], "ARMSET a 0 x 9 y", "new armset", "="),
        (&[], "ARINSERT a x y", "new arinsert", "="),
        (&["ARINSERT a x", "ARSEEK a 18446744073709551615"], "ARINSERT a y", "", ""),
        (&["ARRING a 3 x y z"], "ARRING a 2 w", "arring", "="),
        (&[], "ARSEEK a 5", "", ""),
        (&["ARSET a 0 x"], "ARSEEK a 5", "arseek", "="),
        (&["ARSET a 0 x y"], "ARDEL a 1 7", "ardel", "="),
        (&["ARSET a 0 x y"], "ARDEL a 7", "", ""),
        (&["ARSET a 0 x y"], "ARDEL a 0 1", "ardel del", "="),
        (&["ARSET a 0 x y"], "ARDELRANGE a 5 1", "ardelrange", "="),
        (&["ARSET a 0 x y"], "ARDELRANGE a 0 9", "ardelrange del", "="),
        (&["ARSET a 0 x y"], "ARGETRANGE a 0 9", "", ""),
    ]);
}

#[test]
fn a_refused_change_leaves_everything_as_it_was() {
    check(&[
        (&["SET s x"], "ARSET s 0 x", "", ""),
        (&["ARSET a 0 x y"], "ARDEL a 0 x", "", ""),
        (&["ARSET a 0 x y"], "ARDELRANGE a 0 1 x 2", "", ""),
        (&["ARSET a 0 x"], "ARMSET a 1 y x z", "", ""),
        (&["ARSET a 0 x"], "ARRING a 0 z", "", ""),
    ]);
}
