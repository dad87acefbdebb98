//! From the tree of a file to definitions.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::domain::names::{Namespace, ProcessName, Tag, instance_label};
use crate::domain::secrecy::Mark;
use crate::domain::spec::{Command, LimitAction, OnDiskFull, Origin, Restart, Spec};

use super::document::{Key, Node, Value, parse};
use super::error::ConfigError;
use super::keys::KEYS;
use super::program;

/// Who reads the file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Caller {
    /// The environment: for `$VAR`, and for what processes inherit.
    pub env: BTreeMap<String, String>,
}

/// What a file says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct File {
    /// Absolute.
    pub path: PathBuf,
    /// In the order of the file.
    pub specs: Vec<Spec>,
}

/// Always inherited by processes of a file; `LC_*` too.
const BASE: [&str; 7] = ["PATH", "HOME", "USER", "SHELL", "LANG", "TZ", "TMPDIR"];
/// Of the terminal and the login that `adasa start` is typed in: of no meaning for what runs on without them.
const DROPPED: [&str; 26] = [
    "_",
    "OLDPWD",
    "PWD",
    "SHLVL",
    "TERM",
    "TERM_PROGRAM",
    "TERM_PROGRAM_VERSION",
    "TERMCAP",
    "COLORTERM",
    "COLUMNS",
    "LINES",
    "LS_COLORS",
    "PS1",
    "PS2",
    "STY",
    "TMUX",
    "TMUX_PANE",
    "WINDOWID",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "MAIL",
    "NO_COLOR",
    "CLICOLOR",
    "ADASA_HOME",
    "INVOCATION_ID",
];

/// What a process of a file has of the environment of whoever reads it.
#[must_use]
pub(super) fn base_environment(env: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    env.iter()
        .filter(|(name, _)| BASE.contains(&name.as_str()) || name.starts_with("LC_"))
        .map(|(n, v)| (n.clone(), v.clone()))
        .collect()
}

/// The environment of whoever types `adasa start`, less what belongs to the terminal and the login.
#[must_use]
pub(crate) fn kept_environment(env: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    env.iter()
        .filter(|(name, _)| {
            !DROPPED.contains(&name.as_str())
                && !name.starts_with("SSH_")
                && !name.starts_with("XDG_SESSION")
        })
        .map(|(n, v)| (n.clone(), v.clone()))
        .collect()
}

/// The one path of a file, wherever it is named from. Links stay: one that is moved on names the same file.
///
/// # Errors
/// When the working folder cannot be found.
pub(crate) fn locate(path: &Path) -> std::io::Result<PathBuf> {
    let absolute = std::path::absolute(path)?;
    let tidy = program::tidy(&absolute);
    let behind_a_link = tidy.components().any(|part| part == Component::ParentDir);
    match absolute.canonicalize() {
        Ok(one) if behind_a_link => Ok(one),
        Ok(_) | Err(_) => Ok(tidy),
    }
}

/// Reads a file.
///
/// # Errors
/// The first mistake, with its place.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "every other kind of error says it best itself"
)]
pub(crate) fn load(path: &Path, caller: &Caller) -> Result<File, ConfigError> {
    let absolute =
        locate(path).map_err(|e| ConfigError::whole(path, format!("cannot be found: {e}")))?;
    let bytes = std::fs::read(&absolute).map_err(|error| {
        let why = match error.kind() {
            std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
            std::io::ErrorKind::IsADirectory => "it is a folder, no file".to_owned(),
            _ => format!("it cannot be read: {error}"),
        };
        ConfigError::whole(path, why)
    })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
        ConfigError::at(path, &text, &(valid..valid), "this is not UTF-8 text")
    })?;
    let tree = parse(path, &text)?;
    let reader = Reader {
        path,
        folder: absolute.parent().unwrap_or(Path::new("/")),
        text: &text,
        caller,
        origin: Origin::File(absolute.clone()),
    };
    Ok(File {
        specs: reader.file(&tree)?,
        path: absolute,
    })
}

pub(super) struct Reader<'a> {
    pub(super) path: &'a Path,
    pub(super) folder: &'a Path,
    pub(super) text: &'a str,
    pub(super) caller: &'a Caller,
    pub(super) origin: Origin,
}

