use super::*;
use crate::domain::saying::{Saying, Stand};

fn line(n: u64, run: u64) -> LogLine {
    let mut line = LogLine {
        time: Some(1_000 + n),
        id: InstanceId(1),
        name: "api".into(),
        stream: Stream::Out,
        run: Some(RunId(run)),
        offset: n * 10,
        line: String::new(),
        raw: None,
        complete: true,
        gap: 0,
        missing: 0,
        dropped: 0,
        damaged: false,
    };
    line.set_bytes(format!("ln {n:06}").as_bytes());
    line
}

fn cursor(offset: u64) -> LogPlace {
    LogPlace(vec![Cursor {
        id: InstanceId(1),
        stream: Stream::Out,
        offset,
    }])
}

fn page(lines: std::ops::Range<u64>) -> LogPage {
    LogPage {
        start: cursor(lines.start * 10),
        end: cursor(lines.end * 10),
        oldest: lines.start == 0,
        newest: false,
        complete: true,
        lines: lines.map(|n| line(n, 1 + n / 50)).collect(),
    }
}

fn assert_whole(buffer: &Buffer, lines: std::ops::Range<u64>) {
    let all = || buffer.range(0..buffer.len());
    let texts: Vec<_> = all().map(|line| line.text.plain()).collect();
    let expected: Vec<_> = lines.map(|n| format!("ln {n:06}")).collect();
    assert_eq!(texts, expected);
    let numbers: Vec<_> = all().map(|l| l.number).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
}

#[test]
fn pages_join_at_both_ends_and_nothing_is_there_twice() {
    let mut it = Buffer::default();
    it.replace(&page(100..120));
    let kept = it.get(0).unwrap().number;
    it.prepend(&page(80..105));
    it.append(&page(115..140), None);
    assert_whole(&it, 80..140);
    assert_eq!(it.get(20).unwrap().number, kept, "numbers stay");
    assert_eq!((it.start(), it.end()), (cursor(800), cursor(1400)));
}

#[test]
fn a_line_that_comes_twice_is_there_once_and_one_that_grows_grows() {
    let mut it = Buffer::default();
    it.replace(&LogPage {
        newest: true,
        ..page(0..3)
    });
    assert_eq!(it.push(&line(2, 1), None), Taken::Known);
    let mut part = line(3, 1);
    part.set_bytes(b"ln");
    part.complete = false;
    assert_eq!(it.push(&part, None), Taken::Added);
    assert_eq!(it.push(&line(3, 1), None), Taken::Known);
    assert_whole(&it, 0..4);
    assert_eq!(it.push(&line(4, 1), None), Taken::Added);
    let mut anew = line(0, 9);
    anew.time = Some(99_999);
    assert_eq!(it.push(&anew, None), Taken::Added, "a log that was lost");
    assert_eq!(it.len(), 6);
}

#[test]
fn it_is_bounded_and_says_where_it_goes_on() {
    let mut it = Buffer::default();
    it.replace(&LogPage {
        newest: true,
        ..page(0..10)
    });
    let keep = it.get(5).unwrap().number;
    let mut taken = 0;
    for n in 10..40_000 {
        taken += u64::from(it.push(&line(n, 1), Some(keep)) == Taken::Added);
    }
    assert_eq!(taken, LINES_KEPT as u64 - 5);
    assert!(!it.newest && !it.oldest);
    assert_eq!(it.get(0).unwrap().number, keep);
    assert_eq!((it.start(), it.end()), (cursor(50), cursor(200_050)));
    for n in 0..5 {
        it.append(&page(20_005 + n * 100..20_105 + n * 100), None);
    }
    assert_eq!(it.len(), LINES_KEPT);
    assert_eq!(it.end(), cursor(205_050));
    it.prepend(&page(0..505));
    assert_eq!(it.len(), LINES_KEPT);
    assert_whole(&it, 0..20_000);
    assert_eq!((it.start(), it.end()), (cursor(0), cursor(200_000)));
    assert!(it.oldest && !it.newest);
}

#[test]
fn another_run_is_marked_wherever_its_lines_come_from() {
    let begins = |buffer: &Buffer| -> Vec<String> {
        buffer
            .range(0..buffer.len())
            .filter(|line| line.after_run.is_some())
            .map(|line| line.text.plain())
            .collect()
    };
    let mut it = Buffer::default();
    it.replace(&page(100..120));
    it.prepend(&page(40..100));
    assert_eq!(begins(&it), ["ln 000050", "ln 000100"]);
    it.newest = true;
    it.push(&line(120, 7), None);
    assert_eq!(begins(&it).last().unwrap(), "ln 000120");
}

#[test]
fn a_gap_is_filled_and_what_is_still_missing_is_said() {
    let mut it = Buffer::default();
    it.replace(&LogPage {
        newest: true,
        ..page(0..10)
    });
    let mut late = line(30, 1);
    late.gap = 20;
    it.push(&late, None);
    let number = it.get(10).unwrap().number;
    let some: Vec<_> = (15..30).map(|n| line(n, 1)).collect();
    it.fill(number, &some);
    assert_eq!((it.get(10).unwrap().gap, it.get(25).unwrap().gap), (5, 0));
    let number = it.get(10).unwrap().number;
    let rest: Vec<_> = (5..15).map(|n| line(n, 1)).collect();
    it.fill(number, &rest);
    assert_whole(&it, 0..31);
    assert!(it.range(0..31).all(|line| line.gap == 0));
    assert_eq!(it.push(&line(31, 1), None), Taken::Added);
    assert_whole(&it, 0..32);
}

fn saying(at_ms: u64, stand: Stand) -> Saying {
    Saying {
        at_ms,
        id: InstanceId(1),
        name: "api".into(),
        text: format!("{stand:?} at {at_ms}"),
        bad: false,
        stand,
    }
}

