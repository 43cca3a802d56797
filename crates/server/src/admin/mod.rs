//! Commands that look at the session or the server: one function each, a file a group.

mod alone;
mod client;
mod command;
mod commandlog;
mod config;
mod connection;
mod debug;
mod help;
mod himport;
mod hotkeys;
mod info;
mod latency;
mod memory;
mod module;
mod save;
mod server;
mod wait;

use crate::rows::SessionHandler;

pub(crate) use client::describe;
pub(crate) use debug::end::again;
pub(crate) use help::help;
pub(crate) use himport::FieldSets;
pub(crate) use info::without_shards as info_without_shards;

/// Every handler by the name of its command's row (`parent|name` for a subcommand).
pub(crate) fn handlers() -> impl Iterator<Item = (&'static str, SessionHandler)> {
    let groups = [
        alone::HANDLERS,
        client::HANDLERS,
        client::tracking::HANDLERS,
        command::HANDLERS,
        commandlog::HANDLERS,
        config::HANDLERS,
        connection::HANDLERS,
        debug::HANDLERS,
        himport::HANDLERS,
        hotkeys::HANDLERS,
        info::HANDLERS,
        latency::HANDLERS,
        memory::HANDLERS,
        module::HANDLERS,
        save::HANDLERS,
        server::HANDLERS,
        wait::HANDLERS,
    ];
    groups.into_iter().flatten().copied()
}
