//! TOML and JSON as one tree in which every key and value knows its place in the text.

use std::ops::Range;
use std::path::Path;

use jsonc_parser::ast;
use jsonc_parser::common::Ranged as _;
use toml::de::{DeTable, DeValue};

use super::error::ConfigError;

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) span: Range<usize>,
}

/// A key and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) span: Range<usize>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
    Float(f64),
    Bool(bool),
    List(Vec<Node>),
    Table(Vec<(Key, Node)>),
    Null,
}

impl Value {
    /// What it is called in an error.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Integer(_) => "a whole number",
            Self::Float(_) => "a number",
            Self::Bool(_) => "true or false",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Null => "null",
        }
    }
}

/// Parses by the ending of the file's name: `.json` is JSON, all else is TOML.
pub(super) fn parse(file: &Path, text: &str) -> Result<Node, ConfigError> {
    let json = file
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("json"));
    if json {
        json_tree(file, text)
    } else {
        toml_tree(file, text)
    }
}

fn toml_tree(file: &Path, text: &str) -> Result<Node, ConfigError> {
    let table = DeTable::parse(text).map_err(|error| {
        let span = error.span().unwrap_or(0..0);
        ConfigError::at(file, text, &span, error.message().to_owned())
    })?;
    let span = table.span();
    Ok(Node {
        value: toml_table(file, text, table.into_inner())?,
        span,
    })
}

fn toml_table(file: &Path, text: &str, table: DeTable<'_>) -> Result<Value, ConfigError> {
    let mut entries = Vec::new();
    for (key, value) in table {
        let key = Key {
            span: key.span(),
            name: key.into_inner().into_owned(),
        };
        let span = value.span();
        let value = toml_value(file, text, value.into_inner(), &span)?;
        entries.push((key, Node { value, span }));
    }
    // The parser sorts by name; a reader thinks in the order of the text.
    entries.sort_by_key(|(key, _)| key.span.start);
    Ok(Value::Table(entries))
}

fn toml_value(
    file: &Path,
    text: &str,
    value: DeValue<'_>,
    span: &Range<usize>,
) -> Result<Value, ConfigError> {
    let wrong = |message: &str| ConfigError::at(file, text, span, message.to_owned());
    Ok(match value {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(number) => Value::Integer(
            i64::from_str_radix(number.as_str(), number.radix())
                .map_err(|_| wrong("this number is too large"))?,
        ),
        DeValue::Float(number) => Value::Float(
            number
                .as_str()
                .parse()
                .map_err(|_| wrong("this is no number"))?,
        ),
        DeValue::Boolean(it) => Value::Bool(it),
        DeValue::Datetime(_) => return Err(wrong("a date is of no use here")),
        DeValue::Array(items) => {
            let mut nodes = Vec::new();
            for item in items {
                let span = item.span();
                let value = toml_value(file, text, item.into_inner(), &span)?;
                nodes.push(Node { value, span });
            }
            Value::List(nodes)
        }
        DeValue::Table(table) => toml_table(file, text, table)?,
    })
}

fn json_tree(file: &Path, text: &str) -> Result<Node, ConfigError> {
    let options = jsonc_parser::ParseOptions {
        allow_comments: false,
        allow_trailing_commas: false,
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    let parsed =
        jsonc_parser::parse_to_ast(text, &jsonc_parser::CollectOptions::default(), &options)
            .map_err(|error| {
                let range = error.range();
                ConfigError::at(
                    file,
                    text,
                    &(range.start..range.end),
                    error.kind().to_string(),
                )
            })?;
    match parsed.value {
        Some(value) => json_value(file, text, &value),
        None => Err(ConfigError::whole(file, "the file is empty")),
    }
}

fn json_value(file: &Path, text: &str, value: &ast::Value<'_>) -> Result<Node, ConfigError> {
    let range = value.range();
    let span = range.start..range.end;
    let value = match value {
        ast::Value::StringLit(it) => Value::Text(it.value.to_string()),
        ast::Value::NumberLit(it) => match (it.value.parse::<i64>(), it.value.parse::<f64>()) {
            (Ok(whole), _) => Value::Integer(whole),
            (Err(_), Ok(number)) => Value::Float(number),
            (Err(_), Err(_)) => {
                return Err(ConfigError::at(file, text, &span, "this is no number"));
            }
        },
        ast::Value::BooleanLit(it) => Value::Bool(it.value),
        ast::Value::NullKeyword(_) => Value::Null,
        ast::Value::Array(it) => Value::List(
            it.elements
                .iter()
                .map(|item| json_value(file, text, item))
                .collect::<Result<_, _>>()?,
        ),
        ast::Value::Object(it) => {
            let mut entries: Vec<(Key, Node)> = Vec::new();
            for property in &it.properties {
                let range = property.name.range();
                let key = Key {
                    name: property.name.as_str().to_owned(),
                    span: range.start..range.end,
                };
                if entries.iter().any(|(other, _)| other.name == key.name) {
                    let message = format!("the key `{}` stands here twice", key.name);
                    return Err(ConfigError::at(file, text, &key.span, message));
                }
                entries.push((key, json_value(file, text, &property.value)?));
            }
            Value::Table(entries)
        }
    };
    Ok(Node { value, span })
}
