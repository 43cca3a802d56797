//! What a server without replicas and without a cluster says to those who ask for them.
//!
//! Clients made for a cluster send READONLY with each new connection, those that look for the
//! primary send ROLE; both understand these answers, and neither an unknown command.

use commands::{Args, Error};

use crate::call::Call;
use crate::rows::SessionHandler;

pub(super) const HANDLERS: &[(&str, SessionHandler)] =
    &[("asking", no_cluster), ("readonly", no_cluster), ("readwrite", no_cluster), ("role", role)];

/// ASKING, READONLY, READWRITE - O(1).
fn no_cluster(_: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    Err(Error::Text("ERR This instance has cluster support disabled"))
}

/// ROLE - O(1).
fn role(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    call.out.array(3);
    call.out.bulk(b"master");
    call.out.int(0);
    call.out.array(0);
    Ok(())
}
