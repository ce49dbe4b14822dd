//! The tree is tidy: the invariants of the architecture that no compiler holds, each as a test.
use std::fmt::Write as _;

use leveret_tests::source::{code, functions, lines_with_text, lines_with_word, without_tests};
use leveret_tests::tree::{File, files, files_of_kind, read};

/// Folders with the Rust of the library; what is said of locks and clocks is said of these.
const LIBRARY: [&str; 4] = [
    "core",
    "ffi-c/src",
    "bindings-python/src",
    "bindings-node/src",
];
/// The faces of the library in other languages: they convert, and know nothing of the protocol.
const BINDINGS: [&str; 3] = ["ffi-c/src", "bindings-python", "bindings-node"];
/// Where threads meet; the one cell of the process, and what empties it after a fork.
const HANDOFF: [&str; 3] = [
    "core/src/handoff.rs",
    "core/src/runtime.rs",
    "core/sys/src/fork.rs",
];
/// The embedded test broker: a peer with a thread of its own, not a part of the client.
const TEST_BROKER: &str = "core/src/testing";

#[test]
fn every_file_starts_with_a_sentence_that_says_what_it_holds() {
    let opening: [(&str, &[&str]); 8] = [
        ("rs", &["//! "]),
        ("py", &["\"\"\"", "# "]),
        ("pyi", &["\"\"\""]),
        ("mjs", &["// "]),
        ("cjs", &["// "]),
        ("ts", &["// "]),
        ("c", &["/* "]),
        ("sh", &["# "]),
    ];
    let mut found = Findings::default();
    for (kind, openings) in opening {
        for file in files_of_kind("", kind) {
            let mut lines = file.text.lines().skip_while(|line| line.starts_with("#!"));
            let first = lines.next().unwrap_or_default();
            let opens = openings.iter().any(|opening| first.starts_with(opening));
            if !(opens && first.split_whitespace().count() > 3) {
                found.add(
                    &file,
                    1,
                    &format!("begin with a sentence after {}", openings.join(" or ")),
                );
            }
        }
    }
    found.none();
}

#[test]
fn threads_meet_in_the_handoff_alone() {
    let mut found = Findings::default();
    let names = disallowed("disallowed-types");
    for file in library_without(&HANDOFF) {
        let code = without_tests(&code(&file.text));
        for name in &names {
            found.add_all(
                &file,
                lines_with_word(&code, name),
                &format!("{name} belongs in {}", HANDOFF[0]),
            );
        }
    }
    found.none();
}

#[test]
fn the_clock_is_read_in_one_file() {
    let mut found = Findings::default();
    for file in library_without(&["core/src/clock.rs", "core/sys/src/clock.rs"]) {
        let code = without_tests(&code(&file.text));
        for name in ["Instant::now", "SystemTime", "clock_gettime", "UNIX_EPOCH"] {
            found.add_all(
                &file,
                lines_with_text(&code, name),
                &format!("{name} belongs in core/src/clock.rs"),
            );
        }
    }
    found.none();
}

/// The lints that hold the invariants, and that nothing may panic in the protocol crate.
const LISTS_OF_CLIPPY: [&str; 12] = [
    "clippy::disallowed_types",
    "clippy::disallowed_methods",
    "clippy::arithmetic_side_effects",
    "clippy::indexing_slicing",
    "clippy::string_slice",
    "clippy::unwrap_used",
    "clippy::expect_used",
    "clippy::get_unwrap",
    "clippy::panic",
    "clippy::unreachable",
    "clippy::todo",
    "clippy::unimplemented",
];

#[test]
fn the_lists_of_clippy_are_lifted_only_where_the_invariants_say() {
    let lifted = [
        HANDOFF[0],
        HANDOFF[1],
        "core/src/clock.rs",
        "core/src/testing/mod.rs",
        // The protocol crate has lists of its own, of what panics.
        "core/protocol/src/checked.rs",
    ];
    let mut found = Findings::default();
    for file in library_without(&lifted) {
        for list in LISTS_OF_CLIPPY {
            let lines = lines_with_text(&without_tests(&code(&file.text)), list);
            let lifting = lines.into_iter().filter(|&line| {
                !file
                    .text
                    .lines()
                    .nth(line - 1)
                    .is_some_and(|text| text.contains("deny") || text.contains("warn"))
            });
            found.add_all(
                &file,
                lifting.collect(),
                &format!("{list} is lifted only in {}", lifted.join(", ")),
            );
        }
    }
    found.none();
}

#[test]
fn the_library_prints_nothing() {
    let mut found = Findings::default();
    for folder in LIBRARY {
        for file in sources(folder, "rs") {
            let code = without_tests(&code(&file.text));
            for name in ["print!", "println!", "dbg!"] {
                found.add_all(
                    &file,
                    lines_with_text(&code, name),
                    "a library speaks through its host's log",
                );
            }
        }
    }
    found.none();
}

