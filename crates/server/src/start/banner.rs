//! The first lines of the log.

use spec::config::Id;

use crate::config::Config;
use crate::config::cli::Program;
use crate::{log as sink, version};

/// Says who starts.
pub(super) fn introduce(program: Program, config: &Config) {
    let name = match program {
        Program::Reddle => "",
        Program::RedisServer => " in the place of redis-server",
        Program::ValkeyServer => " in the place of valkey-server",
    };
    log::info!(
        "Reddle is starting{name}: version={}, bits={}, commit={}, allocator={}, pid={}",
        version::REDDLE,
        usize::BITS,
        version::COMMIT,
        version::allocator(),
        std::process::id(),
    );
    match config.file() {
        Some(path) => log::info!("Configuration loaded from {}", path.display()),
        None => {
            log::info!("No configuration file: everything not given otherwise is at its default")
        }
    }
}

/// Shows the logo to people, or one line to files.
pub(super) fn show_logo(program: Program, config: &Config, threads: usize) {
    let port = config.int(Id::Port);
    if !config.bool(Id::AlwaysShowLogo) && !sink::is_on_terminal() {
        log::info!("Running mode=standalone, port={port}, threads={threads}.");
        return;
    }
    let allocator = version::allocator();
    let build = version::build(&allocator);
    let title = match program {
        Program::Reddle => program.title(&build),
        _ => format!("{} by Reddle {}", program.title(&build), version::REDDLE),
    };
    let pid = std::process::id();
    let workers = if threads == 1 { "1 worker".to_owned() } else { format!("{threads} workers") };
    sink::raw(&format!(
        r"
      ____
     /    \____      {title}
     \____/    \     {bits} bit, {workers}, standalone
     /    \____/
     \____/    \     Port: {port}
     /    \____/     PID: {pid}
     \____/

",
        bits = usize::BITS,
    ));
}
