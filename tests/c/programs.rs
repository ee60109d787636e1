//! Programs in C and C++, compiled against what is installed, and run; under valgrind where that is installed, and with
//! AddressSanitizer and LeakSanitizer where the compiler has them.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::installed::{PREFIX, good};
use super::server::{secure_server, server};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Link {
    Shared,
    Static,
    /// The program loads the library itself.
    Loaded,
    /// Shared; the program, not the library, is compiled with the sanitizers.
    Sanitized,
}

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/c/programs").join(name)
}

/// The compiler for a source, with the headers.
fn compiler(name: &str, language: &str) -> Command {
    let mut compiler = Command::new(if name.ends_with(".cpp") { "c++" } else { "cc" });
    compiler.args(compiler_arguments(language));
    compiler
}

fn compiler_arguments(language: &str) -> Vec<String> {
    let include = |folder: &str| format!("-I{}", PREFIX.join(folder).display());
    let words = ["-Wall", "-Wextra", "-Werror", "-g", "-pthread"].map(str::to_owned);
    let language = format!("-std={language}");
    words.into_iter().chain([language, include("include"), include("include/win32")]).collect()
}

/// The programs that use std::wstring.
const PRELUDED: [&str; 1] = ["wide.cpp"];

/// Compiled with what distributions compile with.
const FORTIFIED: [(&str, &str); 3] = [("wide.cpp", "gnu++17"), ("wide.cpp", "gnu++20"), ("kernel.c", "gnu17")];

/// Compiles and links a program.
fn built(name: &str, language: &str, link: Link) -> PathBuf {
    let way = match link {
        Link::Shared => "shared",
        Link::Static => "static",
        Link::Loaded => "loaded",
        Link::Sanitized => "sanitized",
    };
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.{language}.{way}"));
    let mut compiler = compiler(name, language);
    compiler.arg("-fshort-wchar");
    if PRELUDED.contains(&name) {
        compiler.args(["-include", "portable_winhttp/wchar16.h"]);
    }
    if FORTIFIED.contains(&(name, language)) {
        compiler.args(["-O2", "-D_FORTIFY_SOURCE=2"]);
    }
    compiler.arg(source(name)).arg("-o").arg(&program);
    let libraries = PREFIX.join("lib");
    match link {
        Link::Static => compiler.arg(libraries.join("libwinhttp.a")).args(["-ldl", "-lm"]),
        Link::Loaded => compiler.arg("-ldl"),
        Link::Shared | Link::Sanitized => {
            if link == Link::Sanitized {
                compiler.args(SANITIZERS);
            }
            compiler.arg("-L").arg(&libraries).arg("-lwinhttp").arg(format!("-Wl,-rpath,{}", libraries.display()))
        }
    };
    good(&mut compiler);
    program
}

const SANITIZERS: [&str; 2] = ["-fsanitize=address", "-fno-omit-frame-pointer"];

/// Whether the compiler has them: it links an empty program.
fn sanitizes() -> bool {
    let empty = Path::new(env!("CARGO_TARGET_TMPDIR")).join("empty.c");
    std::fs::write(&empty, "int main(void) { return 0; }\n").unwrap();
    let mut compiler = Command::new("cc");
    compiler.args(SANITIZERS).arg(&empty).arg("-o").arg(empty.with_extension("exe"));
    compiler.output().is_ok_and(|output| output.status.success())
}

/// Runs it, and then under valgrind if `checked`: no error and no block that is definitely lost.
fn run(program: &Path, arguments: &[&str], checked: bool) {
    good(Command::new(program).args(arguments));
    if checked && Command::new("valgrind").arg("--version").output().is_ok() {
        let options = ["--quiet", "--error-exitcode=9", "--leak-check=full", "--errors-for-leak-kinds=definite"];
        let known = Path::new(env!("CARGO_MANIFEST_DIR")).join(".ci/valgrind.txt");
        let mut valgrind = Command::new("valgrind");
        valgrind
            .args(options)
            .args(["--show-leak-kinds=definite", "--num-callers=40"])
            .arg(format!("--suppressions={}", known.display()));
        good(valgrind.arg(program).args(arguments));
    }
}

#[test]
fn requests_of_the_real_world() {
    let port = server().to_string();
    run(&built("real.c", "c11", Link::Shared), &[&port], true);
    run(&built("real.c", "gnu11", Link::Static), &[&port], false);
}

/// Its authority is trusted for being in a file, so that all of a handshake is looked at.
#[test]
fn requests_over_tls() {
    let (port, authority) = secure_server();
    run(&built("secure.c", "gnu11", Link::Shared), &[&port.to_string(), authority.to_str().unwrap()], true);
}

#[test]
fn sanitizers_find_nothing() {
    if !sanitizes() {
        eprintln!("the C compiler has no sanitizers");
        return;
    }
    run(&built("real.c", "c11", Link::Sanitized), &[&server().to_string()], false);
    run(&built("lab.c", "gnu11", Link::Sanitized), &[], false);
    run(&built("lab.cpp", "c++20", Link::Sanitized), &[], false);
}

#[test]
fn a_library_that_is_unloaded_goes_on() {
    let (library, port) = (PREFIX.join("lib/libwinhttp.so"), server().to_string());
    run(&built("unload.c", "gnu11", Link::Loaded), &[library.to_str().unwrap(), &port], false);
}

#[test]
fn the_lab_from_c() {
    run(&built("lab.c", "c11", Link::Shared), &[], false);
}

#[test]
fn the_lab_from_cpp() {
    for language in ["c++17", "c++20"] {
        run(&built("lab.cpp", language, Link::Shared), &[], false);
    }
}

#[test]
fn wide_strings_of_the_libraries() {
    for language in ["gnu++11", "gnu++17", "gnu++20"] {
        run(&built("wide.cpp", language, Link::Shared), &[], false);
    }
}

