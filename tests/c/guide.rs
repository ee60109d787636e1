//! The project of the guide's chapter on C and C++, built from nothing but the chapter: by CMake where that is installed, else by
//! the compiler.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::installed::{PREFIX, good};

const CHAPTER: &str = include_str!("../../src/guide/16_c_and_cpp.md");

/// The blocks of the chapter that are files, written to a folder.
fn project() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guide-cpp");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let mut names = Vec::new();
    for block in CHAPTER.split("```").skip(1).step_by(2) {
        let text = block.split_once('\n').map_or("", |(_, text)| text);
        let first = text.lines().next().unwrap_or_default();
        let Some(name) = first.strip_prefix("// ").or_else(|| first.strip_prefix("# ")) else { continue };
        fs::write(folder.join(name), text).unwrap();
        names.push(name);
    }
    assert_eq!(names, ["fetch.hpp", "main.cpp", "fetch_test.cpp", "CMakeLists.txt"]);
    folder
}

fn has_cmake() -> bool {
    Command::new("cmake").arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Builds the programs of the project; answers where they are.
fn built(folder: &Path) -> PathBuf {
    let build = folder.join("build");
    if has_cmake() {
        let prefix = format!("-DCMAKE_PREFIX_PATH={}", PREFIX.display());
        good(Command::new("cmake").arg("-S").arg(folder).arg("-B").arg(&build).arg(prefix));
        good(Command::new("cmake").arg("--build").arg(&build));
        return build;
    }
    fs::create_dir_all(&build).unwrap();
    let libraries = PREFIX.join("lib");
    for (program, source, flags) in [
        ("fetch", "main.cpp", &[][..]),
        ("fetch_test", "fetch_test.cpp", &[]),
        ("planted_bug", "fetch_test.cpp", &["-DPLANTED_BUG"]),
    ] {
        let mut compiler = Command::new("c++");
        compiler.args(["-std=c++17", "-Wall", "-Wextra", "-Werror", "-fshort-wchar", "-pthread"]).args(flags);
        for include in ["include", "include/win32"] {
            compiler.arg("-I").arg(PREFIX.join(include));
        }
        compiler.arg(folder.join(source)).arg("-o").arg(build.join(program)).arg("-L").arg(&libraries).arg("-lwinhttp");
        good(compiler.arg(format!("-Wl,-rpath,{}", libraries.display())));
    }
    build
}

#[test]
fn the_project_of_the_chapter() {
    let build = built(&project());
    if has_cmake() {
        good(Command::new("ctest").args(["--output-on-failure", "--test-dir"]).arg(&build));
    } else {
        good(Command::new(build.join("fetch_test")).arg("once"));
        good(&mut Command::new(build.join("fetch_test")));
    }
    let port = super::server::server().to_string();
    let fetched = good(Command::new(build.join("fetch")).arg(&port));
    assert_eq!(String::from_utf8_lossy(&fetched.stdout), "error 0, GET / \n");

    let output = Command::new(build.join("planted_bug")).output().unwrap();
    let report = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{report}");
    assert!(report.contains("\n  W08 error: R1: "), "{report}");
    let again = report.lines().last().and_then(|line| line.strip_prefix("again: ")).unwrap_or_default();
    let (variable, program) = again.split_once(' ').unwrap_or_default();
    let (name, schedule) = variable.split_once('=').unwrap_or_default();
    assert!(Path::new(program).ends_with("planted_bug"), "{report}");
    let replayed = Command::new(program).env(name, schedule).output().unwrap();
    let replayed = String::from_utf8_lossy(&replayed.stderr).into_owned();
    assert!(replayed.contains("the schedule that is replayed fails\n  W08 error: R1: "), "{replayed}");
}
