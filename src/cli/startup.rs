//! startup: a unit for the service manager, so that the daemon begins with the machine or with the user.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::platform::paths::Paths;

use super::args::{Global, Startup};
use super::failure::{Failure, exit};
use super::print;

/// The first line of what we write: another's file is left alone.
const MARK: &str = "# Written by `adasa startup`; written anew by the same command.";

/// What a unit is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Wanted {
    /// A unit of the user's own manager; else of the machine.
    user: bool,
    /// The program.
    binary: String,
    /// `NAME=value`: where its folders are.
    environment: Vec<String>,
}

pub(super) fn startup(global: &Global, asked: &Startup) -> Result<ExitCode, Failure> {
    if !asked.user && !asked.print && !nix::unistd::geteuid().is_root() {
        return Err(Failure::new(
            exit::FAILED,
            "a unit of the machine is root's to write",
        )
        .hint("`adasa startup --user` makes one of your own; `sudo adasa startup` one for root's daemon"));
    }
    let path = place(asked.user)?;
    if asked.remove {
        return remove(global, asked.user, &path);
    }
    let text = unit(&wanted(asked.user)?);
    let next = next(asked.user);
    if !asked.print {
        write(&path, &text)?;
    }
    if global.json {
        print::json(&serde_json::json!({
            "path": path, "written": !asked.print, "unit": text, "next": next,
        }));
    } else if asked.print {
        print::bytes(text.as_bytes());
    } else {
        let mut lines = vec![format!(
            "{} is written; what is left to do:",
            path.display()
        )];
        lines.extend(next.iter().map(|command| format!("  {command}")));
        lines.push("a daemon that runs already must end first: `adasa daemon stop` ends it and its processes".into());
        print::line(&lines.join("\n"));
    }
    Ok(ExitCode::SUCCESS)
}

fn place(user: bool) -> Result<PathBuf, Failure> {
    if !user {
        return Ok(PathBuf::from("/etc/systemd/system/adasa.service"));
    }
    let folder = std::env::var_os("XDG_CONFIG_HOME")
        .filter(|folder| !folder.is_empty())
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".config")));
    folder
        .map(|folder| folder.join("systemd/user/adasa.service"))
        .ok_or_else(|| Failure::new(exit::FAILED, "you have no home folder").hint("set HOME"))
}

fn wanted(user: bool) -> Result<Wanted, Failure> {
    let binary = std::env::current_exe()
        .map_err(|e| Failure::new(exit::FAILED, format!("this program cannot be found: {e}")))?;
    let binary = binary.to_string_lossy().into_owned();
    if binary.ends_with(" (deleted)") {
        return Err(
            Failure::new(exit::FAILED, "this program was replaced while it ran")
                .hint("run the command once more"),
        );
    }
    // The folders must be those of this very command, whatever the service manager sets.
    let mut environment = Vec::new();
    for name in [
        "HOME",
        "ADASA_HOME",
        "XDG_CONFIG_HOME",
        "XDG_STATE_HOME",
        "XDG_DATA_HOME",
    ] {
        let Some(value) = std::env::var_os(name).filter(|value| !value.is_empty()) else {
            continue;
        };
        let value = std::path::absolute(Path::new(&value))
            .map_err(|e| Failure::new(exit::FAILED, format!("{name} is no folder: {e}")))?;
        environment.push(format!("{name}={}", value.display()));
    }
    // Says early what would keep the unit from starting.
    Paths::find().map_err(|error| Failure::new(exit::FAILED, error.to_string()))?;
    Ok(Wanted {
        user,
        binary,
        environment,
    })
}

/// A word as systemd reads it back; see systemd.service(5), "Command lines".
fn quoted(word: &str) -> String {
    let mut out = String::from("\"");
    for c in word.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '%' | '$' => out.extend([c, c]),
            c if c.is_control() => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out + "\""
}

/// The same where variables are not expanded.
fn quoted_value(word: &str) -> String {
    quoted(word).replace("$$", "$")
}