/// With libstdc++: the other library is not for it.
#[test]
fn wide_strings_by_clang() {
    let there = |name: &&str| Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success());
    let Some(clang) = ["clang++", "clang++-19", "clang++-14"].into_iter().find(there) else {
        eprintln!("there is no Clang");
        return;
    };
    let compiler = |name: &str, language: &str| {
        let mut compiler = Command::new(clang);
        compiler.args(compiler_arguments(language)).args([
            "-Wno-format",
            "-fshort-wchar",
            "-O1",
            "-include",
            "portable_winhttp/wchar16.h",
        ]);
        compiler.arg(source(name));
        compiler
    };
    let libraries = PREFIX.join("lib");
    for (name, language) in [("wide.cpp", "c++17"), ("wide.cpp", "c++20"), ("late.cpp", "c++11")] {
        let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.{language}.clang"));
        let mut compiler = compiler(name, language);
        compiler.arg("-o").arg(&program).arg("-L").arg(&libraries).arg("-lwinhttp");
        good(compiler.arg(format!("-Wl,-rpath,{}", libraries.display())));
        run(&program, &[], false);
    }
}

#[test]
fn wide_strings_without_the_flag() {
    for language in ["c++11", "gnu++17", "c++20"] {
        run(&built("late.cpp", language, Link::Shared), &[], false);
    }
}

/// What the system's library has with 32 bits does not compile.
#[test]
fn what_would_be_wrong_does_not_compile() {
    let (wide, console, files) = ["wide text of 32 bits", "the wide console", "wide files"].into();
    let rows = [
        ("both", "(void)fgetws(wide, 9, stdin);", wide),
        ("both", "(void)mbtowc(wide, text, 1);", wide),
        ("both", "(void)mbrtowc(wide, text, 1, &state);", wide),
        ("both", "(void)wcsftime(wide, 9, wide, 0);", wide),
        ("both", "(void)swscanf(wide, wide, &number);", wide),
        ("both", "(void)wcsxfrm(wide, wide, 9);", wide),
        ("c++", "std::wcout << wide;", console),
        ("c++", "std::wcerr << wide;", console),
        ("c++", "std::wcin >> number;", console),
        ("c++", "std::wregex expression(wide);", "regex_traits<wchar_t>"),
        ("c++", "std::wofstream file(text);", files),
        ("c++", "std::wifstream file(text);", files),
        ("c++", "std::wstringstream stream; stream >> number;", "numbers out of wide streams"),
        ("c++", "std::wstringstream stream; stream >> real;", "numbers out of wide streams"),
    ];
    for (which, statement, says) in rows {
        for (language, name) in [("c11", "wrong.c"), ("c++17", "wrong.cpp")] {
            let is_cpp = name.ends_with(".cpp");
            if which == "c++" && !is_cpp {
                continue;
            }
            let streams = if is_cpp {
                "#include <fstream>\n#include <iostream>\n#include <regex>\n#include <sstream>\n"
            } else {
                ""
            };
            let program = format!(
                "#include <windows.h>\n{streams}int main(void) {{ wchar_t wide[9] = {{0}}; const char *text = \"\"; mbstate_t \
                 state; int number; double real; (void)wide, (void)text, (void)&state, (void)&number, (void)&real; {statement} }}\n"
            );
            let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
            std::fs::write(&path, program).unwrap();
            let mut compiler = compiler(name, language);
            let output =
                compiler.args(["-fshort-wchar", "-O1", "-c"]).arg(&path).args(["-o", "/dev/null"]).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(!output.status.success() && said.contains(says), "{name}: {statement}: {said}");
        }
    }
}

#[test]
fn headers_in_every_version_of_the_languages() {
    let short = "-fshort-wchar";
    for (language, name, flag) in [
        ("c90", "empty.c", short),
        ("c99", "empty.c", short),
        ("c11", "empty.c", short),
        ("c11", "empty.c", "-DPORTABLE_WINHTTP_CHAR16"),
        ("c++11", "empty.cpp", short),
        ("c++20", "empty.cpp", short),
        ("c++17", "empty.cpp", "-DPORTABLE_WINHTTP_CHAR16"),
    ] {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let headers: String = [
            "SDKDDKVer",
            "WinSock2",
            "windows",
            "winhttp",
            "Wincrypt",
            "strsafe",
            "tchar",
            "VersionHelpers",
            "winhttp_lab",
        ]
        .iter()
        .map(|header| format!("#include <{header}.h>\n"))
        .collect();
        std::fs::write(&path, "#define WINVER 0x0600\n".to_owned() + &headers + "int main(void) { return 0; }\n")
            .unwrap();
        let mut compiler = compiler(name, language);
        good(compiler.args([flag, "-fsyntax-only"]).arg(&path));
    }
}

#[test]
fn the_functions_of_kernel32() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kernel32");
    std::fs::create_dir_all(&folder).unwrap();
    run(&built("kernel.c", "gnu11", Link::Shared), &[folder.to_str().unwrap()], true);
    run(&built("kernel.c", "gnu17", Link::Shared), &[folder.to_str().unwrap()], false);
}

#[test]
fn a_program_with_its_own_last_error_keeps_it() {
    for link in [Link::Shared, Link::Static] {
        run(&built("clash.c", "c11", link), &[], false);
    }
}

#[test]
fn wide_text_of_32_bits_is_refused() {
    for (name, language, says) in [("refused.c", "c11", "-fshort-wchar"), ("refused.cpp", "c++17", "char16_t")] {
        let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::copy(source("refused.c"), &copy).unwrap();
        let output = compiler(name, language).arg("-c").arg(&copy).args(["-o", "/dev/null"]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(says), "{said}");
    }
}
