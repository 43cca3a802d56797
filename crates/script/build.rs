//! Builds the interpreter: the C source that the crate `lua-src` brings, with a few lines of ours.
//!
//! The source is copied to the output directory and changed there. A change that does not find its
//! place exactly once stops the build, so that another release of the crate cannot drop one.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::{env, fs, panic};

/// The library without what reaches files, processes and other libraries. It is compiled as one
/// unit, so that what the files ask of each other can be put in its place; the order is that in
/// which they do not disturb one another. The system's headers come first: a macro of Lua's has the
/// name of one of their functions.
const FILES: [&str; 24] = [
    "lapi.c",
    "lcode.c",
    "ldebug.c",
    "ldo.c",
    "ldump.c",
    "lfunc.c",
    "lgc.c",
    "llex.c",
    "lmem.c",
    "lobject.c",
    "lopcodes.c",
    "lparser.c",
    "lstate.c",
    "lstring.c",
    "ltable.c",
    "ltm.c",
    "lundump.c",
    "lvm.c",
    "lzio.c",
    "lauxlib.c",
    "lbaselib.c",
    "lmathlib.c",
    "lstrlib.c",
    "ltablib.c",
];

/// One change: the file, what stands there, how often it does, and what takes its place.
struct Change(&'static str, &'static str, usize, &'static str);

/// A table with the highest bit of its flags set cannot be changed; the lower bits are Lua's cache
/// of absent metamethods. A pattern nests at most `MATCH_DEPTH_MAX` deep, as the C stack is finite.
/// Numbers become text and come from it in Rust where that is short.
const CHANGES: [Change; 14] = [
    Change(
        "luaconf.h",
        "#define lua_number2str(s,n)\tsprintf((s), LUA_NUMBER_FMT, (n))",
        1,
        "int reddle_number_text(double number, char *out);\n\
         int reddle_text_number(const char *text, double *number);\n\
         #define lua_number2str(s,n) \\\n\
         (reddle_number_text((n), (s)) ? 0 : sprintf((s), LUA_NUMBER_FMT, (n)))",
    ),
    Change(
        "lobject.c",
        "  char *endptr;\n  *result = lua_str2number(s, &endptr);",
        1,
        "  char *endptr;\n  if (reddle_text_number(s, result)) return 1;\n  \
         *result = lua_str2number(s, &endptr);",
    ),
    Change("ltable.c", "t->flags = cast_byte(~0);", 1, "t->flags = cast_byte(~READONLY);"),
    Change("lobject.h", "#define sizenode(t)", 1, "#define READONLY 0x80\n#define sizenode(t)"),
    Change(
        "lvm.c",
        "TValue *oldval = luaH_set(L, h, key);",
        1,
        "if (h->flags & READONLY) luaG_runerror(L, \"Attempt to modify a readonly table\");\n\
         TValue *oldval = luaH_set(L, h, key);",
    ),
    Change(
        "lapi.c",
        "setobj2t(L, luaH_set(L, hvalue(t), L->top-2), L->top-1);",
        1,
        "reddle_check_writable(L, hvalue(t));\n\
         setobj2t(L, luaH_set(L, hvalue(t), L->top-2), L->top-1);",
    ),
    Change(
        "lapi.c",
        "setobj2t(L, luaH_setnum(L, hvalue(o), n), L->top-1);",
        1,
        "reddle_check_writable(L, hvalue(o));\n\
         setobj2t(L, luaH_setnum(L, hvalue(o), n), L->top-1);",
    ),
    Change(
        "lapi.c",
        "hvalue(obj)->metatable = mt;",
        1,
        "reddle_check_writable(L, hvalue(obj));\nhvalue(obj)->metatable = mt;",
    ),
    Change(
        "lapi.c",
        "void luaA_pushobject (lua_State *L, const TValue *o) {",
        1,
        "static void reddle_check_writable (lua_State *L, Table *t) {\n\
         if (t->flags & READONLY) luaG_runerror(L, \"Attempt to modify a readonly table\");\n}\n\
         LUA_API void reddle_set_readonly (lua_State *L, int idx, int on);\n\
         LUA_API int reddle_is_readonly (lua_State *L, int idx);\n\
         void luaA_pushobject (lua_State *L, const TValue *o) {",
    ),
    Change(
        "lapi.c",
        "LUA_API void lua_rawset (lua_State *L, int idx) {",
        1,
        "LUA_API void reddle_set_readonly (lua_State *L, int idx, int on) {\n\
         Table *t = hvalue(index2adr(L, idx));\n\
         t->flags = cast_byte(on ? t->flags | READONLY : t->flags & ~READONLY);\n}\n\
         LUA_API int reddle_is_readonly (lua_State *L, int idx) {\n\
         return (hvalue(index2adr(L, idx))->flags & READONLY) != 0;\n}\n\
         LUA_API void lua_rawset (lua_State *L, int idx) {",
    ),
    Change(
        "lstrlib.c",
        "  int level;  /* total number",
        1,
        "  int depth;\n  int level;  /* total number",
    ),
    Change("lstrlib.c", "ms.L = L;", 3, "ms.L = L;\n  ms.depth = 0;"),
    Change(
        "lstrlib.c",
        "static const char *match (MatchState *ms, const char *s, const char *p);",
        1,
        "#define MATCH_DEPTH_MAX 1000\n\
         static const char *match_at (MatchState *ms, const char *s, const char *p);\n\
         static const char *match (MatchState *ms, const char *s, const char *p) {\n\
         const char *end;\n\
         if (ms->depth++ >= MATCH_DEPTH_MAX) luaL_error(ms->L, \"pattern too complex\");\n\
         end = match_at(ms, s, p);\n  ms->depth--;\n  return end;\n}",
    ),
    Change(
        "lstrlib.c",
        "static const char *match (MatchState *ms, const char *s, const char *p) {\n  init:",
        1,
        "static const char *match_at (MatchState *ms, const char *s, const char *p) {\n  init:",
    ),
];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("lua");
    copy(&source(), &out);
    for change in &CHANGES {
        apply(&out, change);
    }
    let files: String = FILES.iter().map(|file| format!("#include \"{file}\"\n")).collect();
    let unit = format!("#include <stdio.h>\n{files}");
    fs::write(out.join("unit.c"), unit).expect("the output directory has room");
    let mut build = cc::Build::new();
    build.include(&out).warnings(false).opt_level(3).force_frame_pointer(false);
    build.define("LUA_USE_ULONGJMP", None).define("luaall_c", None);
    build.file(out.join("unit.c")).compile("reddle_lua");
}

