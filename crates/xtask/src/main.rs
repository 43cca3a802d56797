//! Development tasks: `cargo xtask <task>`.
//!
//! Each task is a module with `pub fn run(args: &[String]) -> Result<(), String>`.

use std::process::ExitCode;

type Task = fn(&[String]) -> Result<(), String>;

/// Name, function, one line of help.
const TASKS: &[(&str, Task, &str)] = &[];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some(task) = args.first().and_then(|name| TASKS.iter().find(|row| row.0 == name)) else {
        for (name, _, help) in TASKS {
            println!("cargo xtask {name:<12} {help}");
        }
        return ExitCode::FAILURE;
    };
    match (task.1)(&args[1..]) {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("xtask {}: {text}", task.0);
            ExitCode::FAILURE
        }
    }
}
