//! Definitions: what counts, what is refused, where logs go.

use super::*;

fn spec() -> Spec {
    let command = Command {
        program: "/bin/true".into(),
        args: vec![],
    };
    Spec::new(ProcessName::new("api").unwrap(), command, "/")
}

#[test]
fn only_declared_values_count_as_a_change() {
    let a = spec();
    let mut b = spec();
    std::sync::Arc::make_mut(&mut b.base_env).insert("PATH".into(), "/elsewhere".into());
    b.origin = Origin::File("/etc/adasa.toml".into());
    assert_eq!(a.difference(&b), Difference::None);
    b.stop.timeout = Duration::from_secs(1);
    assert_eq!(a.difference(&b), Difference::Live);
    b.instances = 2;
    assert_eq!(a.difference(&b), Difference::Scale);
    b.env.insert("A".into(), "1".into());
    assert_eq!(a.difference(&b), Difference::Replace);
}

#[test]
fn impossible_values_are_refused_by_name() {
    type Change = fn(&mut Spec);
    let cases: [(&str, Change); 8] = [
        ("instances", |s| s.instances = 0),
        ("instances", |s| s.instances = 1001),
        ("script", |s| s.command.program.clear()),
        ("args", |s| s.command.args.push("a\0b".into())),
        ("cwd", |s| s.cwd = "here".into()),
        ("stop_timeout", |s| {
            s.stop.timeout = Duration::from_secs(1 << 30)
        }),
        ("max_memory", |s| s.limits.max_memory = Some(5)),
        ("env", |s| {
            s.env.insert("A=B".into(), String::new());
        }),
    ];
    assert_eq!(spec().validate(), Ok(()));
    for (field, change) in cases {
        let mut s = spec();
        change(&mut s);
        assert_eq!(s.validate().unwrap_err().field, field);
    }
}

#[test]
fn log_files_have_their_place() {
    let mut s = spec();
    let logs = Path::new("/l");
    assert_eq!(
        s.log_path(logs, 0, Stream::Err),
        Path::new("/l/default/api/0.err.log")
    );
    s.logs.merge = true;
    assert_eq!(
        s.log_path(logs, 0, Stream::Err),
        s.log_path(logs, 0, Stream::Out)
    );
    s.logs.out_file = Some("/var/x.log".into());
    assert_eq!(s.log_path(logs, 0, Stream::Out), Path::new("/var/x.log"));
    s.instances = 2;
    assert_eq!(s.log_path(logs, 1, Stream::Out), Path::new("/var/x-1.log"));
}

#[test]
fn a_definition_in_a_log_line_shows_no_values() {
    let mut s = spec();
    s.env.insert("TOKEN".into(), "hunter2".into());
    let text = format!("{s:?}");
    assert!(text.contains("TOKEN") && !text.contains("hunter2"));
}