/// Where the crate's source lies. The crate tells nobody, but it panics when it is to build for a
/// target that it does not know, and a panic says where it happened.
fn source() -> PathBuf {
    let place = Arc::new(Mutex::new(None));
    let seen = Arc::clone(&place);
    let hook = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        let file = panic.location().map(|location| PathBuf::from(location.file()));
        *seen.lock().expect("nobody panics while holding it") = file;
    }));
    let build = || lua_src::Build::new().target("none").build(lua_src::Lua51);
    let result = panic::catch_unwind(build);
    panic::set_hook(hook);
    assert!(result.is_err(), "lua-src builds for a target that is none");
    let file = place.lock().expect("nobody panics while holding it").take();
    let file = file.expect("a panic has a place");
    // A copy inside the workspace is named from the workspace's root on.
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let lib = root.join("../..").join(file);
    let source = lib.parent().and_then(Path::parent).map(|root| root.join("lua-5.1.5"));
    source.filter(|source| source.is_dir()).unwrap_or_else(|| panic!("no source beside {lib:?}"))
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("the output directory can be written to");
    for file in fs::read_dir(from).expect("lua-src has the source of 5.1") {
        let file = file.expect("the source can be listed");
        let bytes = fs::read(file.path()).expect("the source can be read");
        fs::write(to.join(file.file_name()), bytes).expect("the output directory has room");
    }
}

fn apply(root: &Path, change: &Change) {
    let Change(file, before, times, after) = change;
    let path = root.join(file);
    let text = fs::read_to_string(&path).expect("the source is text");
    assert_eq!(text.matches(before).count(), *times, "{file}: where is `{before}`?");
    fs::write(&path, text.replace(before, after)).expect("the output directory has room");
}
