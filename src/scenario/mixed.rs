//! A map whose keys belong to two owners: the scenario's own (`preset`, `model` …) and a model's fields. Strict, and
//! errors keep their places, which serde's `flatten` does not offer.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

use crate::gateway::litellm::wire::nearest;

/// The scenario's own keys of an entry.
pub trait OwnKeys: Default {
    /// Their names.
    const NAMES: &'static [&'static str];

    /// Reads the value of one of them.
    ///
    /// # Errors
    /// Those of the value.
    fn take<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error>;
}

/// An entry of a scenario that adds its own keys to a model's fields.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Mixed<O, M> {
    /// The scenario's own keys.
    pub own: O,
    /// The model's fields.
    pub model: M,
}

impl<'de, O: OwnKeys, M: Deserialize<'de>> Deserialize<'de> for Mixed<O, M> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<O, M>(PhantomData<(O, M)>);
        impl<'de, O: OwnKeys, M: Deserialize<'de>> Visitor<'de> for Reader<O, M> {
            type Value = Mixed<O, M>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map: `key: value` on lines of their own, or `{key: value}`")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let mut own = O::default();
                let model = M::deserialize(Splitter { map, own: &mut own })?;
                Ok(Mixed { own, model })
            }
        }
        deserializer.deserialize_map(Reader(PhantomData))
    }
}

/// Hands the model its fields and keeps the others.
struct Splitter<'a, O, A> {
    map: A,
    own: &'a mut O,
}

impl<'de, O: OwnKeys, A: MapAccess<'de>> Deserializer<'de> for Splitter<'_, O, A> {
    type Error = A::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, A::Error> {
        visitor.visit_map(Entries { map: self.map, own: self.own, fields: &[] })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        visitor.visit_map(Entries { map: self.map, own: self.own, fields })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

struct Entries<'a, O, A> {
    map: A,
    own: &'a mut O,
    fields: &'static [&'static str],
}

/// Whose a key is.
enum Key<K, S> {
    /// The scenario's; the seed has not been used.
    Own(String, S),
    Model(K),
}

/// Reads a key where the place of an error is still known.
struct KeySeed<O, S> {
    seed: S,
    fields: &'static [&'static str],
    own: PhantomData<O>,
}

impl<'de, O: OwnKeys, S: DeserializeSeed<'de>> DeserializeSeed<'de> for KeySeed<O, S> {
    type Value = Key<S::Value, S>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let key = String::deserialize(deserializer)?;
        if O::NAMES.contains(&key.as_str()) {
            return Ok(Key::Own(key, self.seed));
        }
        if self.fields.contains(&key.as_str()) {
            return self.seed.deserialize(StrDeserializer::new(&key)).map(Key::Model);
        }
        let known = || O::NAMES.iter().chain(self.fields).copied();
        let help = match nearest(&key, known()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("possible here: {}", known().collect::<Vec<_>>().join(", ")),
        };
        Err(D::Error::custom(format!("`{key}` is not a key that is known here; {help}")))
    }
}

impl<'de, O: OwnKeys, A: MapAccess<'de>> MapAccess<'de> for Entries<'_, O, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, mut seed: K) -> Result<Option<K::Value>, A::Error> {
        loop {
            let (fields, own) = (self.fields, PhantomData::<O>);
            match self.map.next_key_seed(KeySeed { seed, fields, own })? {
                None => return Ok(None),
                Some(Key::Model(key)) => return Ok(Some(key)),
                Some(Key::Own(name, unused)) => {
                    self.own.take(&name, &mut self.map)?;
                    seed = unused;
                }
            }
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}

impl<O: JsonSchema, M: JsonSchema> JsonSchema for Mixed<O, M> {
    fn schema_name() -> Cow<'static, str> {
        O::schema_name()
    }

    /// The model's schema with the properties of the other added.
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let own = O::json_schema(generator);
        let mut schema = M::json_schema(generator);
        let added = own.get("properties").and_then(serde_json::Value::as_object).cloned();
        if let Some(properties) = schema.get_mut("properties").and_then(serde_json::Value::as_object_mut) {
            properties.extend(added.into_iter().flatten());
        }
        schema
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq, JsonSchema)]
    struct Own {
        preset: Option<String>,
    }

    impl OwnKeys for Own {
        const NAMES: &'static [&'static str] = &["preset"];

        fn take<'de, A: MapAccess<'de>>(&mut self, _: &str, map: &mut A) -> Result<(), A::Error> {
            self.preset = Some(map.next_value()?);
            Ok(())
        }
    }

    #[derive(Debug, Default, PartialEq, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields, default)]
    struct Model {
        rate: Option<u32>,
        input: Option<u32>,
    }

    type Both = Mixed<Own, Model>;

    #[test]
    fn each_owner_gets_its_keys_in_any_order() {
        let expected = |preset: Option<&str>, rate, input| Mixed {
            own: Own { preset: preset.map(str::to_owned) },
            model: Model { rate, input },
        };
        let read = |text: &str| serde_saphyr::from_str::<Both>(text).unwrap();
        assert_eq!(read("{rate: 1, preset: chat, input: 2}"), expected(Some("chat"), Some(1), Some(2)));
        assert_eq!(read("{preset: chat}"), expected(Some("chat"), None, None));
        assert_eq!(read("{input: 2}"), expected(None, None, Some(2)));
    }

    #[test]
    fn errors_keep_their_places() {
        let place = |text: &str| {
            let error = serde_saphyr::from_str::<Both>(text).unwrap_err();
            let at = error.without_snippet().location().unwrap();
            (at.line(), at.column(), error.without_snippet().to_string())
        };
        let (line, column, message) = place("rate: 1\npresett: chat\n");
        assert_eq!((line, column), (2, 1));
        assert!(message.contains("did you mean `preset`?"), "{message}");
        assert_eq!(place("preset: chat\nrate: many\n").0, 2);
        assert_eq!(place("preset: [1]\n").1, 9);
    }

    #[test]
    fn the_schema_knows_both_owners() {
        let schema = schemars::schema_for!(Both);
        let properties = schema.get("properties").and_then(serde_json::Value::as_object).unwrap();
        assert_eq!(properties.keys().collect::<Vec<_>>(), ["rate", "input", "preset"]);
        assert_eq!(schema.get("additionalProperties"), Some(&false.into()));
    }
}
