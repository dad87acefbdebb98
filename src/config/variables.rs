//! One variable of `env`: its value, or a table with it and whether it is a secret.

use crate::domain::secrecy::Mark;

use super::document::{Key, Node, Value};
use super::read::{Read, Reader};

impl Reader<'_> {
    /// The value, and what is known of it.
    pub(super) fn variable(&self, variable: &Key, node: &Node) -> Read<(String, Mark)> {
        let Value::Table(entries) = &node.value else {
            let mark = Mark {
                secret: None,
                template: is_template(node),
            };
            return Ok((self.loose_text(node, &variable.name)?, mark));
        };
        let (mut value, mut mark) = (None, Mark::default());
        for (key, node) in entries {
            match key.name.as_str() {
                "value" => {
                    mark.template = is_template(node);
                    value = Some(self.loose_text(node, "value")?);
                }
                "secret" => mark.secret = Some(self.truth(node, "secret")?),
                other => {
                    let message =
                        format!("a variable has no key `{other}`: it has `value` and `secret`");
                    return Err(self.at(&key.span, message));
                }
            }
        }
        let missing = || self.at(&node.span, format!("`{}` has no `value`", variable.name));
        Ok((value.ok_or_else(missing)?, mark))
    }
}

/// Whether a value is made with variables of whoever reads the file: `$$` is a sign of its own.
fn is_template(node: &Node) -> bool {
    match &node.value {
        Value::Text(text) => text.replace("$$", "").contains('$'),
        Value::Integer(_)
        | Value::Float(_)
        | Value::Bool(_)
        | Value::List(_)
        | Value::Table(_)
        | Value::Null => false,
    }
}
