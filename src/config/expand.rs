//! `$VAR`, `${VAR}` and `${VAR:-default}` by tokens: `$HOME` inside `$HOMEDIR` is no `$HOME`.

use std::collections::BTreeMap;

/// Why a text could not be expanded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ExpandError {
    /// Not set, and no default given.
    #[error(
        "the variable {0} is not set (`${{{0}:-default}}` gives it a default, `$$` is a dollar sign)"
    )]
    Unset(String),
    /// `${` without its end.
    #[error("`${{` without its `}}`")]
    Unclosed,
    /// `${…}` around what is no name.
    #[error("{0:?} is no name of a variable")]
    BadName(String),
}

fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Replaces variables by what they stand for; what comes out is not looked at again. `$$` is a dollar sign, and a
/// dollar sign before anything else is one too.
pub(super) fn expand(text: &str, env: &BTreeMap<String, String>) -> Result<String, ExpandError> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some(body) = rest.strip_prefix('{') {
            let end = body.find('}').ok_or(ExpandError::Unclosed)?;
            let (name, default) = match body[..end].split_once(":-") {
                Some((name, default)) => (name, Some(default)),
                None => (&body[..end], None),
            };
            if !is_name(name) {
                return Err(ExpandError::BadName(name.to_owned()));
            }
            let value = env.get(name).filter(|v| default.is_none() || !v.is_empty());
            match (value, default) {
                (Some(value), _) => out.push_str(value),
                (None, Some(default)) => out.push_str(default),
                (None, None) => return Err(ExpandError::Unset(name.to_owned())),
            }
            rest = &body[end + 1..];
        } else {
            let end = rest
                .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                .unwrap_or(rest.len());
            let name = &rest[..end];
            if is_name(name) {
                let value = env
                    .get(name)
                    .ok_or_else(|| ExpandError::Unset(name.to_owned()))?;
                out.push_str(value);
                rest = &rest[end..];
            } else {
                out.push('$');
            }
        }
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_whole_words() {
        let env: BTreeMap<String, String> = [
            ("HOME", "/root"),
            ("HOMEDIR", "/other"),
            ("EMPTY", ""),
            ("NESTED", "$HOME"),
        ]
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .into();
        for (text, out) in [
            ("$HOMEDIR/x", "/other/x"),
            ("$HOME-x", "/root-x"),
            ("${HOME}x", "/rootx"),
            ("${NOPE:-a b}", "a b"),
            ("${EMPTY:-d}", "d"),
            ("${EMPTY}", ""),
            ("$NESTED", "$HOME"),
            ("100$", "100$"),
            ("a$$HOME", "a$HOME"),
            ("$5", "$5"),
            ("plain", "plain"),
        ] {
            assert_eq!(expand(text, &env).as_deref(), Ok(out), "{text}");
        }
        assert_eq!(
            expand("$NOPE", &env),
            Err(ExpandError::Unset("NOPE".into()))
        );
        assert_eq!(expand("${HOME", &env), Err(ExpandError::Unclosed));
        assert_eq!(
            expand("${A B}", &env),
            Err(ExpandError::BadName("A B".into()))
        );
    }
}
