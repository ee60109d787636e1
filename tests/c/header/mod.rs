//! The generated headers, kept in step with the crate.

mod emit;
pub mod source;
mod spelling;

use std::fs;
use std::path::{Path, PathBuf};

use source::{constants, functions, structures};

#[path = "../../win32_parity/structs.rs"]
mod measured;

fn include() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("include")
}

const PACK: &str = "\n#if defined(__i386__)\n#pragma pack(push, 4)\n#else\n#pragma pack(push, 8)\n#endif\n";
const UNPACK: &str = "\n#pragma pack(pop)\n";

/// Names beside the tables: types, callbacks, and spellings that programs use.
const NAMES: &str = include_str!("names.h");
/// Names beside the structures of certificates.
const CRYPT_NAMES: &str = include_str!("crypt_names.h");
/// Names that need the structures.
const MORE_NAMES: &str = include_str!("more_names.h");

fn winhttp() -> String {
    let mut text = emit::head(
        "WinHTTP: the functions, constants and structures, by Windows' names.",
        "PORTABLE_WINHTTP_WINHTTP_H",
        &["\"portable_winhttp/types.h\"", "\"portable_winhttp/addresses.h\""],
    );
    text.push_str(NAMES);
    text.push_str("\n/* What every program sees of winerror.h. */\n");
    let (windows, winhttp) =
        constants("win32/error.rs").into_iter().partition::<Vec<_>, _>(|c| !c.name.contains("_WINHTTP_"));
    emit::constants(&mut text, "errors of Windows", &windows);
    emit::constants(&mut text, "errors of WinHTTP", &winhttp);
    for file in ["callbacks", "flags", "http", "nulls", "numbers", "options", "com"] {
        emit::constants(&mut text, file, &constants(&format!("win32/constants/{file}.rs")));
    }
    text.push_str(PACK);
    let known = |name: &str| ["GUID", "FILETIME", "SYSTEMTIME", "SOCKADDR_STORAGE"].contains(&name);
    let all: Vec<_> = structures("win32/structs.rs").into_iter().filter(|structure| !known(&structure.name)).collect();
    emit::structures(&mut text, &all);
    text.push_str(UNPACK);
    emit::layouts(&mut text, measured::LAYOUTS);
    text.push('\n');
    text.push_str(MORE_NAMES);
    let functions: Vec<_> = functions("api").into_iter().filter(|function| is_winhttp(&function.name)).collect();
    emit::functions(&mut text, &functions);
    text + emit::tail()
}

fn is_winhttp(name: &str) -> bool {
    name.starts_with("WinHttp") && !name.starts_with("WinHttpLab")
}

fn crypt() -> String {
    let mut text = emit::head(
        "The certificates of wincrypt.h and schannel.h, as far as WinHTTP programs need them.",
        "PORTABLE_WINHTTP_CRYPT_H",
        &["\"portable_winhttp/types.h\""],
    );
    text.push_str(CRYPT_NAMES);
    emit::constants(&mut text, "numbers", &constants("win32/certificates.rs"));
    text.push_str(PACK);
    emit::structures(&mut text, &structures("win32/certificates.rs"));
    text.push_str(UNPACK);
    emit::layouts(&mut text, measured::foreign::rows());
    emit::functions(&mut text, &functions("api/crypt"));
    text + emit::tail()
}

fn kernel() -> String {
    let mut text = emit::head(
        "The functions of kernel32 that are here.",
        "PORTABLE_WINHTTP_KERNEL_H",
        &["\"portable_winhttp/types.h\"", "\"portable_winhttp/kernel_types.h\""],
    );
    emit::functions(&mut text, &functions("api/kernel"));
    text + emit::tail()
}

/// The linker's list: what the shared library exports.
fn map() -> String {
    let mut names: Vec<String> = exports();
    names.sort();
    let list: String = names.iter().map(|name| format!("    {name};\n")).collect();
    format!("WINHTTP_0.1 {{\nglobal:\n{list}local:\n    *;\n}};\n")
}

/// Every function that C programs can call. Those of the connection manager are in the DLL and in no header.
pub fn exports() -> Vec<String> {
    ["api", "lab_api"].into_iter().flat_map(functions).map(|function| function.name).collect()
}

#[test]
fn headers_are_those_of_the_crate() {
    let headers = [
        ("winhttp.h", winhttp()),
        ("portable_winhttp/crypt.h", crypt()),
        ("portable_winhttp/kernel.h", kernel()),
        ("winhttp.map", map()),
    ];
    for (name, text) in headers {
        let path = include().join(name);
        if std::env::var("PORTABLE_WINHTTP_HEADERS").is_ok_and(|how| how == "write") {
            fs::write(&path, &text).unwrap();
        }
        let there = fs::read_to_string(&path).unwrap_or_default();
        let differs = there.lines().zip(text.lines()).find(|(there, made)| there != made);
        assert!(there == text, "include/{name} is not what the source says; first at {differs:?}");
    }
}

#[test]
fn the_lab_has_a_header() {
    let header = fs::read_to_string(include().join("winhttp_lab.h")).unwrap();
    let wrapper = fs::read_to_string(include().join("winhttp_lab.hpp")).unwrap();
    for name in exports().iter().filter(|name| name.starts_with("WinHttpLab")) {
        assert!(header.contains(&format!("{name}(")), "winhttp_lab.h lacks {name}");
        let wrapped = name == "WinHttpLabExplore" || wrapper.contains(&format!("{name}("));
        assert!(wrapped, "winhttp_lab.hpp lacks {name}");
    }
}
