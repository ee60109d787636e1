//! The bodies of the fuzz targets on bounded cases: random bytes, and inputs that begin well with some bytes changed.
//! `FUZZ_CASES` says how many for each body (300).

mod fuzz_bodies;

use fuzz_bodies::BODIES;
use portable_winhttp::lab::Choices;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

#[test]
fn bodies_take_any_bytes() {
    let all: u32 = std::env::var("FUZZ_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(300);
    for body in BODIES {
        let began = std::time::Instant::now();
        body.seeds.iter().for_each(|seed| (body.run)(seed));
        (body.run)(b"");
        let changes = vec((any::<prop::sample::Index>(), 0usize..4, vec(any::<u8>(), 0..6)), 0..6);
        let input = prop_oneof![
            vec(any::<u8>(), 0..600),
            (prop::sample::select(body.seeds), changes).prop_map(|(seed, changes)| changed(seed, changes)),
        ];
        let cases = (all / body.effort).max(10);
        let config = Config { cases, failure_persistence: None, ..Config::default() };
        let outcome = TestRunner::new(config).run(&input, |bytes| {
            (body.run)(&bytes);
            Ok(())
        });
        outcome.unwrap_or_else(|failure| panic!("{}: {failure}", body.name));
        println!("{}: {cases} inputs in {:?}", body.name, began.elapsed());
    }
}

/// The seed, at each place some bytes taken out and others put in.
fn changed(seed: &[u8], changes: Vec<(prop::sample::Index, usize, Vec<u8>)>) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for (place, out, new) in changes {
        let at = place.index(bytes.len() + 1);
        let end = (at + out).min(bytes.len());
        bytes.splice(at..end, new);
    }
    bytes
}

/// What begins well is read: a seed that is refused leaves nearly all of its body untried.
#[test]
fn seeds_of_choices_are_choices() {
    let body = BODIES.iter().find(|body| body.name == "choices").unwrap();
    for seed in body.seeds {
        std::str::from_utf8(seed).unwrap().parse::<Choices>().unwrap();
    }
}

/// Of a schedule only the short form repeats, and all words together stay below a million choices.
#[test]
fn a_schedule_is_no_bomb() {
    let taken = |text: &str| text.parse::<Choices>().map(|choices| choices.len()).ok();
    assert_eq!(taken("n0/1x999999-d0/2"), Some(1_000_000));
    assert_eq!(taken("n0/1x1000000-d0/2"), None);
    assert_eq!(taken("next:main:0/1x1"), Some(1));
    assert_eq!(taken("next:main:0/1x2"), None);
}

/// Each body has a target in `fuzz/`, and there is no other.
#[test]
fn each_body_has_a_target() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    for body in BODIES {
        assert!(folder.join(format!("fuzz_targets/{}.rs", body.name)).exists(), "{}", body.name);
        assert!(manifest.contains(&format!("name = \"{}\"", body.name)), "{}", body.name);
    }
    let targets = std::fs::read_dir(folder.join("fuzz_targets")).unwrap().count();
    // Scripts need an engine.
    assert_eq!(targets, BODIES.len() + usize::from(!cfg!(feature = "pac")));
}
