//! The licences of what is linked into the program, which its owners want to be told beside it.
//!
//! Cargo says which packages these are and where their sources lie. Nothing is written down here
//! but that Lua's source, which a build script compiles, is one of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Packages that Cargo takes for tools of the build, but whose code ends up in the program.
const COMPILED_IN: &str = "lua-src";

/// How the names of files with licences begin, in upper case.
const NAMES: &[&str] = &["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE"];

/// Of several licences to choose from, those that are not taken where the MIT licence is there.
const NOT_TAKEN: &[&str] = &["APACHE", "LLVM", "ZLIB", "0BSD", "ISC"];

/// A library that the program is made of.
pub(super) struct Library {
    /// Name and version.
    pub(super) name: String,
    /// The licence as an expression.
    pub(super) license: String,
    pub(super) texts: Vec<String>,
}

/// Every library that the program is made of, as Cargo tells.
pub(super) fn libraries() -> Result<Vec<Library>, String> {
    let linked = ["-p", "reddle", "-e", "normal,no-proc-macro", "--prefix", "none"];
    let tree = cargo(&[&["tree", "--locked", "--format", "{p}"], &linked[..]].concat())?;
    let linked: BTreeSet<&str> = tree.lines().map(|line| line.trim_end_matches(" (*)")).collect();
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let about = ["metadata", "--locked", "--format-version", "1", "--filter-platform", &platform];
    let about = cargo(&about)?;
    let about: Value = serde_json::from_str(&about).map_err(|error| format!("cargo: {error}"))?;
    let packages = about["packages"].as_array().ok_or("cargo metadata names no packages")?;
    let foreign = packages.iter().filter(|package| !package["source"].is_null());
    let mut libraries = Vec::new();
    for package in foreign {
        let text = |member: &str| package[member].as_str().unwrap_or_default();
        let name = format!("{} v{}", text("name"), text("version"));
        if linked.contains(name.as_str()) || text("name") == COMPILED_IN {
            let folder = Path::new(text("manifest_path")).parent().unwrap_or(Path::new("."));
            let lua = (text("name") == COMPILED_IN).then(|| lua(folder)).transpose()?;
            libraries.push(Library {
                name,
                license: text("license").into(),
                texts: texts(folder)?.into_iter().chain(lua).collect(),
            });
        }
    }
    Ok(libraries)
}

/// All of them as one text, in which none stands twice.
pub(super) fn page(libraries: &[Library]) -> String {
    let mut page =
        String::from("Reddle contains these libraries, with thanks to their authors.\n\n");
    let mut owners: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for library in libraries {
        let _ = writeln!(page, "{}: {}", library.name, library.license);
        for text in &library.texts {
            owners.entry(text.trim()).or_default().insert(&library.name);
        }
    }
    for (text, names) in owners {
        let names = Vec::from_iter(names).join(", ");
        let _ = write!(page, "\n{}\n{names}\n\n{text}\n", "=".repeat(78));
    }
    page
}

/// The licences in a package's folder and in those right below it, where sources of others lie.
fn texts(folder: &Path) -> Result<Vec<String>, String> {
    let told = |error| format!("{}: {error}", folder.display());
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(told)? {
        let path = entry.map_err(told)?.path();
        match fs::read_dir(&path) {
            Ok(below) => paths.extend(below.flatten().map(|entry| entry.path())),
            Err(_) => paths.push(path),
        }
    }
    let name = |path: &Path| {
        path.file_name().map_or(String::new(), |name| name.to_string_lossy().to_uppercase())
    };
    paths.retain(|path| path.is_file() && NAMES.iter().any(|start| name(path).starts_with(start)));
    let has_choice = paths.iter().any(|path| name(path).contains("MIT"));
    if has_choice {
        paths.retain(|path| !NOT_TAKEN.iter().any(|other| name(path).contains(other)));
    }
    paths.sort();
    paths.iter().map(|path| fs::read_to_string(path).map_err(told)).collect()
}

/// Lua's own licence, which stands at the end of its header.
fn lua(folder: &Path) -> Result<String, String> {
    let path = folder.join("lua-5.1.5/lua.h");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let lines = text.lines().skip_while(|line| !line.starts_with("* Copyright"));
    let lines = lines.take_while(|line| !line.starts_with("**"));
    let lines: Vec<&str> = lines.map(|line| line.trim_start_matches(['*', ' '])).collect();
    Ok(lines.join("\n"))
}

fn cargo(args: &[&str]) -> Result<String, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo).args(args).current_dir(env!("CARGO_MANIFEST_DIR")).output();
    let output = output.map_err(|error| format!("cannot run cargo: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    String::from_utf8(output.stdout).map_err(|error| format!("cargo: {error}"))
}
