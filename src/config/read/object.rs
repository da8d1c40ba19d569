//! The declaration of an object and its keys.

use crate::config::place::Place;
use crate::config::read::kind::Kind;
use crate::config::read::reader::Reader;
use crate::config::read::shape::Object;

/// A struct made by [`object!`].
pub(crate) trait Keys: Sized {
    /// Its declaration.
    const OBJECT: &'static Object;

    /// Number of keys, including those of its groups.
    const COUNT: usize;

    /// Reads the values of its keys. `slots` begins with the place of each key, in the order of
    /// their declaration; `None` for a key that is absent.
    fn read_keys(reader: &mut Reader<'_>, slots: &mut std::slice::Iter<'_, Option<Place>>) -> Self;
}

/// Reads the value of a key. `slot` is its place, if it is present.
pub(crate) fn key<K: Kind>(
    reader: &mut Reader<'_>,
    slot: Option<&Option<Place>>,
    example: &'static str,
) -> Option<K::Value> {
    K::read(reader, (*slot?)?, example)
}

/// Reads the keys of a group; `None` if all are absent.
pub(crate) fn group<G: Keys>(
    reader: &mut Reader<'_>,
    slots: &mut std::slice::Iter<'_, Option<Place>>,
) -> Option<Box<G>> {
    if slots.as_slice().iter().take(G::COUNT).all(Option::is_none) {
        slots.by_ref().take(G::COUNT).for_each(drop);
        return None;
    }
    Some(Box::new(G::read_keys(reader, slots)))
}

/// Declares an object: its keys, each with its kind, presence, example and description, and the
/// groups whose keys it has too.
///
/// ```text
/// object! {
///     /// Description of the object.
///     pub(crate) struct RawRetry: "`retry`", "{attempts: 2}" {
///         /// Description of the key.
///         attempts: Count<u32, 0, 10> = Default("2"), "3";
///         ..policy: RawPolicy;
///     }
///     not_built: &["rate_limit"],
/// }
/// ```
///
/// It makes the struct, with an `Option` for each key and for each group, and its [`Kind`] and
/// [`Keys`].
macro_rules! object {
    (
        $(#[doc = $about:literal])+
        pub(crate) struct $object:ident: $what:literal, $sample:literal {
            $(
                $(#[doc = $doc:literal])+
                $key:ident: $kind:ty = $presence:expr, $example:literal;
            )*
            $(..$group:ident: $members:ident;)*
        }
        $($property:ident: $value:expr,)*
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub(crate) struct $object {
            $(
                $(#[doc = $doc])+
                pub(crate) $key: Option<<$kind as $crate::config::read::kind::Kind>::Value>,
            )*
            $(
                /// Keys that other objects have too.
                pub(crate) $group: Option<Box<$members>>,
            )*
        }

        impl $crate::config::read::object::Keys for $object {
            const OBJECT: &'static $crate::config::read::shape::Object = &$crate::config::read::shape::Object {
                name: stringify!($object),
                what: $what,
                description: concat!($($about),+),
                example: $sample,
                keys: &[$(
                    $crate::config::read::shape::Key {
                        name: stringify!($key),
                        shape: <$kind as $crate::config::read::kind::Kind>::SHAPE,
                        presence: $presence,
                        description: concat!($($doc),+),
                        example: $example,
                    },
                )*],
                groups: &[$(<$members as $crate::config::read::object::Keys>::OBJECT),*],
                $($property: $value,)*
                ..$crate::config::read::shape::Object::EMPTY
            };

            const COUNT: usize = <[&str]>::len(&[$(stringify!($key)),*])
                $(+ <$members as $crate::config::read::object::Keys>::COUNT)*;

            fn read_keys(
                reader: &mut $crate::config::read::reader::Reader<'_>,
                slots: &mut std::slice::Iter<'_, Option<$crate::config::place::Place>>,
            ) -> Self {
                Self {
                    $($key: $crate::config::read::object::key::<$kind>(reader, slots.next(), $example),)*
                    $($group: $crate::config::read::object::group(reader, slots),)*
                }
            }
        }

        impl $crate::config::read::kind::Kind for $object {
            type Value = Self;

            const SHAPE: &'static $crate::config::read::shape::Shape =
                &$crate::config::read::shape::Shape::Object(<Self as $crate::config::read::object::Keys>::OBJECT);

            fn read(
                reader: &mut $crate::config::read::reader::Reader<'_>,
                place: $crate::config::place::Place,
                _: &'static str,
            ) -> Option<Self> {
                use $crate::config::read::object::Keys;
                let mut slots = [None; <$object as Keys>::COUNT];
                reader.fields(place, Self::OBJECT, &mut slots)?;
                Some(Self::read_keys(reader, &mut slots.iter()))
            }
        }
    };
}
pub(crate) use object;
