//! Where the files of the project are, and what they say.
use std::path::{Path, PathBuf};

/// The top of the project.
pub fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("tests/ has a parent").to_owned()
}

/// A text file of the project.
pub struct File {
    /// Its path from the top, with `/` between the parts on every system.
    pub path: String,
    /// All it says.
    pub text: String,
}

/// Reads one file, given from the top; `None` where it is not there.
pub fn read(path: &str) -> Option<File> {
    let text = std::fs::read_to_string(root().join(path)).ok()?;
    Some(File {
        path: path.to_owned(),
        text,
    })
}

/// Every text file below `folder` (from the top; `""` is everything), in order of its path.
///
/// What tools make or fetch is left out: `target`, `node_modules`, hidden folders, caches.
pub fn files(folder: &str) -> Vec<File> {
    let mut found = Vec::new();
    walk(&root().join(folder), &mut found);
    found.sort();
    found
        .iter()
        .filter_map(|path| read(&from_top(path)))
        .collect()
}

/// The files below `folder` whose names end with `.extension`.
pub fn files_of_kind(folder: &str, extension: &str) -> Vec<File> {
    let ending = format!(".{extension}");
    let mut found = files(folder);
    found.retain(|file| file.path.ends_with(&ending));
    found
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        if kind.is_dir() && !skipped(&name) {
            walk(&entry.path(), found);
        } else if kind.is_file() && name != ".git" {
            found.push(entry.path());
        }
    }
}

fn skipped(name: &str) -> bool {
    let fetched = ["target", "node_modules", "build", "dist", "__pycache__"].contains(&name);
    fetched || (name.starts_with('.') && name != ".ci")
}

fn from_top(path: &Path) -> String {
    let inside = path.strip_prefix(root()).unwrap_or(path);
    let parts: Vec<_> = inside.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}
