//! The libraries and headers as `.ci/install-c` installs them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

/// The features of this test, so that the library is made of what is built already.
fn features() -> String {
    let all = [
        ("net", cfg!(feature = "net")),
        ("ring", cfg!(feature = "ring")),
        ("win32", cfg!(feature = "win32")),
        ("cli", cfg!(feature = "cli")),
        ("lab", cfg!(feature = "lab")),
        ("live", cfg!(feature = "live")),
        ("pac", cfg!(feature = "pac")),
        ("pkcs12", cfg!(feature = "pkcs12")),
    ];
    all.iter().filter(|(_, on)| *on).map(|(name, _)| *name).collect::<Vec<_>>().join(" ")
}

/// Runs a command; panics with what it said if it fails.
pub fn good(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}\n{}",
        output.status,
        said(&output.stdout),
        said(&output.stderr)
    );
    output
}

/// Where they are installed, once for all tests.
pub static PREFIX: LazyLock<PathBuf> = LazyLock::new(|| {
    let prefix = Path::new(env!("CARGO_TARGET_TMPDIR")).join("c");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(".ci/install-c");
    good(Command::new(script).arg("--prefix").arg(&prefix).args(["--profile", "dev", "--features", &features()]));
    prefix
});

#[test]
fn exactly_the_documented_names_are_exported() {
    let library = PREFIX.join("lib/libwinhttp.so");
    let listed = good(Command::new("nm").args(["-D", "--defined-only", "--format=posix"]).arg(&library));
    let listed = String::from_utf8(listed.stdout).unwrap();
    let mut names: Vec<&str> = listed.lines().filter_map(|line| line.split([' ', '@']).next()).collect();
    names.retain(|name| *name != "WINHTTP_0.1");
    names.sort_unstable();
    let mut documented = super::header::exports();
    documented.sort();
    assert_eq!(names, documented);
}

#[test]
fn the_library_says_its_name_and_stays() {
    let dynamic = good(Command::new("readelf").args(["-d", "-W"]).arg(PREFIX.join("lib/libwinhttp.so")));
    let dynamic = String::from_utf8_lossy(&dynamic.stdout).into_owned();
    assert!(dynamic.contains("soname: [libwinhttp.so.0]") && dynamic.contains("NODELETE"), "{dynamic}");
}
