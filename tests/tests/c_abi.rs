//! The C ABI as a compiler sees it: constants, layouts and prototypes of the headers are what was recorded when they were last changed on
//! purpose.
//!
//! `make generate` records it anew, in `ffi-c/abi/x86_64-linux.txt`.
#![cfg(all(target_arch = "x86_64", target_os = "linux"))]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use leveret_tests::header::{HEADERS, functions, statements};
use leveret_tests::tree;

const RECORD: &str = "ffi-c/abi/x86_64-linux.txt";

#[test]
fn the_c_abi_is_what_was_recorded() {
    let now = abi();
    if env::var_os("LEVERET_RECORD_ABI").is_some() {
        fs::create_dir_all(tree::root().join("ffi-c/abi")).expect("the folder can be made");
        fs::write(tree::root().join(RECORD), &now).expect("the record can be written");
        return;
    }
    let recorded = tree::read(RECORD).map(|file| file.text).unwrap_or_default();
    let difference = difference(&recorded, &now);
    assert!(
        difference.is_empty(),
        "the C ABI is not what {RECORD} says:\n{difference}\
         Programs that are compiled already may break on it. If it is meant: what is only added (a function, a constant, a field at the end of \
         a struct that may grow) needs a new minor version; anything else needs another ABI number in ffi-c/build.rs, and with it another \
         soname. Then record it with `make generate`."
    );
}

#[test]
fn a_change_of_the_abi_is_told() {
    let before = "constant MQTT_OK 0\nstruct mqtt_pair 16\n";
    let after = "constant MQTT_OK 1\nstruct mqtt_pair 16\nfunction void mqtt_more(void)\n";
    let told = difference(before, after);
    assert_eq!(
        told,
        "- constant MQTT_OK 0\n+ constant MQTT_OK 1\n+ function void mqtt_more(void)\n"
    );
}

#[test]
fn the_shared_library_exports_the_functions_of_the_headers_and_nothing_else() {
    let library = tree::root().join("target/debug/libleveret.so");
    let library = env::var_os("CARGO_TARGET_DIR").map_or(library, |target| {
        Path::new(&target).join("debug/libleveret.so")
    });
    if !library.exists() {
        println!("SKIPPED: {} was not built", library.display());
        return;
    }
    let symbols = run(Command::new("nm")
        .args(["-D", "--defined-only"])
        .arg(&library));
    let exported: BTreeSet<&str> = symbols
        .lines()
        .filter_map(|line| line.split(' ').nth(2))
        .collect();
    let functions = functions();
    let declared: BTreeSet<&str> = functions
        .iter()
        .map(|function| function.name.as_str())
        .collect();
    assert_eq!(exported, declared);
}

/// All of it, a line for each thing.
fn abi() -> String {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (source, program) = (folder.join("abi.c"), folder.join("abi"));
    fs::write(&source, printer()).expect("the program can be written");
    let compiler = env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    run(Command::new(compiler)
        .args(["-std=c99", "-Wall", "-Werror", "-I"])
        .arg(tree::root().join("include"))
        .arg(&source)
        .arg("-o")
        .arg(&program));
    let mut text = run(&mut Command::new(program));
    let structs = text.matches("\nstruct ").count();
    assert!(
        structs > 10,
        "the headers are read wrongly: {structs} structs"
    );
    for header in HEADERS {
        for prototype in statements(&read(header)) {
            let _ = writeln!(text, "function {prototype}");
        }
    }
    text
}

/// A program in C that prints what only a compiler knows.
fn printer() -> String {
    let mut body = String::new();
    for header in HEADERS {
        let text = read(header);
        for name in constants(&text) {
            let _ = if name.starts_with("MQTT_OPT_") || name.starts_with("MQTT_CONNECT_OPT_") {
                writeln!(
                    body,
                    "    printf(\"constant {name} \\\"%s\\\"\\n\", {name});"
                )
            } else {
                writeln!(
                    body,
                    "    printf(\"constant {name} %lld\\n\", (long long){name});"
                )
            };
        }
        for (name, fields) in structs(&text) {
            let _ = writeln!(
                body,
                "    printf(\"struct {name} %zu\\n\", sizeof({name}));"
            );
            for field in fields {
                let place = format!("offsetof({name}, {field}), sizeof((({name} *)0)->{field})");
                let _ = writeln!(
                    body,
                    "    printf(\"  {field} at %zu size %zu\\n\", {place});"
                );
            }
        }
    }
    format!(
        "#include <leveret_testing.h>\n#include <stdio.h>\n\nint main(void) {{\n{body}    return 0;\n}}\n"
    )
}

/// The macros that are values.
fn constants(header: &str) -> Vec<&str> {
    let defined = header
        .lines()
        .filter_map(|line| line.strip_prefix("#define "));
    let names = defined.filter_map(|rest| rest.split_once(' ').map(|(name, _)| name));
    names
        .filter(|name| name.starts_with("MQTT_") && !name.ends_with("_INIT"))
        .collect()
}

/// The structs and unions with their fields.
fn structs(header: &str) -> Vec<(&str, Vec<&str>)> {
    let mut found = Vec::new();
    let mut fields = None;
    for line in header.lines() {
        if line == "typedef struct {" || line == "typedef union {" {
            fields = Some(Vec::new());
        } else if let Some(name) = line
            .strip_prefix("} ")
            .and_then(|rest| rest.strip_suffix(';'))
        {
            found.extend(fields.take().map(|fields| (name, fields)));
        } else if let (Some(fields), Some(field)) = (&mut fields, line.trim().strip_suffix(';')) {
            let declared = field.split('[').next().unwrap_or(field);
            fields.extend(declared.rsplit([' ', '*']).next());
        }
    }
    found
}

/// The lines that are gone and those that are new.
fn difference(before: &str, after: &str) -> String {
    let mut text = String::new();
    for (sign, lines, others) in [('-', before, after), ('+', after, before)] {
        // A field is told apart by its struct.
        let others: BTreeSet<String> = with_places(others).collect();
        for line in with_places(lines).filter(|line| !others.contains(line)) {
            let _ = writeln!(text, "{sign} {line}");
        }
    }
    text
}

/// The lines, those of fields behind the name of their struct.
fn with_places(text: &str) -> impl Iterator<Item = String> {
    let mut of = "";
    text.lines().map(move |line| match line.strip_prefix("  ") {
        Some(field) => format!("{of}: {field}"),
        None => {
            of = line.split(' ').nth(1).unwrap_or_default();
            line.to_owned()
        }
    })
}

fn read(path: &str) -> String {
    tree::read(path).expect("the headers are there").text
}

fn run(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{command:?}: {}\n{said}",
        output.status
    );
    String::from_utf8(output.stdout).expect("it prints text")
}
