//! Generated files are fresh: headers, modules and documents say what the tables and the sources of the C ABI say.
use cbindgen::{Builder, Config};
use leveret_tests::print::{behaviour, c, markdown, node, python};
use leveret_tests::{generated, tree};

#[test]
fn the_c_header_is_what_the_sources_say() {
    let Some(lib) = tree::read("ffi-c/src/lib.rs") else {
        return;
    };
    let mut config = config();
    config.header = Some(as_c_comment(&lib.text));
    config.include_guard = Some("LEVERET_H".to_owned());
    // Initialisers and short forms are macros, which the sources in Rust cannot hold.
    let macros = tree::read("ffi-c/macros.h").expect("the C ABI has its macros");
    config.after_includes = Some(format!("{}\n{}", c::constants(), macros.text));
    generated::check("include/leveret.h", &header(config, &modules(&lib.text)));
}

#[test]
fn the_c_header_of_the_test_broker_is_what_the_sources_say() {
    let Some(testing) = tree::read("ffi-c/src/testing.rs") else {
        return;
    };
    let mut config = config();
    config.header = Some(as_c_comment(&testing.text));
    config.include_guard = Some("LEVERET_TESTING_H".to_owned());
    config.includes = vec!["leveret.h".to_owned()];
    generated::check(
        "include/leveret_testing.h",
        &header(config, &["testing".to_owned()]),
    );
}

#[test]
fn the_python_modules_are_what_the_tables_say() {
    const PACKAGE: &str = "bindings-python/python/leveret";
    generated::check(&format!("{PACKAGE}/errors.py"), &python::errors());
    generated::check(&format!("{PACKAGE}/_tables.py"), &python::values());
    generated::check(&format!("{PACKAGE}/options.py"), &python::options());
}

#[test]
fn the_node_files_are_what_the_tables_say() {
    generated::check("bindings-node/options.d.ts", &node::options());
    generated::check("bindings-node/tables.d.ts", &node::types());
    generated::check("bindings-node/tables.cjs", &node::values());
}

#[test]
fn the_behaviour_suite_knows_every_row_of_the_tables() {
    generated::check("tests/conformance/rows.txt", &behaviour::rows());
}

#[test]
fn the_readme_has_the_option_tables() {
    let readme = tree::read("README.md").expect("there is a README");
    let fresh =
        markdown::with_options(&readme.text).expect("the README has a place for the option tables");
    generated::check("README.md", &fresh);
}

fn config() -> Config {
    Config::from_file(tree::root().join("ffi-c/cbindgen.toml")).expect("cbindgen.toml is valid")
}

/// The modules of `lib.rs` in their order, which is the order of the header; the test broker has its own.
fn modules(lib: &str) -> Vec<String> {
    let declared = lib.lines().filter_map(|line| {
        let rest = line.strip_prefix("pub ").unwrap_or(line);
        rest.strip_prefix("mod ")?
            .strip_suffix(';')
            .map(str::to_owned)
    });
    declared.filter(|name| name != "testing").collect()
}

fn header(config: Config, modules: &[String]) -> String {
    let mut builder = Builder::new().with_config(config);
    for module in modules {
        builder = builder.with_src(tree::root().join(format!("ffi-c/src/{module}.rs")));
    }
    let mut text = Vec::new();
    builder
        .generate()
        .expect("cbindgen reads the sources of the C ABI")
        .write(&mut text);
    c::compact(&String::from_utf8(text).expect("a header is text"))
}

/// The `//!` lines at the head of a source as one C comment.
fn as_c_comment(source: &str) -> String {
    let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
    let body: Vec<_> = lines.map(|line| format!(" *{line}")).collect();
    assert!(
        !body.iter().any(|line| line.contains("*/")),
        "the head of a source would end the C comment"
    );
    format!("/*\n{}\n */", body.join("\n"))
}
