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
/// Numbers become text and come from it in Rust where that is short. The library's loops that a
/// few instructions can make very long count as instructions themselves (`reddle_spend`), and so
/// do bytes that are allocated or that the collector looks at (`reddle_skip`), so that they end
/// where a script must end; a coroutine counts on where its caller was. Of a long string all bytes
/// are hashed, because strings that differ in what is left out would all meet in one chain. The
/// collector begins in time for the bound of the memory, which the allocator's own data begins
/// with, because an allocation cannot wait for it; its estimate of what is in use is not let run
/// below zero, where it would wait for ever.
const CHANGES: [Change; 36] = [
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
        "lgc.c",
        "#define setthreshold(g)  (g->GCthreshold = (g->estimate/100) * g->gcpause)",
        1,
        "#define setthreshold(g)  (g->GCthreshold = reddle_threshold(g))\n\
         static size_t reddle_left (global_State *g) {\n\
         size_t max = ((const size_t *)g->ud)[0];\n\
         if (max == 0) return (size_t)-1 >> 1;\n\
         return max > g->estimate ? max - g->estimate : 0;\n}\n\
         static size_t reddle_threshold (global_State *g) {\n\
         size_t usual, half;\n\
         if (g->estimate > g->totalbytes) g->estimate = g->totalbytes;\n\
         usual = (g->estimate/100) * g->gcpause;\n\
         half = g->estimate + reddle_left(g) / 2;\n\
         return usual < half ? usual : half;\n}",
    ),
    Change(
        "lgc.c",
        "  l_mem lim = (GCSTEPSIZE/100) * g->gcstepmul;",
        1,
        "  size_t left = reddle_left(g);\n\
         l_mem lim = (GCSTEPSIZE/100) * g->gcstepmul;\n\
         if (left > g->estimate / 64 && g->totalbytes > g->estimate + left / 4 * 3) {\n\
         reddle_skip(L, g->totalbytes / 64);\n    luaC_fullgc(L);\n    return;\n  }",
    ),
    Change(
        "lapi.c",
        "LUA_API int lua_gettop (lua_State *L) {",
        1,
        "LUA_API void reddle_spend (lua_State *L, size_t steps);\n\
         LUA_API void reddle_spend (lua_State *L, size_t steps) {\n\
         if (!(L->hookmask & LUA_MASKCOUNT)) return;\n\
         while (steps >= (size_t)L->hookcount) {\n\
         steps -= L->hookcount;\n    resethookcount(L);\n\
         luaD_callhook(L, LUA_HOOKCOUNT, -1);\n  }\n\
         L->hookcount -= cast_int(steps);\n}\n\
         LUA_API int lua_gettop (lua_State *L) {",
    ),
    Change(
        "lstring.c",
        "for (l1=l; l1>=step; l1-=step)  /* compute hash */",
        1,
        "if (l >= 32) h = reddle_hash(L, str, l);\n\
         else for (l1=l; l1>=step; l1-=step)  /* compute hash */",
    ),
    Change(
        "lstring.c",
        "TString *luaS_newlstr (lua_State *L, const char *str, size_t l) {",
        1,
        "static unsigned int reddle_hash (lua_State *L, const char *str, size_t l) {\n\
         unsigned long long word, h = (unsigned long long)(size_t)G(L) ^ l;\n\
         const char *last = str + l - sizeof(word);\n\
         for (; ; str = str + sizeof(word) < last ? str + sizeof(word) : last) {\n\
         memcpy(&word, str, sizeof(word));\n\
         h = (h ^ word) * 0x9e3779b97f4a7c15ull;\n    h ^= h >> 32;\n\
         if (str == last) return (unsigned int)h;\n  }\n}\n\
         TString *luaS_newlstr (lua_State *L, const char *str, size_t l) {",
    ),
    Change(
        "ltable.c",
        "  int i = findindex(L, t, key);  /* find original element */",
        1,
        "  int i = findindex(L, t, key);  /* find original element */\n  int skipped;",
    ),
    Change(
        "ltable.c",
        "  for (i++; i < t->sizearray; i++) {  /* try first array part */",
        1,
        "  for (i++, skipped = 0; i < t->sizearray; i++, skipped++) {",
    ),
    Change(
        "ltable.c",
        "  for (i -= t->sizearray; i < sizenode(t); i++) {  /* then hash part */",
        1,
        "  for (i -= t->sizearray; i < sizenode(t); i++, skipped++) {  /* then hash part */",
    ),
    Change(
        "ltable.c",
        "      setobj2s(L, key+1, &t->array[i]);\n      return 1;",
        1,
        "      setobj2s(L, key+1, &t->array[i]);\n      reddle_skip(L, skipped);\n      return 1;",
    ),
    Change(
        "ltable.c",
        "      setobj2s(L, key+1, gval(gnode(t, i)));\n      return 1;",
        1,
        "      setobj2s(L, key+1, gval(gnode(t, i)));\n      reddle_skip(L, skipped);\n\
         return 1;",
    ),
    Change(
        "ltable.c",
        "  return 0;  /* no more elements */",
        1,
        "  reddle_skip(L, skipped);\n  return 0;  /* no more elements */",
    ),
    Change(
        "lstate.h",
        "#define G(L)\t(L->l_G)",
        1,
        "#define G(L)\t(L->l_G)\n\
         #define reddle_skip(L,n) ((L)->hookcount = \\\n\
         (size_t)(L)->hookcount > (size_t)(n) ? (L)->hookcount - (int)(n) : 1)",
    ),
    Change(
        "lmem.c",
        "  g->totalbytes = (g->totalbytes - osize) + nsize;",
        1,
        "  g->totalbytes = (g->totalbytes - osize) + nsize;\n\
         if (nsize > osize + 1024) reddle_skip(L, (nsize - osize) / 256);",
    ),
    Change(
        "lbaselib.c",
        "  status = lua_resume(co, narg);",
        1,
        "  co->hookcount = L->hookcount;\n  status = lua_resume(co, narg);\n\
         L->hookcount = co->hookcount;",
    ),
    Change(
        "lstrlib.c",
        "  while (n-- > 0)\n    luaL_addlstring(&b, s, l);",
        1,
        "  while (l > 0 && n-- > 0)\n    luaL_addlstring(&b, s, l);",
    ),
    Change(
        "lstrlib.c",
        "static const char *lmemfind (const char *s1, size_t l1,",
        1,
        "static const char *lmemfind (lua_State *L, const char *s1, size_t l1,",
    ),
    Change(
        "lstrlib.c",
        "      if (memcmp(init, s2+1, l2) == 0)",
        1,
        "      reddle_spend(L, 1 + l2 / 64);\n      if (memcmp(init, s2+1, l2) == 0)",
    ),
    Change(
        "lstrlib.c",
        "lmemfind(s+init, l1-init, p, l2)",
        1,
        "lmemfind(L, s+init, l1-init, p, l2)",
    ),
    Change(
        "lstrlib.c",
        "  return NULL;  /* string ends out of balance */",
        1,
        "  reddle_spend(ms->L, (ms->src_end - ms->src_init) / 8);\n\
         return NULL;  /* string ends out of balance */",
    ),
    Change(
        "lstrlib.c",
        "  len = ms->capture[l].len;\n  if (",
        1,
        "  len = ms->capture[l].len;\n  reddle_spend(ms->L, len / 64);\n  if (",
    ),
    Change(
        "ltablib.c",
        "      for (i = e; i > pos; i--) {  /* move up elements */",
        1,
        "      for (i = e; i > pos; i--) {  /* move up elements */\n        reddle_spend(L, 1);",
    ),
    Change(
        "ltablib.c",
        "static int sort_comp (lua_State *L, int a, int b) {",
        1,
        "static int sort_comp (lua_State *L, int a, int b) {\n  reddle_spend(L, 1);",
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
         const char *end;\n  reddle_spend(ms->L, 1);\n\
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
