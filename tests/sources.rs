//! Where the rules come from: each id that a fixture, a test or a comment cites stands in `fixtures/SOURCES.md`, once, with a
//! public source and its trust; what a row of the last table says shows it is there. `fixtures/OPEN.md` says what no fixture
//! shows and what no evidence proves; with `UPDATE=1` in the environment it is written anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// How far a row is to be trusted; the last three prove nothing of Windows.
const TRUST: [&str; 12] = [
    "tested",
    "client CI",
    "measured",
    "documented",
    "header",
    ".NET",
    "client code",
    "report",
    "inference",
    "standard",
    "other implementation",
    "ours",
];
const NO_EVIDENCE: [&str; 3] = ["standard", "other implementation", "ours"];

/// Errors that rows call by their names.
const NAMES: [(&str, &str); 7] = [
    ("87", "ERROR_INVALID_PARAMETER"),
    ("122", "ERROR_INSUFFICIENT_BUFFER"),
    ("4317", "ERROR_INVALID_OPERATION"),
    ("12011", "OPTION_NOT_SETTABLE"),
    ("12017", "OPERATION_CANCELLED"),
    ("12019", "INCORRECT_HANDLE_STATE"),
    ("12150", "HEADER_NOT_FOUND"),
];

/// A row of `SOURCES.md`.
struct Rule {
    what: String,
    source: String,
    trust: Vec<String>,
    /// How this implementation stands to it, and what shows that.
    ours: Option<String>,
}

impl Rule {
    fn proves(&self) -> bool {
        self.trust.iter().any(|trust| !NO_EVIDENCE.contains(&trust.as_str()))
    }

    /// Whether evidence of Windows leaves nothing to ask.
    fn is_settled(&self) -> bool {
        self.proves() && self.settled_by().is_empty()
    }

    /// Whether it tells of this error, by its number or its name.
    fn tells(&self, error: &str) -> bool {
        let name = NAMES.iter().find(|(number, _)| *number == error).map(|(_, name)| *name);
        [&self.what, &self.source].into_iter().any(|text| {
            let numbers = text.split(|c: char| !c.is_ascii_digit());
            numbers.into_iter().any(|number| number == error) || name.is_some_and(|name| text.contains(name))
        })
    }

    /// What would decide it, if anybody knows.
    fn settled_by(&self) -> &str {
        self.source.split_once("settled by: ").map_or("", |(_, how)| how)
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files below a folder with one of these extensions, in order.
fn files(folder: &str, kinds: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() && entry.file_name() != "target" {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kinds.iter().any(|known| kind == *known)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// A path as it is shown: below the package, with `/`.
fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().display().to_string().replace('\\', "/")
}

fn is_id(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.contains(|c: char| c == '.' || c.is_ascii_digit())
        && !text.ends_with('.')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))
}

/// The rows of `SOURCES.md` in their order, and what is wrong with them.
fn rules() -> (Vec<String>, BTreeMap<String, Rule>, Vec<String>) {
    let (mut order, mut rules, mut wrong) = (Vec::new(), BTreeMap::new(), Vec::new());
    let text = fs::read_to_string(root().join("fixtures/SOURCES.md")).unwrap();
    for line in text.lines() {
        let Some(row) = line.strip_prefix("| ").and_then(|row| row.strip_suffix(" |")) else { continue };
        let cells: Vec<_> = row.split(" | ").collect();
        if !is_id(cells[0]) {
            continue;
        }
        let [id, what, source, trust, ref ours @ ..] = cells[..] else {
            wrong.push(format!("{}: a row has at least four cells", cells[0]));
            continue;
        };
        let trust: Vec<_> = trust.split(", ").map(str::to_owned).collect();
        if what.is_empty() || source.is_empty() || trust.iter().any(|word| !TRUST.contains(&word.as_str())) {
            wrong.push(format!("{id}: a cell is empty or its trust unknown: {trust:?}"));
        }
        let rule = Rule {
            what: what.to_owned(),
            source: source.to_owned(),
            trust,
            ours: ours.first().map(|&ours| ours.to_owned()),
        };
        if rules.insert(id.to_owned(), rule).is_some() {
            wrong.push(format!("{id}: two rows"));
        }
        order.push(id.to_owned());
    }
    (order, rules, wrong)
}

/// The ids that a text begins with: `RH4, CK1: why`.
fn leading(text: &str) -> Vec<&str> {
    let end = text.find([':', ';', '(', ')']).unwrap_or(text.len());
    let ids = text[..end].split(", ").map(|id| id.trim_end_matches('.'));
    ids.take_while(|id| is_id(id)).collect()
}

/// The sources of a fixture.
fn sources(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| line.strip_prefix("source: ")).flat_map(|ids| ids.split(", "))
}

