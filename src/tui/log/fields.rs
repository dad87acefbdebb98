//! What a line says in a form that machines write.

use serde_json::Value;

use crate::logs::safe::harmless;

/// More fields are not shown.
const FIELDS_MAX: usize = 64;

/// The fields of a line: of the JSON object that it is, or that it has behind its first `{`; else its `key=value`
/// pairs.
pub(in crate::tui) fn fields(line: &str) -> Vec<(String, String)> {
    let object = line
        .find('{')
        .and_then(|at| serde_json::from_str::<Value>(&line[at..]).ok());
    let mut fields = match object {
        Some(Value::Object(map)) => map
            .into_iter()
            .map(|(key, value)| (harmless(&key), harmless(&shown(&value))))
            .collect(),
        Some(_) | None => pairs(line),
    };
    fields.truncate(FIELDS_MAX);
    fields
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string()
        }
    }
}

/// `key=value` and `key="some value"`.
fn pairs(line: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = line;
    while let Some(at) = rest.find('=') {
        let key = rest[..at]
            .rsplit(|c: char| !(c.is_alphanumeric() || "_.-".contains(c)))
            .next()
            .unwrap_or_default();
        let after = &rest[at + 1..];
        let (value, end) = match after.strip_prefix('"') {
            Some(quoted) => {
                let end = quoted.find('"').unwrap_or(quoted.len());
                (&quoted[..end], (end + 2).min(after.len()))
            }
            None => {
                let end = after
                    .find(|c: char| c.is_whitespace() || ",;)}]".contains(c))
                    .unwrap_or(after.len());
                (&after[..end], end)
            }
        };
        if !key.is_empty() && !value.is_empty() && found.len() < FIELDS_MAX {
            found.push((key.to_owned(), value.to_owned()));
        }
        rest = after.get(end..).unwrap_or_default();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_in_json_behind_words_and_in_pairs() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(
            fields(r#"{"level":"error","n":3,"x":null,"in":{"a":1}}"#),
            [
                pair("in", r#"{"a":1}"#),
                pair("level", "error"),
                pair("n", "3"),
                pair("x", "null")
            ]
        );
        assert_eq!(fields(r#"POST /v1 201 {"id":8802}"#), [pair("id", "8802")]);
        assert_eq!(
            fields(r#"ERROR deadline {trace=8f2c, after=1500ms} msg="two words" ="#),
            [
                pair("trace", "8f2c"),
                pair("after", "1500ms"),
                pair("msg", "two words")
            ]
        );
        assert!(fields("nothing of the kind").is_empty());
    }

    #[test]
    fn a_control_that_json_hides_stays_harmless() {
        let found = fields(r#"{"t":"\u001b[2Jx"}"#);
        assert!(!found[0].1.contains('\u{1b}'), "{found:?}");
    }
}
