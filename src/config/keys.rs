//! Every key of a process: what it takes and what it means. The reference in `docs/config.md` is checked against it.

/// One key.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the reference page is written from all of it")
)]
pub(super) struct KeyDoc {
    /// Its name; `limits.x` inside the table `limits`.
    pub name: &'static str,
    /// What it takes.
    pub takes: &'static str,
    /// What it is when not given.
    pub default: &'static str,
    /// What it means.
    pub means: &'static str,
}

macro_rules! keys {
    ($($name:literal, $takes:literal, $default:literal, $means:literal;)*) => {
        /// All keys of a process, in the order of the documentation.
        pub(super) const KEYS: &[KeyDoc] = &[$(KeyDoc { name: $name, takes: $takes, default: $default, means: $means }),*];
    };
}

keys! {
    "name", "text", "the script's name", "Name of the process: letters, digits, `.`, `_` and `-`.";
    "namespace", "text", "`default`", "Group of processes; the name is unique in it.";
    "script", "text", "required", "What is run: a word with a slash is a file below `cwd`, else a program in `PATH`.";
    "args", "list of texts", "`[]`", "Arguments.";
    "instances", "1 to 1000", "`1`", "How many copies; several are called `name-0`, `name-1` and so on.";
    "cwd", "path", "the file's folder", "Working folder, relative to the file.";
    "env", "table of texts", "`{}`", "Environment of the process. Counts as a change of definition. `NAME = { value = \"…\", secret = true }` is masked wherever it is shown; `secret = false` is shown whole.";
    "inherit_env", "true, false or patterns", "`false`", "What it gets of the environment of whoever reads the file, besides PATH HOME USER SHELL LANG LC_* TZ TMPDIR.";
    "autorestart", "true or false", "`true`", "`true` is `restart = \"on-failure\"`, `false` is `\"never\"`.";
    "restart", "`always`, `on-failure`, `never`", "`on-failure`", "After which ends it is started again.";
    "max_restarts", "number", "`10`", "How many failures without a stable run in between mean `errored`.";
    "restart_delay", "duration", "`1s`", "Wait before the first retry; each further failure multiplies it.";
    "restart_delay_secs", "seconds", "", "The same in seconds.";
    "max_restart_delay", "duration", "`60s`", "The longest wait.";
    "backoff_factor", "number", "`2`", "What each further failure multiplies the wait by.";
    "restart_window", "duration", "none", "Count the failures within this time instead of those since the last stable run.";
    "min_uptime", "duration", "`10s`", "A run that lasts this long is stable: earlier failures are forgotten.";
    "stop_signal", "signal", "`SIGTERM`", "Sent first when it is stopped.";
    "stop_timeout", "duration", "`10s`", "What the whole tree gets before `SIGKILL`.";
    "stop_timeout_secs", "seconds", "", "The same in seconds.";
    "detach_children", "true or false", "`false`", "A run is over when its main process is: what that leaves behind in a process group of its own lives on.";
    "max_memory", "size", "none", "Memory limit of the whole tree.";
    "limit_action", "`log`, `restart`, `stop`", "`restart`", "What is done above the limit; a `restart` counts as a failure.";
    "limits.max_memory", "size", "none", "The same as `max_memory`.";
    "limits.stop_timeout", "duration", "`10s`", "The same as `stop_timeout`.";
    "limits.limit_action", "as above", "`restart`", "The same as `limit_action`.";
    "max_unavailable", "1 to 1000", "`1`", "How many instances a rolling restart may have down at once.";
    "protected", "true or false", "`false`", "What stops, restarts, signals or deletes it asks for its name; on the command line `--force-protected` says so.";
    "tags", "list of texts", "`[]`", "Words that select it: `tag:x`.";
    "log_file", "path", "none", "Both streams into this file, in exact order.";
    "out_file", "path", "`logs/NAMESPACE/NAME/N.out.log`", "Standard output into this file.";
    "err_file", "path", "`logs/NAMESPACE/NAME/N.err.log`", "Standard error into this file.";
    "merge_logs", "true or false", "`false`", "Both streams into the file of standard output.";
    "log_max_size", "size", "`10MiB`", "A log of this size becomes an archive.";
    "log_max_age", "duration", "none", "A log that was begun this long ago becomes an archive.";
    "log_archives", "number", "`5`", "How many archives are kept, per stream.";
    "log_archive_age", "duration", "none", "An archive that was written last so long ago is removed.";
    "log_compress", "true or false", "`true`", "Whether archives are compressed.";
    "on_disk_full", "`drop`, `block`", "`drop`", "Whether output is dropped (counted, and marked in the log's index: `adasa logs` says where and how much) or the process waits when the disk is full.";
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `ADASA_BLESS=1` writes the table anew.
    #[test]
    fn the_documented_keys_of_a_process_are_these() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/config.md");
        let old = std::fs::read_to_string(path).unwrap();
        let (begin, end) = ("<!-- keys: begin -->\n", "<!-- keys: end -->");
        let head = old.split_once(begin).expect("a begin mark").0;
        let tail = old.split_once(end).expect("an end mark").1;
        let mut table =
            String::from("| Key | Takes | Default | Means |\n| --- | --- | --- | --- |\n");
        for key in KEYS {
            let KeyDoc {
                name,
                takes,
                default,
                means,
            } = key;
            table.push_str(&format!("| `{name}` | {takes} | {default} | {means} |\n"));
        }
        let new = format!("{head}{begin}{table}{end}{tail}");
        if std::env::var_os("ADASA_BLESS").is_some() {
            std::fs::write(path, &new).unwrap();
        }
        assert!(
            std::fs::read_to_string(path).unwrap() == new,
            "docs/config.md is stale: run the tests with ADASA_BLESS=1"
        );
    }
}
