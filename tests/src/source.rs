//! Rust source as the tidy tests read it: code without comments and literals, functions with their extent.

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The line of its `fn`, from 1.
    pub line: usize,
    /// How many lines it takes from `fn` to its last brace.
    pub lines: usize,
    /// Whether it is declared `extern "C"`.
    pub extern_c: bool,
    /// The code between its braces, without comments and literals, trimmed.
    pub body: String,
}

/// The source with comments and the insides of literals blanked, line for line.
pub fn code(source: &str) -> String {
    let mut scan = Scan {
        rest: source,
        out: String::with_capacity(source.len()),
    };
    while let Some(length) = scan.blank_length() {
        scan.pass(length);
    }
    scan.out
}

/// Code (from [`code`]) with the modules under `#[cfg(test)]` blanked, line for line.
pub fn without_tests(code: &str) -> String {
    let mut out = code.to_owned();
    while let Some(start) = out.find("#[cfg(test)]") {
        let end = end_of_item(&out, start);
        let blank = blanked(&out[start..end]);
        out.replace_range(start..end, &blank);
    }
    out
}

/// The lines, from 1, on which `word` stands as a whole word; a last `*` stands for any ending.
pub fn lines_with_word(code: &str, word: &str) -> Vec<usize> {
    let holds = |line: &str| match word.strip_suffix('*') {
        Some(start) => words(line).any(|found| found.starts_with(start)),
        None => words(line).any(|found| found == word),
    };
    numbered(code)
        .filter(|(_, line)| holds(line))
        .map(|(number, _)| number)
        .collect()
}

/// The lines, from 1, that contain `text`.
pub fn lines_with_text(code: &str, text: &str) -> Vec<usize> {
    numbered(code)
        .filter(|(_, line)| line.contains(text))
        .map(|(number, _)| number)
        .collect()
}

/// The functions with a body, in their order; `source` is the original, for what `code` blanks.
pub fn functions(source: &str) -> Vec<Function> {
    let code = code(source);
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = code[from..].find("fn ").map(|at| from + at) {
        from = at + "fn ".len();
        let starts_word = !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        if let (true, Some(function)) = (starts_word, function_at(&code, source, at)) {
            found.push(function);
        }
    }
    found
}

fn function_at(code: &str, source: &str, at: usize) -> Option<Function> {
    let name: String = words(&code[at..]).nth(1)?.to_owned();
    let open = at + body_or_end(&code[at..])?;
    let close = open + matching_brace(&code[open..])?;
    let line = code[..at].matches('\n').count() + 1;
    let head = source.lines().nth(line - 1)?;
    Some(Function {
        extern_c: head.split("fn ").next()?.contains("extern \"C\""),
        lines: code[at..=close].lines().count(),
        body: code[open + 1..close].trim().to_owned(),
        name,
        line,
    })
}

/// Where the body of the function that starts here opens; `None` if it ends with `;` first.
fn body_or_end(code: &str) -> Option<usize> {
    let mut depth = 0_i32;
    for (at, c) in code.char_indices() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            '{' if depth == 0 => return Some(at),
            ';' if depth == 0 => return None,
            _ if depth < 0 => return None,
            _ => {}
        }
    }
    None
}

/// Where the brace that opens here is closed.
fn matching_brace(code: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c) in code.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return Some(at),
            '}' => depth = depth.checked_sub(1)?,
            _ => {}
        }
    }
    None
}

/// Where the item that starts here (with its attributes) ends.
fn end_of_item(code: &str, start: usize) -> usize {
    let after_attribute = start + code[start..].find(']').unwrap_or(0) + 1;
    match body_or_end(&code[after_attribute..]) {
        Some(open) => {
            let open = after_attribute + open;
            matching_brace(&code[open..]).map_or(code.len(), |close| open + close + 1)
        }
        None => code[after_attribute..]
            .find(';')
            .map_or(code.len(), |end| after_attribute + end + 1),
    }
}

fn numbered(code: &str) -> impl Iterator<Item = (usize, &str)> {
    code.lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
}

