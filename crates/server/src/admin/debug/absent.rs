//! Subcommands of Redis and Valkey for what this server does not have: each is refused with the
//! reason, or accepted where tests only want to hear so.

use commands::{Args, Error};

use crate::call::Call;

const NO_CLUSTER: &str = "ERR Debug option only available for cluster mode enabled setup!";
const NO_REPLICAS: &str = "ERR This server has no replicas and is none";
const NO_TLS: &str = "ERR TLS is not enabled";
const NO_PROTECTION: &str =
    "ERR Clients need no protection: no connection is closed while a command of it runs";

/// What is accepted because tests send it, and means nothing here.
pub(super) fn accepted(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    call.out.ok();
    Ok(())
}

pub(super) fn cluster(_: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    Err(Error::Text(NO_CLUSTER))
}

pub(super) fn replicas(_: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    Err(Error::Text(NO_REPLICAS))
}

pub(super) fn tls(_: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    Err(Error::Text(NO_TLS))
}

pub(super) fn protect_client(_: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    Err(Error::Text(NO_PROTECTION))
}
