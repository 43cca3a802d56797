//! Making a changed configuration come true: whatever a setting needs beyond being known.
//!
//! Most settings are read where they matter, or copied into `Tunables`. The others have a step
//! here. When a step fails, those before it are taken with the old values again.

use spec::config::Id;

use crate::aof::{self, Phase};
use crate::config::Config;
use crate::listen;
use crate::server::Server;
use crate::{allocator, crash, log as sink, process, sys};

/// Takes a step, or gives the reason why it cannot be taken. The number of the setting is the one
/// that asked for it.
type Take = fn(&Server, &Config, Id) -> Result<(), String>;

/// Each step with the settings that ask for it, those that can fail first.
const STEPS: &[(&[Id], Take)] = &[
    (&[Id::Dir], enter_directory),
    (&[Id::Maxclients], make_room),
    (&[Id::OomScoreAdj, Id::OomScoreAdjValues], adjust_oom_score),
    (&[Id::Port, Id::Bind], listen_again),
    (&[Id::Port, Id::Bind, Id::ProcTitleTemplate], show_title),
    (&[Id::Loglevel, Id::LogFormat, Id::LogTimestampFormat], configure_log),
    (&[Id::CrashLogEnabled, Id::UseExitOnPanic], follow_crashes),
    (&[Id::WatchdogPeriod], set_watchdog),
    (&[Id::Maxmemory], warn_of_eviction),
    (&[Id::AofDisableAutoGc], remove_history),
    (&[Id::Appendonly], switch_log),
];

/// Takes the steps that the changed settings `ids` ask for. The error names the setting that could
/// not be applied; then everything is as in `before`.
pub(super) fn apply(
    server: &Server,
    before: &Config,
    config: &Config,
    ids: &[Id],
) -> Result<(), (Id, String)> {
    let mut taken: Vec<(Id, Take)> = Vec::new();
    for (settings, step) in STEPS {
        let Some(id) = ids.iter().copied().find(|id| settings.contains(id)) else { continue };
        if let Err(reason) = step(server, config, id) {
            for (id, step) in taken {
                if let Err(text) = step(server, before, id) {
                    log::warn!("Taking back a change of '{}': {text}", name(id));
                }
            }
            return Err((id, reason));
        }
        taken.push((id, *step));
    }
    Ok(())
}

fn name(id: Id) -> &'static str {
    spec::config::Directive::of(id).name
}

fn enter_directory(_: &Server, config: &Config, _: Id) -> Result<(), String> {
    let Some(path) = config.path(Id::Dir) else { return Ok(()) };
    std::env::set_current_dir(path).map_err(|error| sys::system_text(&error))
}

/// The log is turned off here; it is turned on when everything else has come true.
fn switch_log(server: &Server, config: &Config, _: Id) -> Result<(), String> {
    if !config.bool(Id::Appendonly) && server.aof.phase() != Phase::Off {
        aof::turn_off(server);
    }
    Ok(())
}

/// What was kept while nothing was to be removed goes now.
fn remove_history(server: &Server, config: &Config, _: Id) -> Result<(), String> {
    if !config.bool(Id::AofDisableAutoGc) {
        server.aof.files.lock().remove_history();
    }
    Ok(())
}

fn make_room(_: &Server, config: &Config, _: Id) -> Result<(), String> {
    let wanted = config.int(Id::Maxclients).max(1) as u64;
    let possible = process::make_room_for_clients(wanted)?;
    if possible < wanted {
        return Err(format!(
            "The operating system is not able to handle the specified number of clients, try with \
             {possible}"
        ));
    }
    Ok(())
}

fn adjust_oom_score(server: &Server, config: &Config, _: Id) -> Result<(), String> {
    server.process.adjust_oom_score(config).map_err(|error| {
        log::warn!("Unable to write oom_score_adj: {}", sys::system_text(&error));
        "Failed to set current oom_score_adj. Check server logs.".to_owned()
    })
}

fn listen_again(server: &Server, config: &Config, id: Id) -> Result<(), String> {
    listen::listen_again(server, config).map_err(|()| {
        let text = match id {
            Id::Port => "Unable to listen on this port. Check server logs.",
            _ => "Failed to bind to specified addresses.",
        };
        text.to_owned()
    })
}

fn show_title(server: &Server, config: &Config, _: Id) -> Result<(), String> {
    server.process.show_title(config);
    Ok(())
}

fn configure_log(_: &Server, config: &Config, _: Id) -> Result<(), String> {
    sink::configure(config);
    Ok(())
}

fn follow_crashes(_: &Server, config: &Config, _: Id) -> Result<(), String> {
    crash::follow(config);
    Ok(())
}

fn set_watchdog(server: &Server, config: &Config, _: Id) -> Result<(), String> {
    server.watchdog.set_period(config.int(Id::WatchdogPeriod).max(0) as u64);
    Ok(())
}

fn warn_of_eviction(_: &Server, config: &Config, _: Id) -> Result<(), String> {
    let limit = config.memory(Id::Maxmemory);
    let used = allocator::figures().used;
    if limit > 0 && limit < used {
        log::warn!(
            "WARNING: the new maxmemory value set via CONFIG SET ({limit}) is smaller than the \
             current memory usage ({used}). This will result in key eviction and/or the inability \
             to accept new write commands depending on the maxmemory-policy."
        );
    }
    Ok(())
}
