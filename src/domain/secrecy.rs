//! Which values of an environment may be seen. What is not known to be harmless is masked: a name says little, and a value
//! that is shown once stands in a scrollback for ever.

use serde::{Deserialize, Serialize};

/// What stands for what may be a secret.
pub(crate) const MASK: &str = "***";

/// What is known of one variable besides its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Mark {
    /// What its definition says: a secret, or none; nothing when it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<bool>,
    /// Its value was made with variables of whoever read the file.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub template: bool,
}

/// Words within a name that say that its value is nobody's business.
const SECRET: [&str; 34] = [
    "pass",
    "pwd",
    "secret",
    "token",
    "key",
    "cred",
    "auth",
    "dsn",
    "cookie",
    "session",
    "private",
    "cert",
    "salt",
    "sign",
    "hook",
    "license",
    "licence",
    "pin",
    "otp",
    "seed",
    "mnemonic",
    "hash",
    "jwt",
    "bearer",
    "access",
    "passphrase",
    "account",
    "sas",
    "connection",
    "conn",
    "code",
    "login",
    "api",
    "id",
];

/// Variables whose values every program gets, and everybody knows.
const COMMON: [&str; 10] = [
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "PWD",
];

/// Words that are values of switches, and of nothing secret.
const WORDS: [&str; 28] = [
    "true",
    "false",
    "yes",
    "no",
    "on",
    "off",
    "none",
    "null",
    "auto",
    "production",
    "prod",
    "development",
    "dev",
    "staging",
    "test",
    "testing",
    "local",
    "debug",
    "info",
    "notice",
    "warn",
    "warning",
    "error",
    "fatal",
    "trace",
    "localhost",
    "json",
    "text",
];

/// Schemes of which the user and the name behind the host are no secrets.
const STORES: [&str; 11] = [
    "postgres",
    "postgresql",
    "mysql",
    "mariadb",
    "mongodb",
    "mongodb+srv",
    "redis",
    "rediss",
    "amqp",
    "amqps",
    "nats",
];

/// Schemes of which only the host is none.
const OTHERS: [&str; 8] = ["http", "https", "ws", "wss", "tcp", "udp", "grpc", "kafka"];

/// A word that somebody chose to be read, not a machine to be guessed.
const SHORT: usize = 20;

/// The value of a variable as it may be seen; none when nothing of it may.
pub(crate) fn shown(name: &str, value: &str, mark: Mark) -> Option<String> {
    match mark.secret {
        Some(true) => return None,
        Some(false) => return Some(value.to_owned()),
        None => {}
    }
    if mark.template {
        return None;
    }
    if is_common(name) {
        return value.chars().all(is_of_a_path).then(|| value.to_owned());
    }
    if sounds_secret(name) {
        return None;
    }
    if is_harmless(name, value) {
        return Some(value.to_owned());
    }
    address(value)
}

fn is_common(name: &str) -> bool {
    COMMON.contains(&name) || name.starts_with("LC_")
}

fn is_of_a_path(c: char) -> bool {
    c.is_ascii_alphanumeric() || "/._:+-".contains(c)
}

/// Whether a name has such a word; the short ones only as a word of its own.
fn sounds_secret(name: &str) -> bool {
    let lower = name.to_lowercase();
    let mut words = lower.split(|c: char| !c.is_ascii_alphanumeric());
    let own = |word: &str| SECRET.contains(&word);
    let long = SECRET.iter().filter(|it| it.len() > 3);
    words.any(own) || long.clone().any(|it| lower.contains(it)) || {
        // `apikey`, `dbpwd`: these are never within a harmless word.
        ["key", "pwd", "jwt", "dsn", "otp"]
            .iter()
            .any(|it| lower.contains(it))
    }
}

/// Words within a name that say that a number is a measure, and opens nothing.
const MEASURES: [&str; 22] = [
    "port",
    "worker",
    "thread",
    "count",
    "size",
    "limit",
    "max",
    "min",
    "timeout",
    "interval",
    "retries",
    "concurrency",
    "instances",
    "pool",
    "ttl",
    "delay",
    "memory",
    "level",
    "depth",
    "rate",
    "width",
    "height",
];