pub(super) type Read<T> = Result<T, ConfigError>;

impl Reader<'_> {
    fn file(&self, tree: &Node) -> Read<Vec<Spec>> {
        let entries = self.table(tree, "the file")?;
        if entries.is_empty() {
            return Err(ConfigError::whole(self.path, "the file defines no process")
                .hint("begin with [[processes]], name and script"));
        }
        let mut found = Vec::new();
        match entries.iter().find(|(key, _)| key.name == "processes") {
            Some((_, list)) => {
                if let Some((key, _)) = entries.iter().find(|(key, _)| key.name != "processes") {
                    return Err(self.unknown(key, &["processes"]));
                }
                for node in self.list(list, "processes")? {
                    found.push((self.process(node)?, self.name_span(node)));
                }
                if found.is_empty() {
                    return Err(self.at(&list.span, "`processes` is empty"));
                }
            }
            // The single-process form: its keys at the top.
            None => found.push((self.process(tree)?, self.name_span(tree))),
        }
        self.distinct(&found)?;
        Ok(found.into_iter().map(|(spec, _)| spec).collect())
    }

    fn distinct(&self, found: &[(Spec, Range<usize>)]) -> Read<()> {
        for (n, (spec, span)) in found.iter().enumerate() {
            for (other, _) in &found[..n] {
                if let Some(file) = spec.shares_log_with(other) {
                    let whose = other.name.as_str();
                    let message = format!("{} is a log of {whose:?} too", file.display());
                    return Err(self.at(span, message));
                }
                if other.namespace != spec.namespace {
                    continue;
                }
                if other.name == spec.name {
                    let message = format!("two processes are called {:?}", spec.name.as_str());
                    return Err(self.at(span, message));
                }
                for (one, two) in [(spec, other), (other, spec)] {
                    let meets =
                        |i| instance_label(&one.name, i, one.instances) == two.name.as_str();
                    if one.instances > 1 && (0..one.instances).any(meets) {
                        let message = format!(
                            "{:?} is the name of an instance of {:?}",
                            two.name.as_str(),
                            one.name.as_str()
                        );
                        return Err(self.at(span, message));
                    }
                }
            }
        }
        Ok(())
    }

    /// Where the name of a process stands; where the process begins when it has none.
    fn name_span(&self, node: &Node) -> Range<usize> {
        let entries = self.table(node, "processes").unwrap_or_default();
        let name = entries.iter().find(|(key, _)| key.name == "name");
        name.map_or_else(|| node.span.clone(), |(_, name)| name.span.clone())
    }

    fn process(&self, node: &Node) -> Read<Spec> {
        let entries = self.table(node, "processes")?;
        let find = |name: &str| {
            entries
                .iter()
                .find(|(key, _)| key.name == name)
                .map(|(_, n)| n)
        };
        let Some(script_node) = find("script") else {
            let error = self.at(&self.name_span(node), "this process has no `script`");
            return Err(match entries.iter().find(|(k, _)| !is_key(&k.name)) {
                Some((key, _)) => {
                    let mut keys = top_keys();
                    keys.insert(0, "processes");
                    self.unknown(key, &keys)
                }
                None => error,
            });
        };
        let cwd = match find("cwd") {
            Some(node) => {
                let cwd = program::tidy(&self.path(node, "cwd", self.folder)?);
                if !cwd.is_dir() {
                    let message = format!("`cwd`: {} is no folder", cwd.display());
                    return Err(self.at(&node.span, message));
                }
                cwd
            }
            None => self.folder.to_owned(),
        };
        let script = self.text(script_node, "script")?;
        let (name, name_node) = match find("name") {
            Some(node) => (self.text(node, "name")?, node),
            None => (program::default_name(&script), script_node),
        };
        let name = ProcessName::new(name.clone())
            .map_err(|e| self.at(&name_node.span, format!("{name:?}: {e}")))?;
        let command = Command {
            program: script.clone(),
            args: Vec::new(),
        };
        let mut spec = Spec::new(name, command, cwd);
        spec.origin = self.origin.clone();
        spec.base_env = base_environment(&self.caller.env).into();
        self.contradictions(entries, find("limits"))?;
        let mut args = Vec::new();
        let mut restart: Option<Restart> = None;
        for (key, node) in entries {
            if key.name == "limits" {
                self.limits(node, &mut spec)?;
            } else {
                self.key(key, node, &mut spec, &mut args, &mut restart)?;
            }
        }
        let path = spec.env.get("PATH").or_else(|| spec.base_env.get("PATH"));
        let path = path.map_or("/usr/local/bin:/usr/bin:/bin", String::as_str);
        spec.command = program::resolve(&script, &args, &spec.cwd, path)
            .map_err(|e| self.at(&script_node.span, e.what).hint(e.hint))?;
        spec.validate().map_err(|invalid| {
            let place = find(invalid.field)
                .or_else(|| {
                    let limits = self.table(find("limits")?, "limits").ok()?;
                    limits
                        .iter()
                        .find(|(k, _)| k.name == invalid.field)
                        .map(|(_, n)| n)
                })
                .map_or(node.span.clone(), |n| n.span.clone());
            self.at(&place, format!("`{}` {}", invalid.field, invalid.why))
        })?;
        Ok(spec)
    }

    fn limits(&self, node: &Node, spec: &mut Spec) -> Read<()> {
        for (key, node) in self.table(node, "limits")? {
            match key.name.as_str() {
                "max_memory" | "stop_timeout" | "limit_action" => {
                    self.key(key, node, spec, &mut Vec::new(), &mut None)?;
                }
                _ => return Err(self.unknown(key, &["max_memory", "stop_timeout", "limit_action"])),
            }
        }
        Ok(())
    }

    fn key(
        &self,
        key: &Key,
        node: &Node,
        spec: &mut Spec,
        args: &mut Vec<String>,
        restart: &mut Option<Restart>,
    ) -> Read<()> {
        let name = key.name.as_str();
        match name {
            "name" | "script" | "cwd" => {}
            "namespace" => {
                let text = self.text(node, name)?;
                spec.namespace = Namespace::new(text.clone())
                    .map_err(|e| self.at(&node.span, format!("{text:?}: {e}")))?;
            }
            "args" => {
                for item in self.list(node, name)? {
                    args.push(self.loose_text(item, name)?);
                }
            }
            "instances" => spec.instances = self.count(node, name)?,
            "env" => {
                for (variable, value) in self.table(node, name)? {
                    if variable.name.is_empty() || variable.name.contains(['=', '\0']) {
                        let message =
                            format!("{:?} cannot be set in an environment", variable.name);
                        return Err(self.at(&variable.span, message));
                    }
                    let (text, mark) = self.variable(variable, value)?;
                    spec.env.insert(variable.name.clone(), text);
                    // Of two tables with the same name the later one counts, as for the value.
                    spec.marks.remove(&variable.name);
                    if mark != Mark::default() {
                        spec.marks.insert(variable.name.clone(), mark);
                    }
                }
            }
            "inherit_env" => self.inherit(node, spec)?,
            "autorestart" => {
                let on = self.truth(node, name)?;
                let policy = if on {
                    Restart::OnFailure
                } else {
                    Restart::Never
                };
                self.set_restart(node, policy, !on, restart)?;
                spec.restart.on = restart.unwrap_or(policy);
            }
            "restart" => {
                let words = [
                    ("always", Restart::Always),
                    ("on-failure", Restart::OnFailure),
                    ("never", Restart::Never),
                ];
                let policy = self.word(node, name, &words)?;
                self.set_restart(node, policy, policy == Restart::Never, restart)?;
                spec.restart.on = policy;
            }
            "max_restarts" => spec.restart.max_restarts = self.count(node, name)?,
            "restart_delay" | "restart_delay_secs" => {
                spec.restart.backoff.initial = self.duration(node, name)?;
            }
            "max_restart_delay" => spec.restart.backoff.cap = self.duration(node, name)?,
            "backoff_factor" => spec.restart.backoff.factor = self.number(node, name)?,
            "restart_window" => spec.restart.window = Some(self.duration(node, name)?),
            "min_uptime" => spec.restart.min_uptime = self.duration(node, name)?,
            "stop_signal" => {
                let text = self.text(node, name)?;
                spec.stop.signal = text.parse().map_err(|why: String| {
                    self.at(&node.span, format!("`{name}`: {why}"))
                        .hint("signals are written as SIGTERM, TERM or 15")
                })?;
            }
            "stop_timeout" | "stop_timeout_secs" => {
                spec.stop.timeout = self.duration(node, name)?
            }
            "max_memory" => spec.limits.max_memory = Some(self.size(node, name)?),
            "limit_action" => {
                let words = [
                    ("log", LimitAction::Log),
                    ("restart", LimitAction::Restart),
                    ("stop", LimitAction::Stop),
                ];
                spec.limits.action = self.word(node, name, &words)?;
            }
            "max_unavailable" => {
                spec.max_unavailable = NonZeroU32::new(self.count(node, name)?)
                    .ok_or_else(|| self.at(&node.span, "`max_unavailable` must be 1 or more"))?;
            }
            "protected" => spec.protected = self.truth(node, name)?,
            "tags" => {
                for item in self.list(node, name)? {
                    let text = self.text(item, name)?;
                    let tag = Tag::new(text.clone())
                        .map_err(|e| self.at(&item.span, format!("{text:?}: {e}")))?;
                    spec.tags.push(tag);
                }
            }
            "log_file" => {
                spec.logs.merge = true;
                spec.logs.out_file = Some(self.log_file(node, name, self.folder)?);
            }
            "out_file" => spec.logs.out_file = Some(self.log_file(node, name, self.folder)?),
            "err_file" => spec.logs.err_file = Some(self.log_file(node, name, self.folder)?),
            "detach_children" => spec.stop.detach_children = self.truth(node, name)?,
            "merge_logs" => spec.logs.merge |= self.truth(node, name)?,
            "log_max_size" => spec.logs.max_size = self.size(node, name)?,
            "log_max_age" => spec.logs.max_age = Some(self.duration(node, name)?),
            "log_archives" => spec.logs.archives = self.count(node, name)?,
            "log_archive_age" => spec.logs.archive_age = Some(self.duration(node, name)?),
            "log_compress" => spec.logs.compress = self.truth(node, name)?,
            "on_disk_full" => {
                let words = [("drop", OnDiskFull::Drop), ("block", OnDiskFull::Block)];
                spec.logs.on_disk_full = self.word(node, name, &words)?;
            }
            _ => return Err(self.unknown(key, &top_keys())),
        }
        Ok(())
    }

    /// `autorestart` and `restart` may stand together only when they agree.
    fn set_restart(
        &self,
        node: &Node,
        policy: Restart,
        never: bool,
        restart: &mut Option<Restart>,
    ) -> Read<()> {
        if let Some(before) = *restart {
            if (before == Restart::Never) != never {
                return Err(self.at(
                    &node.span,
                    "`autorestart` and `restart` contradict each other",
                ));
            }
            return Ok(());
        }
        *restart = Some(policy);
        Ok(())
    }

    fn inherit(&self, node: &Node, spec: &mut Spec) -> Read<()> {
        if let Value::Bool(all) = node.value {
            if all {
                spec.base_env = kept_environment(&self.caller.env).into();
            }
            return Ok(());
        }
        for item in self.list(node, "inherit_env")? {
            let pattern = self.text(item, "inherit_env")?;
            let fits = |name: &str| match pattern.split_once('*') {
                Some((head, tail)) => {
                    name.len() >= head.len() + tail.len()
                        && name.starts_with(head)
                        && name.ends_with(tail)
                }
                None => name == pattern,
            };
            if pattern.matches('*').count() > 1 || pattern.is_empty() {
                return Err(self.at(&item.span, "a pattern has one `*` at most, as AWS_*"));
            }
            for (name, value) in self.caller.env.iter().filter(|(name, _)| fits(name)) {
                Arc::make_mut(&mut spec.base_env).insert(name.clone(), value.clone());
            }
        }
        Ok(())
    }
}

fn top_keys() -> Vec<&'static str> {
    let mut keys: Vec<&str> = KEYS
        .iter()
        .map(|key| key.name)
        .filter(|name| !name.contains('.'))
        .collect();
    keys.push("limits");
    keys
}

fn is_key(name: &str) -> bool {
    top_keys().contains(&name)
}