#[test]
fn unsafe_is_confined_to_the_c_door_and_the_system_calls() {
    let mut found = Findings::default();
    for file in files_of_kind("", "rs") {
        let allowed = file.path.starts_with("ffi-c/") || file.path.starts_with("core/sys/");
        if !allowed {
            found.add_all(
                &file,
                lines_with_word(&code(&file.text), "unsafe"),
                "unsafe belongs in ffi-c or core/sys",
            );
        }
    }
    found.none();
}

#[test]
fn crates_without_unsafe_refuse_it() {
    let mut found = Findings::default();
    let refusals = [
        ("core/src/lib.rs", "#![forbid(unsafe_code)]"),
        ("core/protocol/src/lib.rs", "#![forbid(unsafe_code)]"),
        ("bindings-python/src/lib.rs", "#![forbid(unsafe_code)]"),
        ("bindings-node/src/lib.rs", "#![deny(unsafe_code)]"),
    ];
    for (path, refusal) in refusals {
        let Some(file) = read(path) else { continue };
        if !file.text.contains(refusal) {
            found.add(&file, 1, &format!("say {refusal}"));
        }
    }
    found.none();
}

#[test]
fn every_c_function_begins_behind_the_panic_guard() {
    let mut found = Findings::default();
    for file in files_of_kind("ffi-c/src", "rs") {
        for function in functions(&file.text) {
            if function.extern_c && !function.body.starts_with("guard") {
                found.add(
                    &file,
                    function.line,
                    &format!("{} must begin with guard(…", function.name),
                );
            }
        }
    }
    found.none();
}

#[test]
fn files_of_the_core_stay_short() {
    let mut found = Findings::default();
    for file in sources("core", "rs") {
        let most = if file.path == "core/src/driver.rs" {
            250
        } else {
            600
        };
        let lines = file.text.lines().count();
        if lines > most {
            found.add(
                &file,
                most,
                &format!("{lines} lines are more than {most}: split it by subject"),
            );
        }
    }
    found.none();
}

#[test]
fn functions_of_the_core_fit_a_screen() {
    const MOST: usize = 70;
    let mut found = Findings::default();
    for file in sources("core", "rs") {
        for function in functions(&file.text) {
            if function.lines > MOST {
                let why = format!(
                    "{} has {} lines, more than {MOST}",
                    function.name, function.lines
                );
                found.add(&file, function.line, &why);
            }
        }
    }
    found.none();
}

#[test]
fn the_protocol_never_panics_on_purpose() {
    let mut found = Findings::default();
    for file in files_of_kind("core/protocol/src", "rs") {
        let code = without_tests(&code(&file.text));
        for call in [
            ".unwrap()",
            ".expect(",
            "panic!",
            "unreachable!",
            "assert!(",
            "assert_eq!(",
        ] {
            let lines = lines_with_text(&code, call).into_iter().filter(|&line| {
                let text = code.lines().nth(line - 1).unwrap_or_default();
                !text.contains("debug_assert") && !text.trim_start().starts_with("const _")
            });
            found.add_all(
                &file,
                lines.collect(),
                &format!("{call} can panic: return an error or make it impossible"),
            );
        }
    }
    found.none();
}

/// Where a binding shows packets to hooks, by their names and with their packet identifiers.
const SHOWS_PACKETS: [&str; 8] = [
    "bindings-node/hooks.cjs",
    "bindings-node/src/hooks.rs",
    "bindings-python/python/leveret/_hooks.py",
    "bindings-python/src/hooks.rs",
    "bindings-python/typed/program.py",
    "ffi-c/src/hooks.rs",
    "ffi-c/src/layout.rs",
    "ffi-c/src/packet.rs",
];

#[test]
fn bindings_know_nothing_of_the_protocol() {
    // Acknowledging, sending again and numbering are the engine's; a binding that names them has a rule of its own.
    let banned = [
        "packet id",
        "packet_id",
        "packetid",
        "pubrec",
        "pubrel",
        "pubcomp",
        "dup flag",
        "resend(",
        "retransmi",
        "remaining length",
    ];
    let mut found = Findings::default();
    for folder in BINDINGS {
        for kind in ["rs", "py", "mjs", "cjs"] {
            for file in sources(folder, kind) {
                if is_generated(&file) || SHOWS_PACKETS.contains(&file.path.as_str()) {
                    continue;
                }
                let text = if kind == "rs" {
                    code(&file.text)
                } else {
                    file.text.clone()
                };
                let text = text.to_lowercase();
                for word in banned {
                    found.add_all(
                        &file,
                        lines_with_text(&text, word),
                        &format!("\"{word}\" is a matter of core/protocol"),
                    );
                }
            }
        }
    }
    found.none();
}