/// A switch, a measure, a length of time or of memory: nobody guards these.
fn is_harmless(name: &str, value: &str) -> bool {
    if value.is_empty() || WORDS.contains(&value.to_lowercase().as_str()) {
        return true;
    }
    let digits = value
        .bytes()
        .take_while(|b| b.is_ascii_digit() || *b == b'.');
    let (number, unit) = value.split_at(digits.count());
    let dots = number.bytes().filter(|b| *b == b'.').count();
    let is_number = (1..=5).contains(&number.len()) && dots <= 1 && !number.starts_with('.');
    let units = [
        "", "ms", "s", "m", "h", "d", "k", "kb", "kib", "m", "mb", "mib", "g", "gb", "gib", "%",
    ];
    let name = name.to_lowercase();
    let says = || MEASURES.iter().any(|it| name.contains(it));
    // Two digits open nothing; more of them may be a code, unless their name or unit says what they are.
    let is_measure = number.len() <= 2 || dots == 1 || !unit.is_empty() || says();
    is_number && is_measure && units.contains(&unit.to_lowercase().as_str())
}

/// A host, or a part of one, that a person would say aloud.
fn is_spoken(word: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let digits = word.chars().filter(char::is_ascii_digit).count();
    !word.is_empty() && word.len() <= SHORT && word.chars().all(fits) && digits <= 3
}

fn is_host(host: &str) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (host, None),
    };
    let is_port = |it: &str| (1..=5).contains(&it.len()) && it.bytes().all(|b| b.is_ascii_digit());
    let is_address = name.parse::<std::net::Ipv4Addr>().is_ok();
    port.is_none_or(is_port) && (is_address || name.split('.').all(is_spoken))
}

