//! A process as it is typed into the form, and the definition it becomes.

use std::path::{Path, PathBuf};

use crate::api::typed;
use crate::config::kept_environment;
use crate::config::program;
use crate::domain::names::ProcessName;
use crate::domain::spec::{Restart, Spec};

/// What is typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Draft {
    /// As in a shell: words, and quotes around what belongs together.
    pub(super) command: String,
    /// Empty is the name of the program.
    pub(super) name: String,
    pub(super) instances: String,
    /// Empty is the folder the dashboard was opened in.
    pub(super) folder: String,
    /// `NAME=VALUE` words.
    pub(super) environment: String,
    pub(super) restart: Restart,
}

impl Default for Draft {
    fn default() -> Self {
        Self {
            command: String::new(),
            name: String::new(),
            instances: "1".into(),
            folder: String::new(),
            environment: String::new(),
            restart: Restart::OnFailure,
        }
    }
}

fn words(text: &str, what: &str) -> Result<Vec<String>, String> {
    shlex::split(text).ok_or_else(|| format!("{what}: a quote is not closed"))
}

impl Draft {
    /// The name it will have.
    pub(super) fn called(&self) -> String {
        match self.name.trim() {
            "" => shlex::split(&self.command)
                .and_then(|words| words.into_iter().next())
                .map_or_else(String::new, |word| program::default_name(&word)),
            name => name.to_owned(),
        }
    }

    /// The same in the shell.
    pub(super) fn twin(&self) -> String {
        let mut parts: Vec<String> = vec!["adasa".into(), "start".into()];
        let quoted = |text: &str| typed([text]);
        let mut command = shlex::split(&self.command).unwrap_or_default().into_iter();
        parts.push(
            command
                .next()
                .map_or_else(|| "…".to_owned(), |word| quoted(&word)),
        );
        let mut flag = |name: &str, value: &str| {
            if !value.trim().is_empty() {
                parts.push(name.to_owned());
                parts.push(quoted(value.trim()));
            }
        };
        flag("--name", &self.name);
        if self.instances.trim() != "1" {
            flag("-i", &self.instances);
        }
        flag("--cwd", &self.folder);
        for pair in shlex::split(&self.environment).unwrap_or_default() {
            flag("-e", &pair);
        }
        if self.restart != Restart::OnFailure {
            flag("--restart", self.restart.word());
        }
        let rest: Vec<String> = command.map(|word| quoted(&word)).collect();
        if !rest.is_empty() {
            parts.push("--".into());
            parts.extend(rest);
        }
        parts.join(" ")
    }

    /// The definition. Looks at files: for a thread that may wait.
    ///
    /// # Errors
    /// What is wrong with it, and what to do.
    pub(super) fn spec(&self, here: &Path) -> Result<Spec, String> {
        let mut command = words(&self.command, "command")?.into_iter();
        let Some(word) = command.next() else {
            return Err("type what is to be run".into());
        };
        let args: Vec<String> = command.collect();
        let env: std::collections::BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let cwd = match self.folder.trim() {
            "" => here.to_owned(),
            folder => here.join(folder),
        };
        let cwd: PathBuf = std::path::absolute(&cwd).unwrap_or(cwd);
        if !cwd.is_dir() {
            return Err(format!("there is no folder {}", cwd.display()));
        }
        let path = env
            .get("PATH")
            .map_or("/usr/local/bin:/usr/bin:/bin", String::as_str);
        let command = program::resolve(&word, &args, here, path)
            .map_err(|error| format!("{}: {}", error.what, error.hint))?;
        let name = self.called();
        let name = ProcessName::new(name.clone())
            .map_err(|why| format!("{name:?} cannot be its name: {why}"))?;
        let mut spec = Spec::new(name, command, cwd);
        spec.base_env = kept_environment(&env).into();
        for pair in words(&self.environment, "env")? {
            let (name, value) = pair
                .split_once('=')
                .filter(|(name, _)| !name.is_empty())
                .ok_or_else(|| format!("env: {pair:?} is not NAME=VALUE"))?;
            spec.env.insert(name.to_owned(), value.to_owned());
        }
        spec.instances = self
            .instances
            .trim()
            .parse()
            .ok()
            .filter(|count| (1..=1000).contains(count))
            .ok_or_else(|| {
                format!(
                    "instances: {:?} is no number from 1 to 1000",
                    self.instances
                )
            })?;
        spec.restart.on = self.restart;
        spec.validate().map_err(|invalid| invalid.to_string())?;
        Ok(spec)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(command: &str) -> Draft {
        Draft {
            command: command.into(),
            ..Draft::default()
        }
    }

    #[test]
    fn a_draft_becomes_a_definition_and_its_twin_says_the_same() {
        let draft = Draft {
            name: "worker".into(),
            instances: "2".into(),
            folder: "/".into(),
            environment: "A=1 'B=two words'".into(),
            restart: Restart::Always,
            ..draft("sh -c 'sleep 1'")
        };
        let spec = draft.spec(Path::new("/tmp")).unwrap();
        assert_eq!(spec.command.program, "sh");
        assert_eq!(spec.command.args, ["-c", "sleep 1"]);
        assert_eq!((spec.instances, spec.restart.on), (2, Restart::Always));
        assert_eq!(spec.env.get("B").map(String::as_str), Some("two words"));
        assert_eq!(
            draft.twin(),
            "adasa start sh --name worker -i 2 --cwd / -e 'A=1' -e 'B=two words' --restart always -- -c 'sleep 1'"
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        let wrong = |draft: Draft| draft.spec(Path::new("/tmp")).unwrap_err();
        assert!(wrong(draft("no-such-program-here")).contains("no program in PATH is called"));
        assert!(wrong(draft("sh 'open")).contains("quote"));
        assert!(
            wrong(Draft {
                folder: "/nowhere".into(),
                ..draft("sh")
            })
            .contains("/nowhere")
        );
        assert!(
            wrong(Draft {
                instances: "0".into(),
                ..draft("sh")
            })
            .contains("1 to 1000")
        );
        assert!(
            wrong(Draft {
                environment: "X".into(),
                ..draft("sh")
            })
            .contains("NAME=VALUE")
        );
        assert!(
            wrong(Draft {
                name: "a b".into(),
                ..draft("sh")
            })
            .contains("cannot be its name")
        );
    }
}