/// The same number of lines, nothing on them.
fn blanked(text: &str) -> String {
    text.chars()
        .map(|c| if c == '\n' { '\n' } else { ' ' })
        .collect()
}

/// A walk over source text, token by token as far as comments and literals need it.
struct Scan<'a> {
    rest: &'a str,
    out: String,
}

/// How many bytes come next, and whether they are kept.
enum Length {
    Keep(usize),
    Blank(usize),
}

impl Scan<'_> {
    fn pass(&mut self, length: Length) {
        let (Length::Keep(bytes) | Length::Blank(bytes)) = length;
        let (passed, rest) = self.rest.split_at(bytes);
        match length {
            Length::Keep(_) => self.out.push_str(passed),
            Length::Blank(_) => self.out.push_str(&blanked(passed)),
        }
        self.rest = rest;
    }

    /// What to do with what comes next; `None` at the end.
    fn blank_length(&self) -> Option<Length> {
        let rest = self.rest;
        let first = rest.chars().next()?;
        Some(if rest.starts_with("//") {
            Length::Blank(rest.find('\n').unwrap_or(rest.len()))
        } else if rest.starts_with("/*") {
            Length::Blank(block_comment(rest))
        } else if first == '"' {
            Length::Blank(quoted(rest, '"'))
        } else if first == '\'' {
            char_literal(rest).map_or(Length::Keep(1), Length::Blank)
        } else if first.is_alphabetic() || first == '_' {
            word_or_raw_string(rest)
        } else {
            Length::Keep(first.len_utf8())
        })
    }
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// The length of a literal from its first quote to its last.
fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// The length of a character literal; `None` where the quote begins a lifetime.
fn char_literal(rest: &str) -> Option<usize> {
    let mut after = rest.chars().skip(1);
    let (first, second) = (after.next()?, after.next());
    (first == '\\' || second == Some('\'')).then(|| quoted(rest, '\''))
}

/// An identifier, or a raw string (`r"…"`, `br#"…"#`, …) of which it was the prefix.
fn word_or_raw_string(rest: &str) -> Length {
    let end = rest
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(rest.len());
    let hashes = rest[end..].chars().take_while(|&c| c == '#').count();
    let is_raw = ["r", "br", "cr"].contains(&&rest[..end]) && rest[end + hashes..].starts_with('"');
    if !is_raw {
        return Length::Keep(end);
    }
    let inside = end + hashes + 1;
    let closing = format!("\"{}", "#".repeat(hashes));
    Length::Blank(
        rest[inside..]
            .find(&closing)
            .map_or(rest.len(), |at| inside + at + closing.len()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_not_code() {
        let source = "a // unsafe\nb /* unsafe /* nested */ */ \"unsafe \\\" x\" r#\"unsafe \" \"# 'u' '\\'' &'life c";
        let found = code(source);
        assert!(!found.contains("unsafe"), "{found}");
        assert_eq!(words(&found).collect::<Vec<_>>(), ["a", "b", "life", "c"]);
        assert_eq!(found.lines().count(), 2);
    }

    #[test]
    fn test_modules_can_be_left_out() {
        let found = without_tests(
            "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() { {} }\n}\nfn c() {}\n",
        );
        assert_eq!(lines_with_word(&found, "b"), [0_usize; 0]);
        assert_eq!(lines_with_word(&found, "c"), [6]);
    }

    #[test]
    fn functions_have_their_extent() {
        let found = functions(
            "trait T { fn none(&self); }\npub extern \"C\" fn f(a: fn(u8), b: [u8; 2]) -> u8 {\n    // why\n    guard(|| {})\n}\n",
        );
        let expected = Function {
            name: "f".to_owned(),
            line: 2,
            lines: 4,
            extern_c: true,
            body: "guard(|| {})".to_owned(),
        };
        assert_eq!(found, [expected]);
    }

    #[test]
    fn words_are_whole() {
        assert_eq!(lines_with_word("Mutex\nMutexGuard\nmy_Mutex", "Mutex"), [1]);
        assert_eq!(
            lines_with_word("AtomicU8\nAtomicBool\nNonAtomic", "Atomic*"),
            [1, 2]
        );
    }
}