#[test]
fn bindings_stand_on_the_crate_leveret_alone() {
    let mut found = Findings::default();
    for manifest in [
        "ffi-c/Cargo.toml",
        "bindings-python/Cargo.toml",
        "bindings-node/Cargo.toml",
    ] {
        let Some(file) = read(manifest) else { continue };
        for inner in ["leveret-protocol", "leveret-sys", "tokio"] {
            found.add_all(
                &file,
                lines_with_text(&file.text, inner),
                &format!("{inner} is behind the crate leveret"),
            );
        }
    }
    found.none();
}

#[test]
fn every_file_of_the_core_is_on_a_map() {
    let mut found = Findings::default();
    for crate_folder in ["core/src", "core/protocol/src", "core/sys/src"] {
        for file in sources(crate_folder, "rs") {
            if file.path != format!("{crate_folder}/lib.rs") && !on_a_map(crate_folder, &file.path)
            {
                found.add(
                    &file,
                    1,
                    "has no line in the head of the lib.rs or mod.rs above it",
                );
            }
        }
    }
    found.none();
}

/// Whether the head of a `lib.rs` or `mod.rs` above the file names it by its path from there.
fn on_a_map(crate_folder: &str, path: &str) -> bool {
    let mut folders = path.match_indices('/').map(|(slash, _)| &path[..slash]);
    folders.any(|folder| {
        let name = if folder == crate_folder {
            "lib.rs"
        } else {
            "mod.rs"
        };
        let inside = &path[folder.len() + 1..];
        let map = read(&format!("{folder}/{name}"))
            .map(|file| file.text)
            .unwrap_or_default();
        inside != name
            && map
                .lines()
                .any(|line| line.starts_with("//!") && line.contains(inside))
    })
}

#[test]
fn the_tree_stands_by_itself() {
    // Put together here, so that this file does not hold what it forbids.
    let outside = [["..", "shared"].join("/"), ["", "work", ""].join("/")];
    let mut found = Findings::default();
    for file in files("") {
        for place in &outside {
            found.add_all(
                &file,
                lines_with_text(&file.text, place),
                &format!("{place} is outside the project"),
            );
        }
    }
    found.none();
}

#[test]
fn lock_files_name_no_registry() {
    let mut found = Findings::default();
    for file in files_of_kind("", "json") {
        found.add_all(
            &file,
            lines_with_text(&file.text, "\"resolved\""),
            "make it with omit-lockfile-registry-resolved",
        );
    }
    found.none();
}

/// The last parts of the paths in one of the lists of clippy.toml.
fn disallowed(list: &str) -> Vec<String> {
    let clippy = read("clippy.toml").expect("clippy.toml is there").text;
    let lines = clippy
        .lines()
        .skip_while(|line| !line.starts_with(list))
        .take_while(|line| *line != "]");
    let paths = lines.filter_map(|line| line.split('"').nth(1));
    let names: Vec<_> = paths
        .filter_map(|path| path.rsplit("::").next())
        .map(str::to_owned)
        .collect();
    assert!(!names.is_empty(), "clippy.toml has no {list}");
    names
}

/// The files of one kind below `folder` that are no tests, benches or examples.
fn sources(folder: &str, kind: &str) -> Vec<File> {
    let mut found = files_of_kind(folder, kind);
    found.retain(|file| !is_test(&file.path));
    found
}

/// The Rust sources of the library but for the test broker and `others`.
fn library_without(others: &[&str]) -> Vec<File> {
    let mut found: Vec<_> = LIBRARY
        .iter()
        .flat_map(|folder| sources(folder, "rs"))
        .collect();
    found.retain(|file| {
        !others.contains(&file.path.as_str()) && !file.path.starts_with(TEST_BROKER)
    });
    found
}

/// Generated files repeat the words of the tables they come from; their first lines say so.
fn is_generated(file: &File) -> bool {
    file.text
        .lines()
        .take(5)
        .any(|line| line.contains("make generate"))
}

fn is_test(path: &str) -> bool {
    ["/tests/", "/benches/", "/fuzz/", "/examples/"]
        .iter()
        .any(|part| path.contains(part))
        || path.ends_with("/tests.rs")
}

/// What a rule found: `file:line` and what to do.
#[derive(Default)]
struct Findings(String);

impl Findings {
    fn add(&mut self, file: &File, line: usize, what: &str) {
        writeln!(self.0, "{}:{line}: {what}", file.path).expect("a string takes text");
    }

    fn add_all(&mut self, file: &File, lines: Vec<usize>, what: &str) {
        for line in lines {
            self.add(file, line, what);
        }
    }

    #[track_caller]
    fn none(self) {
        assert!(self.0.is_empty(), "\n{}", self.0);
    }
}