/// The text of each fixture, by its name.
fn fixtures() -> BTreeMap<String, String> {
    let name = |path: &Path| shown(path).trim_start_matches("fixtures/").trim_end_matches(".fixture").to_owned();
    let all = files("fixtures", &["fixture"]).into_iter();
    all.map(|path| (name(&path), fs::read_to_string(&path).unwrap())).collect()
}

/// What a fixture cites, in its notes, too.
fn cited_by_fixture(text: &str) -> Vec<&str> {
    let notes = text.lines().filter_map(|line| line.rsplit_once(" # ")).flat_map(|(_, note)| leading(note));
    sources(text).chain(notes).collect()
}

/// The errors that a line of a fixture expects, beside those that say nothing: 0, 6 of a closed handle, 997.
fn errors(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let words: Vec<_> = line.split_whitespace().collect();
    for (at, word) in words.iter().enumerate() {
        let answer = at > 1 && words[at - 2] == "->" && ["FALSE", "NULL", "INVALID"].contains(&words[at - 1]);
        let record = at > 1 && words[at - 2].trim_start_matches(['[', '{']) == "REQUEST_ERROR";
        if answer || record {
            found.extend(word.trim_end_matches([',', ']', '}', ';']).split('|'));
        }
    }
    found.retain(|error| !["0", "6", "997"].contains(error) && error.chars().all(|c| c.is_ascii_digit()));
    found
}

