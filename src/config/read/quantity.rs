//! Kinds of quantities: whole numbers, sizes and durations, each within bounds.

use std::marker::PhantomData;
use std::time::Duration;

use jiff::SignedDuration;

use crate::config::diagnostic::excerpt;
use crate::config::document::Value;
use crate::config::place::Place;
use crate::config::read::kind::Kind;
use crate::config::read::reader::Reader;
use crate::config::read::shape::Shape;
use crate::config::units::{DurationText, UNITS};

/// A whole number from `MIN` to `MAX`, which a `T` must be able to hold.
pub(crate) struct Count<T, const MIN: u64, const MAX: u64>(PhantomData<T>);

/// A size in bytes from `MIN` to `MAX`, which a `T` must be able to hold.
pub(crate) struct Size<T, const MIN: u64, const MAX: u64>(PhantomData<T>);

/// A duration from `MIN_MS` to `MAX_MS` milliseconds.
pub(crate) enum Time<const MIN_MS: u64, const MAX_MS: u64> {}

/// A quantity, or `none` for no limit.
pub(crate) struct OrNone<K>(PhantomData<K>);

/// A day in milliseconds, the longest duration.
pub(crate) const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

const NONE: &str = "none";

impl<T: TryFrom<u64>, const MIN: u64, const MAX: u64> Kind for Count<T, MIN, MAX> {
    type Value = T;

    const SHAPE: &'static Shape = &Shape::Count { min: MIN, max: MAX };

    fn read(reader: &mut Reader<'_>, place: Place, _: &'static str) -> Option<T> {
        let written = written(reader, place, Self::SHAPE)?;
        let is_digits = written.bytes().all(|byte| byte.is_ascii_digit());
        let parsed = written.parse::<u64>().ok().filter(|_| is_digits);
        let count = parsed.filter(|count| (MIN..=MAX).contains(count));
        if let Some(count) = count.and_then(|count| T::try_from(count).ok()) {
            return Some(count);
        }
        let shown = excerpt(written);
        let message = format!("`{shown}` is not a whole number from {MIN} to {MAX}");
        reader.error(place, "config.value", message, None);
        None
    }
}

impl<T: TryFrom<u64>, const MIN: u64, const MAX: u64> Kind for Size<T, MIN, MAX> {
    type Value = T;

    const SHAPE: &'static Shape = &Shape::Size { min: MIN, max: MAX };

    fn read(reader: &mut Reader<'_>, place: Place, _: &'static str) -> Option<T> {
        let written = written(reader, place, Self::SHAPE)?;
        let parsed = bytes(written);
        let size = parsed.filter(|size| (MIN..=MAX).contains(size));
        if let Some(size) = size.and_then(|size| T::try_from(size).ok()) {
            return Some(size);
        }
        let shown = excerpt(written);
        if parsed.is_some() {
            out_of_bounds(reader, place, &shown, Self::SHAPE);
        } else {
            let message = format!("`{shown}` is not a size");
            let help = "write bytes, or KiB, MiB or GiB: 4096, 32KiB, 8MiB".into();
            reader.error(place, "config.value", message, Some(help));
        }
        None
    }
}

impl<const MIN_MS: u64, const MAX_MS: u64> Kind for Time<MIN_MS, MAX_MS> {
    type Value = Duration;

    const SHAPE: &'static Shape = &Shape::Time {
        min: Duration::from_millis(MIN_MS),
        max: Duration::from_millis(MAX_MS),
    };

    fn read(reader: &mut Reader<'_>, place: Place, _: &'static str) -> Option<Duration> {
        let bounds = Duration::from_millis(MIN_MS)..=Duration::from_millis(MAX_MS);
        let written = written(reader, place, Self::SHAPE)?;
        let parsed = written.parse::<SignedDuration>().ok();
        let parsed = parsed.and_then(|duration| Duration::try_from(duration).ok());
        if let Some(duration) = parsed.filter(|duration| bounds.contains(duration)) {
            return Some(duration);
        }
        let shown = excerpt(written);
        if parsed.is_some() {
            out_of_bounds(reader, place, &shown, Self::SHAPE);
            return None;
        }
        let help = match written.parse::<u32>() {
            Ok(number) => format!("write the unit: {number}s"),
            Err(_) if written == NONE => {
                let max = DurationText(*bounds.end());
                format!("this duration cannot be unlimited; the maximum is {max}")
            }
            Err(_) => "write one such as 2s, 500ms, 1m30s or 1h".into(),
        };
        let message = format!("`{shown}` is not a duration");
        reader.error(place, "config.value", message, Some(help));
        None
    }
}

impl<K: Kind> Kind for OrNone<K> {
    type Value = Option<K::Value>;

    const SHAPE: &'static Shape = &Shape::OneOf(&[
        &Shape::Words {
            words: || vec![NONE],
            are_numbers: false,
        },
        K::SHAPE,
    ]);

    fn read(
        reader: &mut Reader<'_>,
        place: Place,
        example: &'static str,
    ) -> Option<Option<K::Value>> {
        if reader.value(place) == Value::Text(NONE) {
            return Some(None);
        }
        K::read(reader, place, example).map(Some)
    }
}

/// The text or number at `place` as written; reports any other type.
fn written<'d>(reader: &mut Reader<'d>, place: Place, shape: &Shape) -> Option<&'d str> {
    let (Value::Text(written) | Value::Number(written)) = reader.value(place) else {
        reader.mismatch(place, &shape.alternatives().concat(), None);
        return None;
    };
    Some(written)
}

fn out_of_bounds(reader: &mut Reader<'_>, place: Place, shown: &str, shape: &Shape) {
    let (min, max) = shape.bounds().unwrap_or_default();
    let message = format!("`{shown}` is out of bounds");
    let help = Some(format!("write a value from {min} to {max}"));
    reader.error(place, "config.value", message, help);
}

/// The number of bytes that a size such as `64KiB` stands for.
fn bytes(written: &str) -> Option<u64> {
    let unit = UNITS.iter().find(|(name, _)| written.ends_with(name));
    let (name, unit) = unit.map_or(("", 1), |(name, unit)| (*name, *unit));
    let digits = written.strip_suffix(name).unwrap_or(written).trim_end();
    let is_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.parse::<u64>().ok().filter(|_| is_digits)?;
    number.checked_mul(unit)
}
