//! A Rust file as these rules see it: its code without its words, its place in the tree, and the paths that leave it.

use std::sync::LazyLock;

use regex::Regex;

pub(super) fn re(pattern: &str) -> Regex {
    Regex::new(pattern).unwrap()
}

/// `\x22` is the quote and `\x23` the hash mark, which a raw string cannot hold.
static STRING_OR_COMMENT: LazyLock<Regex> = LazyLock::new(|| {
    re(concat!(
        r"(?s)//[^\n]*",
        r"|\b(?:b|c)?r\x23\x23\x22.*?\x22\x23\x23|\b(?:b|c)?r\x23\x22.*?\x22\x23|\b(?:b|c)?r\x22[^\x22]*\x22",
        r"|\x22(?:\\.|[^\x22\\])*\x22",
        // A character; a lifetime has no second quote.
        r"|'(?:\\(?:u\{[0-9a-fA-F_]+\}|x[0-9a-fA-F]{2}|.)|[^'\\\n])'",
    ))
});

/// Rust text without what its comments, strings and characters say. Lines stay where they are.
pub(super) fn code_of(text: &str) -> String {
    let text = without_block_comments(text);
    STRING_OR_COMMENT
        .replace_all(&text, |found: &regex::Captures<'_>| {
            let lines = "\n".repeat(found[0].matches('\n').count());
            if found[0].starts_with("//") {
                lines
            } else {
                format!("\"\"{lines}")
            }
        })
        .into_owned()
}

/// Block comments nest, which no regular expression follows; they are rare enough to be looked for line by line.
pub(super) fn without_block_comments(text: &str) -> String {
    let mut depth = 0_usize;
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let opens = line.trim_start().starts_with("/*");
        if depth > 0 || opens {
            depth += line.matches("/*").count();
            depth = depth.saturating_sub(line.matches("*/").count());
            out.push('\n');
        } else {
            out.push_str(line);
        }
    }
    out
}

pub(super) struct Source {
    /// Relative to the package, with slashes.
    pub(super) path: String,
    pub(super) lines: usize,
    pub(super) code: String,
}

impl Source {
    pub(super) fn is_tests_file(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path.contains("/tests/")
    }

    /// What is compiled for tests only: the whole of a tests file, else what follows the first `#[cfg(test)]` module.
    pub(super) fn test_code(&self) -> &str {
        static INLINE: LazyLock<Regex> = LazyLock::new(|| re(r"#\[cfg\(test\)\]\s*mod\s+\w+\s*\{"));
        if self.path.starts_with("tests/") || self.is_tests_file() {
            return &self.code;
        }
        INLINE
            .find(&self.code)
            .map_or("", |found| &self.code[found.start()..])
    }

    /// What is compiled into the product.
    pub(super) fn product_code(&self) -> &str {
        &self.code[..self.code.len() - self.test_code().len()]
    }

    /// The module path below the crate: `src/daemon/store/mod.rs` is `daemon::store`.
    pub(super) fn module(&self) -> Vec<&str> {
        let path = self.path.trim_start_matches("src/").trim_end_matches(".rs");
        path.split('/')
            .filter(|part| !matches!(*part, "mod" | "lib" | "main"))
            .collect()
    }

    pub(super) fn is_root(&self) -> bool {
        matches!(self.path.as_str(), "src/lib.rs" | "src/main.rs")
    }
}

/// The first names of the paths that begin at the crate's root: `crate::a::b`, `crate::{a, b::c}`, and chains of
/// `super::` that climb that high. Each with the place it was found at.
pub(super) fn edges(source: &Source) -> Vec<(usize, String)> {
    static TOKEN: LazyLock<Regex> = LazyLock::new(|| {
        re(
            r"\bmod\s+\w+\s*\{|[{}]|\bcrate\s*::\s*|\badasa\s*::\s*|(?:\bself\s*::\s*)?(?:\bsuper\s*::\s*)+",
        )
    });
    let code = &source.code;
    let mut inline = Vec::new();
    let mut found = Vec::new();
    for token in TOKEN.find_iter(code) {
        let text = token.as_str();
        let reaches_root = match text.as_bytes()[0] {
            b'm' => {
                inline.push(true);
                false
            }
            b'{' => {
                inline.push(false);
                false
            }
            b'}' => {
                inline.pop();
                false
            }
            b'c' => true,
            b'a' => source.path == "src/main.rs",
            _ => {
                text.matches("super").count()
                    == source.module().len() + inline.iter().filter(|i| **i).count()
            }
        };
        if reaches_root {
            found.extend(
                first_names(&code[token.end()..])
                    .into_iter()
                    .map(|name| (token.start(), name)),
            );
        }
    }
    found
}

/// `a::b;` is `a`; `{a::{b, c}, d}` is `a` and `d`. A name without `::` after it is an item of the root, not a module,
/// unless it stands in a group.
pub(super) fn first_names(tail: &str) -> Vec<String> {
    let word = re(r"^\s*([A-Za-z_]\w*)");
    let take = |text: &str| word.captures(text).map(|c| c[1].to_owned());
    let Some(group) = tail.strip_prefix('{') else {
        return take(tail).into_iter().collect();
    };
    let mut depth = 1;
    let mut at_start = true;
    let mut names = Vec::new();
    for (index, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => at_start = true,
            c if !c.is_whitespace() && depth == 1 && at_start => {
                names.extend(take(&group[index..]));
                at_start = false;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    names
}

#[test]
fn these_rules_see_code_and_not_words() {
    let text = "let a = \"unsafe { todo!() }\"; // unsafe\nlet c = '\"'; let l: &'a str = r#\"crate::x \"q\" \"#;\n/* unsafe\n */\nend();";
    let code = code_of(text);
    assert!(
        !code.contains("unsafe") && !code.contains("crate") && code.contains("end()"),
        "{code}"
    );
    assert_eq!(code.matches('\n').count(), text.matches('\n').count());
    let source = Source {
        path: "src/tui/view/table.rs".into(),
        lines: 0,
        code: "use crate::{api::{x, y}, client};\nuse super::super::super::daemon;\nuse super::super::keymap;\n\
               mod tests { use super::super::super::super::server::z; use super::super::super::model; }\n\
               fn f() { crate::domain::g() }"
            .into(),
    };
    let to: Vec<String> = edges(&source).into_iter().map(|(_, name)| name).collect();
    assert_eq!(to, ["api", "client", "daemon", "server", "domain"]);
}
