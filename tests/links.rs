//! Every local link of the documentation leads to a file that is there.

use std::fs;
use std::path::{Path, PathBuf};

/// The Markdown files of these folders, and of the root.
fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders: Vec<PathBuf> = ["src", "docs", "fixtures", "tests"].iter().map(|name| root.join(name)).collect();
    let is_page = |path: &Path| path.extension().is_some_and(|kind| kind == "md");
    let mut pages: Vec<PathBuf> =
        fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).filter(|path| is_page(path)).collect();
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()) {
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if is_page(&path) {
                pages.push(path);
            }
        }
    }
    pages
}

#[test]
fn local_links_lead_somewhere() {
    let pages = pages();
    assert!(pages.iter().any(|page| page.ends_with("README.md")) && pages.len() > 10);
    let mut broken = Vec::new();
    for page in &pages {
        let text = fs::read_to_string(page).unwrap();
        for target in text.split("](").skip(1).filter_map(|behind| behind.split(')').next()) {
            // What rustdoc resolves it checks itself.
            let elsewhere = ["http:", "https:", "mailto:", "#", "crate::", "fn@", "InCall", "AtStage"];
            let file = target.split('#').next().unwrap_or_default();
            if elsewhere.iter().any(|prefix| target.starts_with(prefix)) || file.contains("::") || file.contains(' ') {
                continue;
            }
            if !page.parent().unwrap().join(file).exists() {
                broken.push(format!("{}: {target}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
