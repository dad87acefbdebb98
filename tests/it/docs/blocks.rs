//! The code blocks of a page and the marks above them.

/// What an HTML comment on the line above a block says about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mark {
    /// `<!-- not run: REASON -->`
    NotRun(String),
    /// `<!-- file: NAME mode=755 -->`: the block is written to this file, in the folder where the page's commands run.
    File { name: String, mode: u32 },
}

/// One fenced block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    /// The first word behind the fence.
    pub(super) language: String,
    pub(super) text: String,
    /// Of the fence, counted from 1.
    pub(super) line: usize,
    pub(super) mark: Option<Mark>,
}

/// One command of a block: its line in the page, its text, the exit code that it should have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) line: usize,
    pub(super) text: String,
    pub(super) code: i32,
}

pub(super) fn blocks(page: &str) -> Result<Vec<Block>, String> {
    let mut found = Vec::new();
    let mut above = "";
    let mut lines = page.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let Some(info) = line.trim_start().strip_prefix("```") else {
            above = line.trim();
            continue;
        };
        let fence = line.len() - line.trim_start().len();
        let mut text = String::new();
        let mut closed = false;
        for (_, line) in lines.by_ref() {
            if line.trim() == "```" {
                closed = true;
                break;
            }
            let indent = line.len() - line.trim_start().len();
            text.push_str(&line[indent.min(fence)..]);
            text.push('\n');
        }
        let line = index + 1;
        if !closed {
            return Err(format!("{line}: the block has no end"));
        }
        let mark = mark(above).map_err(|error| format!("{index}: {error}"))?;
        let language = info
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .to_owned();
        found.push(Block {
            language,
            text,
            line,
            mark,
        });
        above = "";
    }
    Ok(found)
}

fn mark(above: &str) -> Result<Option<Mark>, String> {
    let Some(comment) = above
        .strip_prefix("<!--")
        .and_then(|rest| rest.strip_suffix("-->"))
    else {
        return Ok(None);
    };
    let comment = comment.trim();
    if let Some(reason) = comment.strip_prefix("not run") {
        let reason = reason.trim_start_matches(':').trim();
        if reason.len() < 10 {
            return Err(format!(
                "a block that is not run says why: `<!-- not run: REASON -->`, not {above:?}"
            ));
        }
        return Ok(Some(Mark::NotRun(reason.to_owned())));
    }
    let Some(file) = comment.strip_prefix("file:") else {
        return Ok(None);
    };
    let mut words = file.split_whitespace();
    let name = words.next().ok_or("a file has a name")?.to_owned();
    if name.starts_with('/') || name.split('/').any(|part| part == "..") {
        return Err(format!("{name} is not below the folder of the page"));
    }
    let mode = match words.next() {
        None => 0o644,
        Some(word) => word
            .strip_prefix("mode=")
            .and_then(|mode| u32::from_str_radix(mode, 8).ok())
            .ok_or_else(|| format!("{word:?} is not a mode"))?,
    };
    Ok(Some(Mark::File { name, mode }))
}

/// The commands of a block. In `console` they begin with `$ ` and the rest is output; in `sh` and `bash` every line is
/// one, and comments are not. A backslash at the end goes on in the next line; `# exits with 3` behind a command says
/// with which code it ends.
pub(super) fn steps(block: &Block) -> Vec<Step> {
    let prompted = block.text.lines().any(|line| line.starts_with("$ "));
    let mut found: Vec<Step> = Vec::new();
    let mut goes_on = false;
    for (index, line) in block.text.lines().enumerate() {
        if goes_on {
            let last = found.last_mut().expect("a line to go on with");
            let rest = line.trim_start_matches("> ").trim();
            last.text = format!("{} {rest}", last.text.trim_end_matches('\\').trim_end());
            goes_on = rest.ends_with('\\');
            continue;
        }
        let command = match line.strip_prefix("$ ") {
            Some(command) => command,
            None if prompted || block.language == "console" => continue,
            None => line,
        };
        let command = command.trim();
        if !command.is_empty() && !command.starts_with('#') {
            found.push(Step {
                line: block.line + index + 1,
                text: command.to_owned(),
                code: 0,
            });
            goes_on = command.ends_with('\\');
        }
    }
    let code = regex::Regex::new(r"#\s*exits? (?:with )?(\d+)").unwrap();
    for step in &mut found {
        if let Some(said) = code.captures(&step.text) {
            step.code = said[1].parse().unwrap();
        }
    }
    found
}

#[test]
fn blocks_and_their_marks_are_read() {
    let page = "# t\n<!-- file: bin/app mode=755 -->\n```sh\n#!/bin/sh\n```\ntext\n```console\n$ adasa list \\\n    --json\n[]\n$ false # exits with 1\n```\n\
                <!-- not run: needs the network -->\n  ```bash\n  curl x\n  ```\n```sh\n# c\nadasa ls   # like list\n```\n";
    let found = blocks(page).unwrap();
    assert_eq!(
        found.iter().map(|b| b.line).collect::<Vec<_>>(),
        [3, 7, 14, 17]
    );
    assert_eq!(
        found[0].mark,
        Some(Mark::File {
            name: "bin/app".into(),
            mode: 0o755
        })
    );
    assert_eq!(
        found[2].mark,
        Some(Mark::NotRun("needs the network".into()))
    );
    assert_eq!(found[2].text, "curl x\n");
    let texts = |block: &Block| {
        steps(block)
            .into_iter()
            .map(|s| (s.line, s.text, s.code))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        texts(&found[1]),
        [
            (8, "adasa list --json".into(), 0),
            (11, "false # exits with 1".into(), 1)
        ]
    );
    assert_eq!(texts(&found[3]), [(19, "adasa ls   # like list".into(), 0)]);
    assert!(blocks("<!-- not run: -->\n```sh\nx\n```\n").is_err());
    assert!(blocks("```sh\nx\n").is_err());
    assert!(blocks("<!-- file: ../x -->\n```sh\n```\n").is_err());
}