fn unit(wanted: &Wanted) -> String {
    let binary = quoted(&wanted.binary);
    let environment: String = wanted
        .environment
        .iter()
        .map(|pair| format!("Environment={}\n", quoted_value(pair)))
        .collect();
    let (after, target) = if wanted.user {
        ("", "default.target")
    } else {
        ("After=network.target\n", "multi-user.target")
    };
    format!(
        "{MARK}\n\
[Unit]\n\
Description=adasa, a process manager\n\
{after}\
# However often it is killed, it comes back.\n\
StartLimitIntervalSec=0\n\
\n\
[Service]\n\
Type=exec\n\
ExecStart={binary} daemon\n\
ExecReload=/bin/kill -HUP $MAINPID\n\
{environment}\
# The keeper ends its processes itself, in order; those of a keeper that was killed live on, and the next adopts them.\n\
KillMode=process\n\
# Killed, it comes back; an exit code of its own means that it was told to end, or that there is no sense in trying.\n\
Restart=on-abnormal\n\
RestartSec=100ms\n\
# Each process gets a control group of its own below this unit.\n\
Delegate=yes\n\
# One process without memory is no reason to end the others.\n\
OOMPolicy=continue\n\
TasksMax=infinity\n\
TimeoutStopSec=5min\n\
\n\
[Install]\n\
WantedBy={target}\n"
    )
}

fn next(user: bool) -> Vec<String> {
    let flag = if user { " --user" } else { "" };
    let mut next = vec![
        format!("systemctl{flag} daemon-reload"),
        format!("systemctl{flag} enable --now adasa"),
    ];
    if user {
        next.push("loginctl enable-linger".into());
    }
    next
}

fn foreign(path: &Path) -> Result<bool, Failure> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(!text.starts_with(MARK)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(about(path, "read", &error)),
    }
}

fn about(path: &Path, what: &str, error: &std::io::Error) -> Failure {
    Failure::new(
        exit::FAILED,
        format!("{} cannot be {what}: {error}", path.display()),
    )
}

fn refuse_foreign(path: &Path) -> Result<(), Failure> {
    if foreign(path)? {
        return Err(Failure::new(
            exit::FAILED,
            format!("{} was not written by adasa", path.display()),
        )
        .hint("move it away first; `adasa startup --print` shows what would be written"));
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    refuse_foreign(path)?;
    let written = path
        .parent()
        .map_or(Ok(()), std::fs::create_dir_all)
        .and_then(|()| std::fs::write(path, text));
    written.map_err(|error| about(path, "written", &error))
}

fn remove(global: &Global, user: bool, path: &Path) -> Result<ExitCode, Failure> {
    refuse_foreign(path)?;
    match std::fs::remove_file(path) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Failure::new(
                exit::NOT_FOUND,
                format!("there is no {}", path.display()),
            ));
        }
        Err(error) => return Err(about(path, "removed", &error)),
    }
    let flag = if user { " --user" } else { "" };
    let next = [
        format!("systemctl{flag} disable adasa"),
        format!("systemctl{flag} daemon-reload"),
    ];
    if global.json {
        print::json(&serde_json::json!({ "path": path, "removed": true, "next": next }));
    } else {
        let next = next.map(|command| format!("\n  {command}")).concat();
        print::line(&format!(
            "{} is removed; what runs goes on; what is left to do:{next}",
            path.display()
        ));
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_keeps_processes_apart_from_their_keeper() {
        let wanted = Wanted {
            user: false,
            binary: "/opt/my \"100%\" $x/adasa".into(),
            environment: vec!["ADASA_HOME=/srv/a $b".into()],
        };
        let text = unit(&wanted);
        for line in [
            "ExecStart=\"/opt/my \\\"100%%\\\" $$x/adasa\" daemon",
            "Environment=\"ADASA_HOME=/srv/a $b\"",
            "Delegate=yes",
            "KillMode=process",
            "OOMPolicy=continue",
            "Restart=on-abnormal",
            "WantedBy=multi-user.target",
        ] {
            assert!(text.lines().any(|l| l == line), "no {line} in\n{text}");
        }
        let own = unit(&Wanted {
            user: true,
            ..wanted
        });
        assert!(own.ends_with("WantedBy=default.target\n") && !own.contains("After="));
    }
}
