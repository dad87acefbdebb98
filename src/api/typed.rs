//! Commands as a shell would have to be told them.

use crate::domain::spec::Command;

/// Words as they are typed: each in quotes that needs them, so that an empty one and one with spaces are seen and can
/// be pasted.
#[must_use]
pub(crate) fn typed<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let quoted = words.into_iter().map(|word| {
        // Only a zero byte cannot be quoted, and that is in no argument.
        shlex::try_quote(word).unwrap_or(word.into())
    });
    quoted.collect::<Vec<_>>().join(" ")
}

impl Command {
    /// What is executed, as it would be typed.
    #[must_use]
    pub(crate) fn typed(&self) -> String {
        let args = self.args.iter().map(String::as_str);
        typed(std::iter::once(self.program.as_str()).chain(args))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_would_take_apart_is_in_quotes() {
        let command = Command {
            program: "redis-server".into(),
            args: vec!["--save".into(), String::new(), "a b".into(), "it's".into()],
        };
        assert_eq!(command.typed(), r#"redis-server --save '' 'a b' "it's""#);
        let alone = Command {
            program: "/bin/true".into(),
            args: vec![],
        };
        assert_eq!(alone.typed(), "/bin/true");
    }
}
