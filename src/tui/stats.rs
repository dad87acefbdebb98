//! What the dashboard itself takes: frames of the last minute, bytes, messages.

use std::collections::VecDeque;
use std::time::Duration;

use super::trace::Frame;

/// So long a frame counts.
const KEPT: Duration = Duration::from_secs(60);
/// What is told as of now is of this time.
const NOW: Duration = Duration::from_secs(10);
/// More frames are not kept: 30 a second, and some for keys.
const MOST: usize = 4000;

/// The last minute.
#[derive(Debug, Clone, Default)]
pub(super) struct Stats {
    frames: VecDeque<Frame>,
    /// How many messages waited at once, and when.
    waited: VecDeque<(Duration, usize)>,
    /// Since the dashboard began.
    bytes: u64,
}

/// Times in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Spread {
    pub(super) half: Duration,
    pub(super) almost_all: Duration,
    pub(super) longest: Duration,
}

/// All that is told.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Summary {
    pub(super) frames: usize,
    /// Frames in which nothing was another than before.
    pub(super) silent: usize,
    /// Until the terminal had taken a frame.
    pub(super) whole: Spread,
    /// Until a frame was made.
    pub(super) made: Spread,
    /// Bytes a second, now and over the minute.
    pub(super) bytes: [f64; 2],
    pub(super) largest: usize,
    pub(super) all_bytes: u64,
    /// Messages a second, now and over the minute.
    pub(super) messages: [f64; 2],
    /// The most messages that waited at once.
    pub(super) waited: usize,
}

fn spread(mut times: Vec<Duration>) -> Spread {
    times.sort_unstable();
    let at = |percent: usize| {
        let place = (times.len() * percent).div_ceil(100).saturating_sub(1);
        times.get(place).copied().unwrap_or_default()
    };
    Spread {
        half: at(50),
        almost_all: at(99),
        longest: at(100),
    }
}

impl Stats {
    /// A frame was drawn.
    pub(super) fn frame(&mut self, frame: Frame) {
        self.bytes += frame.bytes as u64;
        self.frames.push_back(frame);
        let old = frame.at.saturating_sub(KEPT);
        while self.frames.len() > MOST || self.frames.front().is_some_and(|it| it.at < old) {
            self.frames.pop_front();
        }
    }

    /// So many messages were there at once. Only those are kept that nothing later surpasses.
    pub(super) fn waited(&mut self, at: Duration, messages: usize) {
        while self.waited.back().is_some_and(|(_, it)| *it <= messages) {
            self.waited.pop_back();
        }
        self.waited.push_back((at, messages));
        let old = at.saturating_sub(KEPT);
        while self.waited.front().is_some_and(|(at, _)| *at < old) {
            self.waited.pop_front();
        }
    }

    pub(super) fn summary(&self, now: Duration) -> Summary {
        let since = |ago: Duration| {
            let from = now.saturating_sub(ago);
            self.frames.iter().filter(move |frame| frame.at >= from)
        };
        // At the beginning the time is shorter.
        let per_second = |ago: Duration, sum: usize| {
            let seconds = ago.min(now).as_secs_f64().max(1.0);
            #[expect(clippy::cast_precision_loss, reason = "a rate is shown")]
            let sum = sum as f64;
            sum / seconds
        };
        let bytes = |ago| per_second(ago, since(ago).map(|frame| frame.bytes).sum());
        let messages = |ago| per_second(ago, since(ago).map(|frame| frame.told).sum());
        let from = now.saturating_sub(KEPT);
        Summary {
            frames: since(KEPT).count(),
            silent: since(KEPT).filter(|frame| frame.bytes == 0).count(),
            whole: spread(since(KEPT).map(|frame| frame.whole).collect()),
            made: spread(since(KEPT).map(|frame| frame.made).collect()),
            bytes: [bytes(NOW), bytes(KEPT)],
            largest: since(KEPT).map(|frame| frame.bytes).max().unwrap_or(0),
            all_bytes: self.bytes,
            messages: [messages(NOW), messages(KEPT)],
            waited: self
                .waited
                .iter()
                .filter(|(at, _)| *at >= from)
                .map(|(_, messages)| *messages)
                .max()
                .unwrap_or(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(second: u64, micros: u64, bytes: usize, told: usize) -> Frame {
        Frame {
            at: Duration::from_secs(second),
            made: Duration::from_micros(micros / 2),
            whole: Duration::from_micros(micros),
            bytes,
            told,
        }
    }

    #[test]
    fn a_minute_is_summed_up_and_what_is_older_is_forgotten() {
        let mut it = Stats::default();
        it.frame(frame(1, 90_000, 5000, 1));
        for n in 0..100 {
            it.frame(frame(
                100 + n % 30,
                1000 + n,
                if n % 2 == 0 { 60 } else { 0 },
                3,
            ));
        }
        let told = it.summary(Duration::from_secs(130));
        assert_eq!((told.frames, told.silent), (100, 50));
        assert_eq!(told.whole.half, Duration::from_micros(1049));
        assert_eq!(told.whole.almost_all, Duration::from_micros(1098));
        assert_eq!(told.whole.longest, Duration::from_micros(1099));
        assert_eq!((told.largest, told.all_bytes), (60, 8000));
        assert!((told.bytes[1] - 50.0).abs() < 0.01, "{told:?}");
        assert!((told.messages[1] - 5.0).abs() < 0.01, "{told:?}");
        let later = it.summary(Duration::from_secs(300));
        assert_eq!((later.frames, later.whole), (0, Spread::default()));
        assert_eq!(later.all_bytes, 8000);
    }

    #[test]
    fn the_longest_queue_of_a_minute_is_known_and_little_is_kept() {
        let mut it = Stats::default();
        for (second, messages) in [(1, 9), (2, 4), (3, 4), (4, 2), (61, 1)] {
            it.waited(Duration::from_secs(second), messages);
        }
        let waited = |it: &Stats, now| it.summary(Duration::from_secs(now)).waited;
        assert_eq!(waited(&it, 61), 9);
        assert_eq!(waited(&it, 62), 4);
        it.waited(Duration::from_secs(62), 7);
        assert_eq!((waited(&it, 62), it.waited.len()), (7, 1));
        (0..100_000).for_each(|n| it.waited(Duration::from_secs(100), n % 3));
        assert!(it.waited.len() <= 3);
        (0..100_000).for_each(|_| it.frame(frame(100, 1, 1, 1)));
        assert_eq!(it.frames.len(), MOST);
    }
}