/// A number that no source tells is a guess: it has a row that says so.
#[test]
fn every_error_of_a_fixture_is_told_by_a_row() {
    assert_eq!(errors("    [a REQUEST_ERROR API_READ_DATA 12017]"), ["12017"]);
    assert_eq!(errors("  WinHttpSendRequest req -> FALSE 12029|12007 # T4"), ["12029", "12007"]);
    let (_, rules, mut wrong) = rules();
    for (name, text) in fixtures() {
        let of_all: Vec<_> = sources(&text).collect();
        for line in text.lines() {
            let note = line.rsplit_once(" # ").map_or(vec![], |(_, note)| leading(note));
            let told =
                |error: &str| of_all.iter().chain(&note).any(|id| rules.get(*id).is_some_and(|rule| rule.tells(error)));
            wrong.extend(
                errors(line).into_iter().filter(|error| !told(error)).map(|_| format!("{name}: {}", line.trim())),
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a comment cites: `source RH4`, `sources RH4, CK1`; and a row of a table of cases, whose cell begins so.
fn cited_by_code(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for line in text.lines() {
        let cell = line.split_once("\"source ").and_then(|(_, cell)| Some(cell.split_once('"')?.0));
        let cell = cell.or_else(|| Some(line.split_once("\tsource ")?.1));
        found.extend(cell.map_or(vec![], leading));
        let Some((_, comment)) = line.split_once("//") else { continue };
        for word in ["source ", "sources "] {
            let starts = comment.match_indices(word).filter(|(at, _)| comment[..*at].ends_with([' ', '(']));
            found.extend(starts.flat_map(|(at, _)| leading(&comment[at + word.len()..])));
        }
    }
    found
}

#[test]
fn every_id_that_is_cited_exists() {
    let (_, rules, mut wrong) = rules();
    let fixtures = files("fixtures", &["fixture"]);
    let code = ["src", "tests"].into_iter().flat_map(|folder| files(folder, &["rs", "tsv"]));
    let all = fixtures.into_iter().map(|path| (path, true)).chain(code.map(|path| (path, false)));
    for (path, is_fixture) in all {
        let text = fs::read_to_string(&path).unwrap();
        let cited = if is_fixture { cited_by_fixture(&text) } else { cited_by_code(&text) };
        wrong.extend(
            cited.iter().filter(|id| !rules.contains_key(**id)).map(|id| format!("{}: no rule {id}", shown(&path))),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Sections of papers that nobody outside can read, by number or sign: `(word) 6.3`, `(word) CN3`.
fn unreachable(text: &str) -> Vec<String> {
    let plain = |word: &str| word.trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_owned();
    let section = |word: &str| {
        let digits = word.trim_start_matches(|c: char| c.is_ascii_uppercase());
        let signs = word.len() - digits.len();
        signs <= 2
            && !word.is_empty()
            && digits.chars().all(|c| c.is_ascii_digit() || c == '.')
            && (signs != 1 || !digits.is_empty())
    };
    let cited = |line: &str| {
        let words: Vec<_> = line.split_whitespace().map(plain).collect();
        let pairs = words.windows(2).filter(|pair| {
            ["semantics", "rules", "clients", "evidence"].contains(&pair[0].to_ascii_lowercase().as_str())
                && section(&pair[1])
        });
        pairs.map(|pair| pair.join(" ")).collect::<Vec<_>>()
    };
    text.lines().flat_map(cited).collect()
}

#[test]
fn every_reference_is_an_id() {
    assert_eq!(
        unreachable("as in (semantics 6.3), rules CN3; Rules CN: clients 2.8."),
        ["semantics 6.3", "rules CN3", "Rules CN", "clients 2.8"]
    );
    assert!(unreachable("the rules of TLS, two clients, rules A reader knows; RFC 9110").is_empty());
    let own = root().join(file!());
    let folders = ["src", "tests", "fixtures", "examples", "docs"].into_iter();
    let all = folders.flat_map(|folder| files(folder, &["rs", "md", "tsv", "fixture"])).filter(|path| *path != own);
    let wrong: Vec<_> = all
        .chain(files_of_root())
        .flat_map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            unreachable(&text).into_iter().map(move |found| format!("{}: {found}", shown(&path)))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The pages beside `Cargo.toml`.
fn files_of_root() -> impl Iterator<Item = PathBuf> {
    let all = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path());
    all.filter(|path| path.extension().is_some_and(|kind| kind == "md"))
}

/// What is wrong with a row's last cell: each fixture it names has the row among its sources, each file of tests and each
/// function in it exists, and there is one, unless the row says why not.
fn wrongly_shown(id: &str, ours: &str, fixtures: &BTreeMap<String, String>) -> Vec<String> {
    let folder = |word: &str| word.split_once('/').map(|(folder, _)| folder.to_owned());
    let folders: BTreeSet<_> = fixtures.keys().filter_map(|name| folder(name)).collect();
    let is_function =
        |word: &str| word.contains('_') && !word.contains(|c: char| !matches!(c, 'a'..='z' | '0'..='9' | '_'));
    let (mut wrong, mut found, mut file) = (Vec::new(), 0, String::new());
    for word in ours.split([' ', ',', ';', ':', '(', ')']) {
        if word.ends_with(".rs") || word.ends_with(".tsv") {
            found += 1;
            file = fs::read_to_string(root().join(word)).unwrap_or_default();
            wrong.extend(file.is_empty().then(|| format!("{id}: no file {word}")));
        } else if let Some(text) = fixtures.get(word) {
            found += 1;
            wrong.extend((!sources(text).any(|cited| cited == id)).then(|| format!("{id}: not a source of {word}")));
        } else if folder(word).is_some_and(|folder| folders.contains(&folder)) {
            wrong.push(format!("{id}: no fixture {word}"));
        } else if is_function(word) && !file.contains(&format!("fn {word}(")) {
            wrong.push(format!("{id}: no function {word}"));
        }
    }
    let excused = ["cannot be tried: ", "differs, as ", "as "].iter().any(|excuse| ours.starts_with(excuse));
    wrong.extend((found == 0 && !excused).then(|| format!("{id}: nothing shows it")));
    wrong
}

#[test]
fn what_shows_a_row_is_there() {
    let ((_, rules, mut wrong), fixtures) = (rules(), fixtures());
    for (id, rule) in &rules {
        wrong.extend(rule.ours.iter().flat_map(|ours| wrongly_shown(id, ours, &fixtures)));
    }
    for (name, text) in &fixtures {
        let silent = sources(text).filter(|id| {
            let ours = rules.get(*id).and_then(|rule| rule.ours.as_deref());
            ours.is_some_and(|ours| !ours.split([' ', ',', ';']).any(|word| word == name))
        });
        wrong.extend(silent.map(|id| format!("{id}: does not name {name}, whose source it is")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// `OPEN.md`, made from the corpus.
fn open() -> String {
    let (order, rules, _) = rules();
    let mut shown_by: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut unfounded = String::new();
    for (name, text) in fixtures() {
        let cited: BTreeSet<_> = cited_by_fixture(&text).into_iter().filter(|id| rules.contains_key(*id)).collect();
        let ids: Vec<_> = cited.iter().copied().filter(|id| !rules[*id].is_settled()).collect();
        if !ids.is_empty() {
            let part = if cited.iter().any(|id| rules[*id].proves()) { "part" } else { "all" };
            let how: Vec<_> = ids.iter().map(|id| rules[*id].settled_by()).filter(|how| !how.is_empty()).collect();
            writeln!(unfounded, "| {name} | {part} | {} | {} |", ids.join(", "), how.join("; ")).unwrap();
        }
        for id in cited {
            shown_by.entry(id.to_owned()).or_default().insert(name.clone());
        }
    }
    let mut unproven = String::new();
    for id in order.iter().filter(|id| !rules[*id].is_settled()) {
        let (rule, count) = (&rules[id], shown_by.get(id).map_or(0, BTreeSet::len));
        writeln!(unproven, "| {id} | {} | {count} | {} |", rule.trust.join(", "), rule.settled_by()).unwrap();
    }
    let mut unshown = String::new();
    for trust in TRUST {
        let first = |id: &&String| {
            rules[*id].trust.iter().min_by_key(|word| TRUST.iter().position(|known| known == word)).unwrap() == trust
        };
        let ids: Vec<_> =
            order.iter().filter(|id| !shown_by.contains_key(*id)).filter(first).map(String::as_str).collect();
        if !ids.is_empty() {
            writeln!(unshown, "**{trust}** ({}): {}\n", ids.len(), ids.join(", ")).unwrap();
        }
    }
    format!(
        "# Open\n\nWritten by `UPDATE=1 cargo test --test sources`.\n\n## Fixtures that stand on no evidence of Windows, all of them or a part\n\n\
         | fixture | | rules | what would settle it |\n|---|---|---|---|\n{unfounded}\n## Rules without evidence, or with a question left\n\n\
         | rule | trust | fixtures | what would settle it |\n|---|---|---|---|\n{unproven}\n\
         ## Rules that no fixture cites, by their strongest trust\n\nTests in Rust show many of them; some cannot be shown by a fixture.\n\n{}\n",
        unshown.trim_end()
    )
}

#[test]
fn what_is_open_is_listed() {
    let path = root().join("fixtures/OPEN.md");
    let open = open();
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &open).unwrap();
    }
    let listed = fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    let differs = open.lines().zip(listed.lines()).find(|(new, old)| new != old);
    assert!(open == listed, "OPEN.md is out of date ({differs:?}): UPDATE=1 cargo test --test sources writes it");
}