fn texts(buffer: &Buffer) -> Vec<String> {
    let lines = buffer.range(0..buffer.len());
    let numbers: Vec<_> = lines.map(|line| line.number).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    let lines = buffer.range(0..buffer.len());
    lines.map(|line| line.text.plain()).collect()
}

#[test]
fn what_adasa_says_stands_by_its_run_else_by_its_time_and_is_there_once() {
    let mut it = Buffer::default();
    it.replace(&page(47..53));
    let kept: Vec<_> = (0..6).map(|n| it.get(n).unwrap().number).collect();
    let said = [
        // The last line of run 1 is 49, stamped 1049; the first of run 2 is 50.
        saying(1_046, Stand::Ends(RunId(1))),
        saying(1_050, Stand::Begins(RunId(2))),
        saying(1_047, Stand::Between),
    ];
    let expected = [
        "ln 000047",
        "Between at 1047",
        "ln 000048",
        "ln 000049",
        "Ends(RunId(1)) at 1046",
        "Begins(RunId(2)) at 1050",
        "ln 000050",
        "ln 000051",
        "ln 000052",
    ];
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
        let mut it = it.clone();
        for n in order {
            it.say(&[said[n].clone()]);
            it.say(&[said[n].clone()]);
        }
        assert_eq!(texts(&it), expected, "{order:?}");
        let numbers = it.range(0..it.len()).filter(|line| line.at.is_some());
        assert_eq!(numbers.map(|line| line.number).collect::<Vec<_>>(), kept);
        let fifty = it.get(6).unwrap();
        assert_eq!((fifty.after_run, fifty.has_rule()), (Some(RunId(1)), false));
        assert_eq!((it.start(), it.end()), (cursor(470), cursor(530)));
    }
}

#[test]
fn lines_that_come_after_what_was_said_of_their_end_stand_before_it() {
    let mut it = Buffer::default();
    it.replace(&LogPage {
        newest: true,
        ..page(0..2)
    });
    assert!(it.say_now(&saying(900, Stand::Ends(RunId(1))), None));
    assert!(it.say_now(&saying(901, Stand::Begins(RunId(2))), None));
    let anchor = it.get(2).unwrap().number;
    for n in 2..10_000 {
        assert_eq!(it.push(&line(n, 1), None), Taken::Added);
    }
    it.push(&line(10_000, 2), None);
    let all = texts(&it);
    assert_eq!(
        all[9_999..],
        [
            "ln 009999",
            "Ends(RunId(1)) at 900",
            "Begins(RunId(2)) at 901",
            "ln 010000"
        ]
    );
    assert_eq!(it.index(anchor), Some(10_000), "numbers stay");
    assert!(!it.get(10_002).unwrap().has_rule());
}

#[test]
fn where_nothing_was_said_the_rule_stays_and_a_thousand_ends_fit_anywhere() {
    let mut it = Buffer::default();
    it.replace(&page(49..51));
    assert!(it.get(1).unwrap().has_rule());
    let ends: Vec<_> = (0..1_000)
        .map(|n| saying(1_049, Stand::Ends(RunId(1_000 + n))))
        .collect();
    it.say(&ends);
    it.say(&[saying(10, Stand::Between), saying(5, Stand::Between)]);
    let all = texts(&it);
    assert_eq!(all.len(), 1_004);
    assert_eq!(all[..2], ["Between at 5", "Between at 10"]);
    let mut nothing = Buffer::default();
    nothing.replace(&LogPage {
        newest: true,
        lines: vec![],
        ..page(0..0)
    });
    nothing.say(&ends);
    assert_eq!(nothing.len(), 1_000, "of one that never wrote");
}

#[test]
fn what_an_end_leads_to_is_said_with_it() {
    use crate::domain::event::{Event, Follows, What};
    use crate::domain::status::Status;
    let mut it = Buffer::default();
    it.replace(&LogPage {
        newest: true,
        ..page(0..2)
    });
    it.say_now(&saying(1_001, Stand::Ends(RunId(1))), None);
    let event = |id, to, follows| Event {
        at_ms: 1_002,
        id: Some(InstanceId(id)),
        name: "api".into(),
        what: What::Status {
            from: Status::Running,
            to,
            because: String::new(),
            follows,
        },
    };
    let attempt = Follows::Attempt {
        restart: 2,
        in_ms: 500,
    };
    assert!(!it.goes_on(&event(2, Status::Errored, None)));
    assert!(it.goes_on(&event(1, Status::Backoff, Some(attempt))));
    assert_eq!(texts(&it)[2], "Ends(RunId(1)) at 1001, restart 2 in 500ms");
    assert_eq!(it.len(), 3);
}

#[test]
fn what_is_said_now_marks_as_all_of_it_would() {
    let mut it = Buffer::default();
    it.replace(&page(40..60));
    let said = [
        saying(1_044, Stand::Between),
        saying(1_049, Stand::Ends(RunId(1))),
        saying(1_049, Stand::Begins(RunId(2))),
        saying(1_055, Stand::Between),
    ];
    let mut whole = it.clone();
    whole.say(&said);
    for it_is in &said {
        it.say_now(it_is, None);
    }
    let facts = |buffer: &Buffer| -> Vec<(String, u32, bool, bool)> {
        let lines = buffer.range(0..buffer.len());
        let fact = |line: &Line| (line.text.plain(), line.alike, line.told, line.has_rule());
        lines.map(fact).collect()
    };
    assert_eq!(facts(&it), facts(&whole));
    let alike: Vec<u32> = it.range(0..6).map(|line| line.alike).collect();
    assert_eq!(alike, [1, 2, 3, 4, 5, 1]);
}
