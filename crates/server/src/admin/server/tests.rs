//! Tests of what SHUTDOWN understands.

use super::*;

fn read(line: &str) -> Result<Option<Wish>, Error> {
    let argv: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
    match Request::read(&Args::new(&argv, &[]))? {
        Request::Begin(wish) => Ok(Some(wish)),
        Request::Abort => Ok(None),
    }
}

#[test]
fn options_go_together_or_not() {
    let plain = Wish::default();
    assert_eq!(read("shutdown"), Ok(Some(plain)));
    assert_eq!(read("shutdown NOSAVE"), Ok(Some(Wish { nosave: true, ..plain })));
    let all = Wish { save: true, now: true, force: true, ..plain };
    assert_eq!(read("shutdown now force save now safe failover"), Ok(Some(all)));
    assert_eq!(read("shutdown abort"), Ok(None));
    assert_eq!(read("shutdown abort ABORT"), Ok(None));
    for line in ["save nosave", "abort now", "now abort", "abort safe", "later", ""] {
        assert_eq!(read(&format!("shutdown {line}")), Err(Error::Syntax), "{line}");
    }
}
