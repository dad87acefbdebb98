use super::*;

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
    let first = numbers.first().copied().unwrap_or(0);
    let count = i64::try_from(numbers.len()).unwrap();
    assert_eq!(numbers, (first..first + count).collect::<Vec<_>>());
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
    assert_eq!(it.fill(number, &some), 15);
    assert_eq!((it.get(10).unwrap().gap, it.get(25).unwrap().gap), (5, 0));
    let number = it.get(10).unwrap().number;
    let rest: Vec<_> = (5..15).map(|n| line(n, 1)).collect();
    assert_eq!(it.fill(number, &rest), 5);
    assert_whole(&it, 0..31);
    assert!(it.range(0..31).all(|line| line.gap == 0));
    assert_eq!(it.push(&line(31, 1), None), Taken::Added);
    assert_whole(&it, 0..32);
}