/// An address with its secret parts masked: who asks for a database is known, with what password is not.
fn address(value: &str) -> Option<String> {
    let (scheme, rest) = value.split_once("://")?;
    let (is_store, is_other) = (STORES.contains(&scheme), OTHERS.contains(&scheme));
    if !is_store && !is_other {
        return None;
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, authority),
    };
    if !is_host(host) {
        return None;
    }
    let user = match user {
        None => String::new(),
        // Alone it may be a token.
        Some(user) => match user.split_once(':') {
            Some((name, _)) if is_store && (name.is_empty() || is_spoken(name)) => {
                format!("{name}:{MASK}@")
            }
            Some(_) | None => format!("{MASK}@"),
        },
    };
    let tail = match tail {
        "" | "/" => tail.to_owned(),
        tail => match tail.strip_prefix('/') {
            Some(name) if is_store && is_spoken(name) => tail.to_owned(),
            Some(_) => format!("/{MASK}"),
            None => MASK.to_owned(),
        },
    };
    Some(format!("{scheme}://{user}{host}{tail}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(name: &str, value: &str) -> Option<String> {
        shown(name, value, Mark::default())
    }

    #[test]
    fn switches_numbers_and_what_everybody_has_are_shown() {
        for (name, value) in [
            ("NODE_ENV", "production"),
            ("PORT", "8003"),
            ("WORKERS", "4"),
            ("LOG_LEVEL", "Debug"),
            ("TIMEOUT", "30s"),
            ("CACHE", "512MiB"),
            ("RATIO", "0.75"),
            ("DEBUG", ""),
            ("PATH", "/usr/local/bin:/usr/bin"),
            ("HOME", "/home/ops"),
            ("LANG", "C.UTF-8"),
            ("LC_ALL", "en_US.UTF-8"),
        ] {
            assert_eq!(seen(name, value).as_deref(), Some(value), "{name}");
        }
    }

    #[test]
    fn a_name_that_sounds_secret_hides_even_a_number() {
        for name in [
            "PASSWORD",
            "DB_PASS",
            "dbpwd",
            "MYSQL_PWD",
            "API_TOKEN",
            "apiToken",
            "JWT_KEY",
            "STRIPE_SECRET",
            "SENTRY_DSN",
            "DATABASE_CREDENTIALS",
            "AUTH",
            "OAUTH_STATE",
            "APIKEY",
            "SESSION_COOKIE",
            "PRIVATE",
            "TLS_CERT",
            "PIN",
            "CARD_PIN",
            "OTP",
            "SIGNING_SALT",
            "SLACK_WEBHOOK",
            "LICENSE",
            "AZURE_SAS",
            "CLIENT_ID",
            "ACCESS_LEVEL",
            "LOGIN",
            "PASSPHRASE",
            "CONNECTION",
            "WALLET_SEED",
        ] {
            assert_eq!(seen(name, "4711"), None, "{name}");
            assert_eq!(seen(name, "postgres://db/prod"), None, "{name}");
        }
    }

    #[test]
    fn what_is_not_known_to_be_harmless_is_masked_whatever_it_is_called() {
        for value in [
            "hunter2",
            "also-secret",
            "correct horse battery staple",
            "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
            "AKIAIOSFODNN7EXAMPLE",
            "xoxb-123",
            "123456",
            "48213",
            "471",
            "4111111111111111",
            "1.2.3",
            "/var/run/secrets/x",
            "{\"a\":1}",
            "user:pass@host",
            "host=db password=x",
            "-----BEGIN PRIVATE KEY-----",
            "caf\u{e9}",
            "\u{1b}[2J",
            "12 34",
            ".5",
            "production ",
            "live$1",
        ] {
            assert_eq!(seen("OTHER", value), None, "{value}");
        }
        assert_eq!(seen("PATH", "/bin:/x y"), None);
        assert_eq!(seen("HOME", "https://u:p@h/"), None);
        assert_eq!(seen("LANG", "a=b"), None);
    }

    #[test]
    fn of_an_address_the_password_and_what_may_be_one_are_masked() {
        for (value, text) in [
            ("redis://cache:6379", "redis://cache:6379"),
            ("http://127.0.0.1:9000/", "http://127.0.0.1:9000/"),
            (
                "postgres://api:s3cr:et@db/prod",
                "postgres://api:***@db/prod",
            ),
            ("postgres://api:p@ss@db/prod", "postgres://api:***@db/prod"),
            ("redis://:pw@cache/0", "redis://:***@cache/0"),
            ("postgres://db/prod?password=x", "postgres://db/***"),
            ("postgres://db?password=x", "postgres://db***"),
            ("redis://tokentoken@cache", "redis://***@cache"),
            ("mysql://AKIAIOSFODNN7EXAMPLE12:x@db/a", "mysql://***@db/a"),
            (
                "https://ghp_x:x-oauth-basic@github.com/a/b",
                "https://***@github.com/***",
            ),
            (
                "https://hooks.slack.com/services/T0/B0/XX",
                "https://hooks.slack.com/***",
            ),
            ("https://a.example/#tok", "https://a.example/***"),
            (
                "amqp://guest:guest@mq:5672/7f3a9c01d2e4b5a6c7d8",
                "amqp://guest:***@mq:5672/***",
            ),
        ] {
            assert_eq!(seen("UPSTREAM", value).as_deref(), Some(text), "{value}");
        }
        for value in [
            "ftp://host/x",
            "postgres://a:b@h1,h2/db",
            "https://5f1c0de5f1c0de5f1c0de5f1c0de.ingest.example/1",
            "https://0a1b2c3d.example",
            "postgres://db:pw/x",
            "postgres://",
            "https://user:pa/ss@host/",
            "javascript://x",
        ] {
            assert_eq!(seen("UPSTREAM", value), None, "{value}");
        }
    }

    #[test]
    fn the_definition_has_the_last_word_and_what_came_from_elsewhere_is_masked() {
        let marked = |secret| Mark {
            secret,
            template: true,
        };
        assert_eq!(shown("PORT", "8003", marked(Some(true))), None);
        assert_eq!(shown("PORT", "8003", marked(None)), None);
        let told = shown("TOKEN", "hunter2", marked(Some(false)));
        assert_eq!(told.as_deref(), Some("hunter2"));
        assert_eq!(shown("TOKEN", "hunter2", Mark::default()), None);
    }
}
