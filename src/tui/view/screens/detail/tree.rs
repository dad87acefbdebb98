//! The processes of one run, and where they listen.

use crate::api::{TreeProcess, TreeView};
use crate::logs::safe::harmless;
use crate::tui::model::Model;
use crate::tui::screens::detail::DetailScreen;
use crate::tui::theme::{Glyphs, Role};
use crate::tui::view::canvas::cells;
use crate::tui::view::figures::{percent, short_bytes};

use super::{Line, unknown};

/// So many processes are shown of a tree that stands among other things.
const SHORT: usize = 6;
/// Deeper ones stand where this depth does.
const DEEP: u32 = 12;
/// The columns of memory and processor.
const NUMBERS: u16 = 14;

/// The processes of the run that is shown; none when they are of another.
fn told<'a>(model: &Model, it: &'a DetailScreen) -> Option<&'a TreeView> {
    let run = model.rows.get(&it.id).map(|row| row.view.run);
    it.tree.told.as_ref().filter(|tree| Some(tree.run) == run)
}

/// Among other things: nothing of a process that is alone and does not listen.
pub(super) fn short(model: &Model, it: &DetailScreen, width: u16) -> Vec<Line> {
    let Some(tree) = told(model, it) else {
        return Vec::new();
    };
    let room = width.saturating_sub(10);
    let mut texts = Vec::new();
    if tree.processes.len() > 1 {
        let all = processes(tree, model.glyphs, room, SHORT).into_iter();
        texts.extend(all.map(|text| ("tree", text)));
    }
    let all = listeners(tree).into_iter();
    texts.extend(all.map(|text| ("listening", text)));
    let mut before = "";
    let lines = texts.into_iter().map(|(title, text)| {
        let again = std::mem::replace(&mut before, title) == title;
        let title = if again { "" } else { title };
        // Numbers stand in columns: nothing is folded.
        (format!("{title:<10}{text}"), Role::Text)
    });
    lines.collect()
}

/// All of it.
pub(super) fn lines(model: &Model, it: &DetailScreen, width: u16) -> Vec<Line> {
    let mut lines = unknown(&it.tree);
    if told(model, it).is_none() {
        return lines;
    }
    let room = usize::from(width.saturating_sub(NUMBERS));
    let head = format!("{:<room$}{:>7}{:>7}", "processes", "MEM", "CPU");
    lines.push((head, Role::Title));
    lines.extend(column(model, it, width));
    let listening = sockets(model, it);
    if !listening.is_empty() {
        lines.push((String::new(), Role::Text));
        lines.push(("listening".into(), Role::Title));
        lines.extend(listening);
    }
    lines
}

/// Its processes, a line each.
pub(super) fn column(model: &Model, it: &DetailScreen, width: u16) -> Vec<Line> {
    match told(model, it) {
        None => unknown(&it.tree),
        Some(tree) if tree.processes.is_empty() => vec![("nothing runs".into(), Role::Text)],
        Some(tree) => {
            let texts = processes(tree, model.glyphs, width, usize::MAX);
            texts.into_iter().map(|text| (text, Role::Text)).collect()
        }
    }
}

/// Where they listen, a line each.
pub(super) fn sockets(model: &Model, it: &DetailScreen) -> Vec<Line> {
    let texts = told(model, it).map_or_else(Vec::new, listeners);
    texts.into_iter().map(|text| (text, Role::Text)).collect()
}

/// How many processes there are, when that is known.
pub(super) fn count(model: &Model, it: &DetailScreen) -> Option<usize> {
    let tree = told(model, it)?;
    Some(tree.processes.len() + usize::try_from(tree.more).unwrap_or(0))
}

fn listeners(tree: &TreeView) -> Vec<String> {
    let several = tree.processes.len() > 1;
    let all = tree.listening.iter().map(|it| {
        let pid = if several {
            format!("   pid {}", it.pid)
        } else {
            String::new()
        };
        format!("{}{pid}", it.words())
    });
    let mut texts: Vec<String> = all.collect();
    if !tree.complete {
        texts.push("there may be more: not all could be looked at".into());
    }
    texts
}

/// The first so many.
fn processes(tree: &TreeView, glyphs: Glyphs, width: u16, most: usize) -> Vec<String> {
    let shown = tree.processes.len().min(most);
    let left = (tree.processes.len() - shown) + usize::try_from(tree.more).unwrap_or(0);
    let all = tree.processes.iter().take(shown).enumerate();
    let all = all.map(|(n, it)| process(it, &branch(&tree.processes, n, glyphs), glyphs, width));
    let mut texts: Vec<String> = all.collect();
    if left > 0 {
        texts.push(format!("{} {left} more", glyphs.more));
    }
    texts
}

/// What stands before a process: whether others of the same parent follow, and of those above it.
fn branch(all: &[TreeProcess], n: usize, glyphs: Glyphs) -> String {
    let Some(it) = all.get(n).filter(|it| it.depth > 0) else {
        return String::new();
    };
    let follows = |depth: u32| {
        let mut behind = all
            .iter()
            .skip(n + 1)
            .take_while(|other| other.depth >= depth);
        behind.any(|other| other.depth == depth)
    };
    let depth = it.depth.min(DEEP);
    let above = (1..depth).map(|at| if follows(at) { glyphs.gutter } else { ' ' });
    let mut text: String = above.flat_map(|sign| [sign, ' ']).collect();
    text.push(if follows(it.depth) {
        glyphs.branch
    } else {
        glyphs.last
    });
    text.push(' ');
    text
}

fn process(it: &TreeProcess, branch: &str, glyphs: Glyphs, width: u16) -> String {
    let room = width.saturating_sub(NUMBERS);
    let whole = format!("{branch}{} {}", it.pid, harmless(&it.command));
    let mut text = String::new();
    let mut used = 0;
    for c in whole.chars() {
        let one = cells(c.encode_utf8(&mut [0; 4]));
        if used + one >= room {
            text.push(glyphs.more);
            used += 1;
            break;
        }
        text.push(c);
        used += one;
    }
    let blanks = usize::from(room.saturating_sub(used));
    let cpu = it.cpu.map_or_else(|| glyphs.none.to_string(), percent);
    let memory = short_bytes(it.memory);
    format!("{text}{}{memory:>7}{cpu:>7}", " ".repeat(blanks))
}
